"""Logins: challenges, credentials, tokens, and how secrets are kept out of what is shown."""
