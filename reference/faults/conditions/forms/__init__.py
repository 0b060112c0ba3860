"""Faults that a default run was thought not to see: what is always the same in it, and what is not looked at."""
