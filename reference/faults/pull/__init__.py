"""Faults of pulls."""
