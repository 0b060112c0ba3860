"""Faults of the fourteenth blind round, each of which shows under one condition."""
