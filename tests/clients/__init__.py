"""Unchanged third-party clients against the reference, and against docker-registry as control."""
