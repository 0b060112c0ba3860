"""Faults of blobs that show under one condition."""
