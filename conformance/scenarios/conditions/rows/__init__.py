"""Rows of conditions: how they are made, tried, and brought down to the condition that matters."""
