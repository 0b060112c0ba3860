"""Targets that no registry should be; a run against each of them ends well."""
