"""Servers that answer as a test says."""
