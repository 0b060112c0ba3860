"""Judgements of scenarios, and the verdict that they add up to."""
