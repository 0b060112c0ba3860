"""Tests of the reference registry."""
