"""Variants of notifications."""
