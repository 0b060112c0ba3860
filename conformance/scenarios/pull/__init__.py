"""Pulling manifests and blobs: GET and HEAD, negotiation, ranges, caching, consistency."""
