"""Packaging, the locks, and the behaviour of the tests themselves."""
