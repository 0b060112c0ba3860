"""Variants of lists."""
