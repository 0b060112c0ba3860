"""Faults of ranges of blobs that show under one condition."""
