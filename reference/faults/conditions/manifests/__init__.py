"""Faults of manifests that show under one condition."""
