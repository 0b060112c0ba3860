"""Tests of the load; most need no Locust, as threads stand in for its users."""
