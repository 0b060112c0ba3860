"""Tests of the client: what it sends, what it makes of answers, and when it gives up."""
