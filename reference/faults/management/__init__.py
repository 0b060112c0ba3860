"""Faults of deletions."""
