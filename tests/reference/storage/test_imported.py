"""What docker-registry 0.9 stored comes to every storage."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from reference.storage import Storage
from tests.reference.v1.brought import IMAGES, bring, examined, fill


def test_every_storage_gets_it(storage: Storage, tmp_path: Path) -> None:
    old = fill(tmp_path / "registry")
    told = bring(old, storage)
    assert told.warnings == []
    assert told.tags == [image for image, _, _ in sorted(IMAGES)]
    assert told.count == "5 tags imported, 0 unchanged, 0 problems; 0 images that no tag leads to"

    async def content(name: str, digest: str) -> bytes:
        blob = storage.open_blob(name, digest)
        assert blob is not None
        return b"".join([piece async for piece in blob.chunks(0, blob.size)])

    async def pulled() -> None:
        for image, layers, _ in IMAGES:
            name, _, tag = image.partition(":")
            stored = storage.manifest(name, storage.tag(name, tag) or "")
            assert stored is not None
            manifest = json.loads(stored.content)
            digests = [part["digest"] for part in (manifest["config"], *manifest["layers"])]
            found = {digest: await content(name, digest) for digest in digests}
            examined(manifest, found.__getitem__, layers)

    asyncio.run(storage.carried(pulled()))
    again = bring(old, storage)
    assert (again.lines, again.warnings) == ([], [])
    assert again.count == "0 tags imported, 5 unchanged, 0 problems; 0 images that no tag leads to"
