"""Faults of what shows under one condition."""
