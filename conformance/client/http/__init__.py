"""Requests over the wire: connections, limits of time and size, and the record of each exchange."""
