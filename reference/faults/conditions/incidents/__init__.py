"""Faults as incidents of registries show them: of databases, frameworks, libraries and workers."""
