"""Faults of lists that show under one condition."""
