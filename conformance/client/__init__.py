"""A thin client: a method per operation, every exchange recorded, nothing asserted."""
