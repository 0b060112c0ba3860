"""A pull-through cache of another registry."""
