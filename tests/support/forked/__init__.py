"""Registries that a process forks which has loaded the reference, to save the time of their start."""
