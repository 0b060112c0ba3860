"""Runs that are told to end, or lose their disk, at every moment."""
