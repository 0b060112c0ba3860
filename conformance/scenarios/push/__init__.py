"""Scenarios of the category push: uploads of blobs and pushes of manifests."""
