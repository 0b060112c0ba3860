"""Faults of pushes of manifests."""
