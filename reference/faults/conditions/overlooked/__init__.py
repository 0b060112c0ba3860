"""Faults in forms of requests, in orders and in places that the scenarios once passed over."""
