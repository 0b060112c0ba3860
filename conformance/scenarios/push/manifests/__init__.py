"""Scenarios of pushing manifests: kinds, refusals, subjects, tags."""
