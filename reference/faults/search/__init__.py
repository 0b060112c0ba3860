"""Faults of what the search found first."""
