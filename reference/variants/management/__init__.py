"""Variants of deletions."""
