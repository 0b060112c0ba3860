"""Tests of the parts of scenarios: rows of conditions, concurrent clients, the search's model."""
