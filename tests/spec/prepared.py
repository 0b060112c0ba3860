"""The six changes that an author of the specification makes, each on a copy of the real one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from spec.catalogue import ROOT

PULL, PUSH, DISCOVERY, MANAGEMENT = (
    f"requirements/{name}.yaml" for name in ("pull", "push", "discovery", "management")
)
BLOBS = "paths/blobs.yaml"
ETAG = "        ETag: {$ref: ../openapi.yaml#/components/headers/etag}\n"

NEW = """\
- id: PULL-BLOB-GET-ETAG
  statement: A 200 to a blob GET carries an ETag.
  level: {docker-v2: null, oci-1.0: null, oci-1.1: null, oci-1.2-dev: MUST}
  sources:
    - {document: oci-main, section: Pulling blobs}
  operations: [blob.get]
  presumes: [PULL-BLOB-GET-200]

"""
#: For each change the file, the text that it takes the place of, and its own.
CHANGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "raise": (
        (
            PULL,
            "level: {docker-v2: null, oci-1.0: null, oci-1.1: SHOULD, oci-1.2-dev: SHOULD}",
            "level: {docker-v2: null, oci-1.0: null, oci-1.1: SHOULD, oci-1.2-dev: MUST}",
        ),
    ),
    "lower": (
        (
            PUSH,
            "level: {docker-v2: MUST, oci-1.0: MUST, oci-1.1: MUST, oci-1.2-dev: MUST}",
            "level: {docker-v2: MUST, oci-1.0: MUST, oci-1.1: SHOULD, oci-1.2-dev: MUST}",
        ),
    ),
    "null": (
        (
            DISCOVERY,
            "level: {docker-v2: null, oci-1.0: SHOULD, oci-1.1: SHOULD, oci-1.2-dev: null}",
            "level: {docker-v2: null, oci-1.0: SHOULD, oci-1.1: null, oci-1.2-dev: null}",
        ),
    ),
    "new": (
        (PULL, "- id: PULL-BLOB-GET-UNKNOWN-404\n", f"{NEW}- id: PULL-BLOB-GET-UNKNOWN-404\n"),
        (
            BLOBS,
            ETAG,
            "        ETag:\n          description: a validator of the blob\n          required: true\n"
            "          x-requirement: PULL-BLOB-GET-ETAG\n          schema: {type: string}\n",
        ),
    ),
    "status": (
        (
            MANAGEMENT,
            "statement: A successful DELETE of a blob is answered with 202.",
            "statement: A successful DELETE of a blob is answered with 204.",
        ),
        (MANAGEMENT, "statuses: [202]", "statuses: [204]"),
        (BLOBS, '"202":', '"204":'),
    ),
    "schema": (
        (
            "schemas/errors.schema.json",
            '            "required": [\n              "code"\n            ],',
            '            "required": [\n              "code",\n              "detail"\n            ],',
        ),
    ),
}
#: Where a text stands more than once: the id behind which it is meant.
BEHIND = {"raise": "PULL-ACCEPT-CASE", "lower": "PUSH-PATCH-OUT-OF-ORDER-GAP-416", "null": "DISC-TAGS-ORDER-MIXED-CASE"}


def tree(folder: Path, changes: Iterable[str] = ()) -> Path:
    """Make a copy of the specification with some changes; the folder holds ``spec/``."""
    root = folder / "spec"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name in changes:
        for file, old, new in CHANGES[name]:
            path = root / file
            text = path.read_text(encoding="utf-8")
            behind = f"- id: {BEHIND.get(name, 'MGMT-BLOB-DELETE-202')}\n"
            start = text.index(behind) if file.startswith("requirements/") and name != "new" else 0
            assert old in text[start:], (name, old)
            path.write_text(text[:start] + text[start:].replace(old, new, 1), encoding="utf-8")
    return folder
