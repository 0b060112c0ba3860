"""Authentication: challenges, and what they let pass."""
