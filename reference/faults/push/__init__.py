"""Faults of pushes."""
