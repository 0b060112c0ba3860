"""Variants of logins."""
