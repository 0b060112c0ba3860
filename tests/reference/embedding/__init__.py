"""The registry inside another program."""
