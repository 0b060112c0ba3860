"""Faults of blobs that show at some sizes."""
