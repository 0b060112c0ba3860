"""Faults that engineers of registries thought of, who knew the requirements alone."""
