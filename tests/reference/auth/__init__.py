"""Tests of logins at the reference: passwords, tokens, and the token service."""
