"""Tests of what scenarios are made of: rows of conditions, concurrent clients, the model of the search."""
