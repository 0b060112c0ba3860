"""Variants of uploads."""
