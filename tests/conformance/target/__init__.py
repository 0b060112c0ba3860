"""Tests of what the suite finds out about a target, and leaves in it."""
