"""Faults that show at one value of a condition."""
