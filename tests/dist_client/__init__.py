"""The client for registries: as a library, as the command, and against registries that break or lie."""
