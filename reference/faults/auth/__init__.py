"""Faults of logins."""
