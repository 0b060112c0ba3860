"""Faults of manifests that show with some forms of tags, references and names of repositories."""
