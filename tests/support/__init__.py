"""What tests share: real registries as processes, and whole runs of the suite."""
