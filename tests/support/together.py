"""Which tests run in one process: those of a file that share what takes long to make.

``--dist loadgroup`` of pytest-xdist 3.8 passes its groups on in the ids of tests, where pytest 9.2 does not take them.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

#: By file, below ``tests/``, the name of what its tests share.
SHARED = {
    "command/test_installed.py": "installed",
    "docs/test_site.py": "site",
    "mutation/test_sample.py": "mutation",
    "reference/storage/test_buckets.py": "storage",
    "reference/storage/test_storage.py": "storage",
}


class Together(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Gives each process one test after the other, but those that share something to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return SHARED.get(nodeid.partition("::")[0].removeprefix("tests/"), nodeid)
