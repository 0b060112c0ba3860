"""Certificates: an in-toto statement of what a report shows, signed in a DSSE envelope, and its verification."""
