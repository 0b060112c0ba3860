"""Faults that show only under a condition, as an engineer of registries would expect them in the field."""
