"""Tests of the specification and its command line."""
