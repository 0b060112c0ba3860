"""Certificates that sigstore signs, with services of our own in the place of the public ones."""
