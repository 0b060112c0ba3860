"""The suite against real registries, with the exact outcome of each requirement."""
