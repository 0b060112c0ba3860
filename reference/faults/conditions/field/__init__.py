"""More faults after public reports about registries; a comment beside each names the report."""
