"""Tests of the suite, by its packages."""
