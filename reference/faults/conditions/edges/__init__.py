"""Faults that show at one value of one dimension, by dimension."""
