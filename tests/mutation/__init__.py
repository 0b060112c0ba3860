"""Mutation testing: the suite must see mutants of the reference, the proof weaker checks."""
