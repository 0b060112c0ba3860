"""Clients that nobody here wrote, unchanged, against the reference and against docker-registry as a control."""
