"""Variants of pushes of manifests."""
