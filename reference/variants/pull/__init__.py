"""Variants of pulls."""
