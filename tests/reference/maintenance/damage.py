"""What the trials of both layouts share: images to be damaged, pushes after a repair, and deaths at any step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from reference.app import Registry
from reference.storage import Storage
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from tests.reference.probe import CONFIG, LAYER, Client, descriptor, digest, image, index
from tests.reference.storage import test_crashes as crashes
from tests.support.killed import Killed, failing_after

PLAIN = image()
ABOUT = image(subject=descriptor(PLAIN, "a/b"), artifactType="a/sig")
LIST = index(PLAIN)
NAMES = ("a", "b/c")

S = TypeVar("S", FilesystemStorage, DistributionStorage)


async def push_images(client: Client) -> None:
    """Push the same images to two repositories, and begin an upload."""
    for name in NAMES:
        for content in (CONFIG, LAYER):
            await client.blob(name, content)
        for reference, body in (("v1", PLAIN), ("v2", PLAIN), (digest(ABOUT), ABOUT), ("list", LIST)):
            media_type = "index" if body is LIST else "manifest"
            answer = await client.manifest(name, reference, body, f"application/vnd.oci.image.{media_type}.v1+json")
            assert answer.status == 201
    await client.start("a")


def push_layer_again(storage: Storage) -> None:
    """Push the layer, which is gone, to each repository."""

    async def push() -> None:
        client = Client(Registry(storage))
        for name in NAMES:
            assert (await client.call("GET", f"/v2/{name}/blobs/{digest(LAYER)}")).status == 404
            assert (await client.blob(name, LAYER)).status == 201
        storage.close()

    asyncio.run(push())


def die_at_each_step(
    folder: Path, make: Callable[[Path, str], S], work: Callable[[S], None], told: Callable[..., list[str]]
) -> None:
    """Have a work die at each of its steps; what it leaves is mended, and nothing is put apart."""
    for steps in range(crashes.MANY):
        root = folder / str(steps)
        storage = make(root, "never")
        try:
            with failing_after(steps):
                work(storage)
            break
        except Killed:
            storage.close()
        assert not [line for line in told(root, repair=True) if "quarantine" in line]
        # The manifests of these works name nothing, and lead to nothing.
        assert told(root) == []


def spoil(path: Path, content: bytes) -> None:
    """Write content with another last byte."""
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
