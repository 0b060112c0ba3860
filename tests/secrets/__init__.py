"""Canary credentials go through every configuration; no output may have one."""
