"""Faults at what the suite does not look at: routes that a law passes by, forms of requests, orders, leniencies."""
