"""Faults after reports about registries that are in use, and about their clients."""
