"""Proof: the one place where specification, suite, reference and reports meet."""
