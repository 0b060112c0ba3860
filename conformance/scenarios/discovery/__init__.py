"""Discovery: the lists of tags, repositories and referrers."""
