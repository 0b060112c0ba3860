"""Tags that a careless registry takes for something else."""

from __future__ import annotations

#: Words with which paths of the interface begin or end, and a tag that is often treated as another.
WORDS = ("latest", "tags", "list", "manifests", "blobs", "uploads", "referrers", "_catalog", "v2", "sha256")
#: What a format of data, or a language, takes for a number, a date, a truth value, or nothing.
VALUES = (
    *("1.10", "1.10.0", "v1.10", "1.2.0_b3", "007", "007.", "1e5", "2020-01-01"),
    *("true", "yes", "off", "null", "constructor"),
)
