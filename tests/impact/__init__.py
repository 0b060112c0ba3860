"""What a change of the specification does to registries whose runs are published."""
