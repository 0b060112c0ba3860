"""Scenarios of pushing blobs: upload sessions, single requests, chunks, mounts."""
