"""The laws of manifests: the push, the pulls, the lists, and what becomes of a manifest."""
