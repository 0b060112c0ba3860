"""The scenarios: pytest modules by category, and the helpers that they share."""
