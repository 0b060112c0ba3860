"""Canary credentials go through every configuration; a search through every output must find none."""
