"""Faults that show under one condition, by authors who did not know the suite."""
