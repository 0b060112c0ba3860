"""The reference registry: answers rightly, or with one deliberate fault or variant."""
