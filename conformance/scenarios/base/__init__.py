"""The version check, methods, errors, and the grammars of names, tags and digests."""
