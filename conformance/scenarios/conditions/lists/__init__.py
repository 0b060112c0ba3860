"""The laws of lists: repositories with a number of tags and referrers, listed in pages."""
