"""Faults of notifications."""
