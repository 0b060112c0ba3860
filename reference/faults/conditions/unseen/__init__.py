"""Faults of forms of requests, values, counts and orders that clients seldom use."""
