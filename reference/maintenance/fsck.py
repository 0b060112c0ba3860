"""The proof, from the files alone, that a storage in a directory is whole; and its repair."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from reference.maintenance.findings import Findings
from reference.maintenance.repositories import check_repository
from reference.maintenance.stored import Stored
from reference.storage import StorageError
from reference.storage.files import RootLock
from reference.storage.layout import BLOBS, MANIFESTS, VERSION, Layout, is_identifier, listed

_SESSION_HASH = 32


def check(root: Path, *, repair: bool = False, partial_images: bool = False) -> Findings[Layout]:
    """Look at everything below a root that nobody uses; what can be repaired is, where that is wanted.

    Content that went bad is replaced by a good copy where a repository holds one, and else moved to ``quarantine``.
    Nothing else is removed but what leads to nothing. With ``partial_images`` manifests may lack parts, as in a cache.

    Raises:
        OSError: the root cannot be read, or not be written to in a repair.
        StorageError: it is none, or another process uses it.
    """
    at = Layout(root)
    at.refuse_others()
    if not at.blobs.is_dir() or not at.repositories.is_dir():
        raise StorageError(f"{root}: there is no storage of this registry")
    lock = RootLock(root)
    findings = Findings(at, repair)
    try:
        stored = Stored(findings)
        stored.check_content()
        _check_folders(findings)
        names = sorted(at.names())
        for name in names:
            stored.check_held(name)
        stored.finish()
        for name in names:
            check_repository(findings, name, partial_images=partial_images)
        findings.count("repositories", len(names))
        _check_uploads(findings)
        _check_version(findings)
        findings.syncer.flush()
    finally:
        lock.release()
    return findings


def _check_folders(findings: Findings[Layout]) -> None:
    for directory, children, files in os.walk(findings.at.repositories):
        own = [child for child in children if child.startswith("_")]
        strange = files if {BLOBS, MANIFESTS}.intersection(own) else [*files, *own]
        for name in sorted(strange):
            where = Path(directory, name).relative_to(findings.at.root).as_posix()
            findings.tell(where, "is nothing of the registry")
        children[:] = sorted(set(children).difference(own))


def _check_uploads(findings: Findings[Layout]) -> None:
    for name in sorted(listed(findings.at.uploads)):
        identifier, _, hashed = name.partition(".")
        if is_identifier(identifier) and len(hashed) == _SESSION_HASH:
            findings.count("open uploads")
        else:
            path = findings.at.uploads / name
            findings.tell(f"uploads/{name}", "is no open upload", "removed", path.unlink)


def _check_version(findings: Findings[Layout]) -> None:
    version = findings.at.version
    if not version.is_file():
        # What it lacks was told, and with a repair made, tag by tag.
        findings.tell("layout", "is missing", "written", partial(findings.tree.write, version, VERSION.encode()))
