"""Mutation testing: the suite must see small changes of the code that answers, the proof weaker checks."""
