"""Variants of pushes."""
