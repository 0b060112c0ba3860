"""Faults of ranges of blobs."""
