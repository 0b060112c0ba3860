"""A registry that holds much that is none of a run's: to measure what a run costs before it."""
