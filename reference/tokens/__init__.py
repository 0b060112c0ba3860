"""A token service: gives the tokens that the reference, and the original registry, trust."""
