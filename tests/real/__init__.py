"""The suite against registries that nobody here wrote, with the exact outcome of each requirement."""
