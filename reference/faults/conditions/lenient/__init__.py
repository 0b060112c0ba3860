"""Faults behind what a client forgives: probes, overloads, absent headers, and requests that are seldom made."""
