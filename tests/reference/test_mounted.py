"""The registry as a part of another application, and manifests that other registries refuse."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from reference.app import Options, Registry
from reference.grammar import digest_of
from reference.messages import Message, Receive, Scope, Send
from reference.storage.memory import MemoryStorage
from tests.reference.probe import CONFIG, DOCKER, IMAGE, LAYER, Client, image

ROOT = "/registry"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


@pytest.mark.parametrize("host", ["", "https://registry.example"])
def test_a_registry_below_a_path_answers_there(host: str) -> None:
    registry = Registry(MemoryStorage(), Options(host=host))

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await registry({**scope, "root_path": ROOT}, receive, send)

    client = Client(mounted)

    async def check() -> None:
        assert (await client.call("GET", f"{ROOT}/v2/")).status == 200
        started = await client.call("POST", f"{ROOT}/v2/a/blobs/uploads/")
        assert started.get("location").startswith(f"{host}{ROOT}/v2/a/blobs/uploads/")
        for content in (CONFIG, LAYER):
            location = (await client.call("POST", f"{ROOT}/v2/a/blobs/uploads/")).get("location").removeprefix(host)
            assert (await client.put(location, digest_of(content), content)).status == 201
        for tag in ("a", "b"):
            assert (await client.call("PUT", f"{ROOT}/v2/a/manifests/{tag}", image(), content_type=IMAGE)).status == 201
        assert f"<{ROOT}/v2/a/tags/list" in (await client.call("GET", f"{ROOT}/v2/a/tags/list?n=1")).get("link")

    asyncio.run(check())


def test_the_end_and_the_start_of_a_server_are_answered() -> None:
    told = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Message] = []

    async def receive() -> Any:
        return told.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Registry(MemoryStorage())({"type": "lifespan"}, receive, send))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("media_type", [DOCKER, LIST])
def test_a_manifest_of_docker_says_its_type(media_type: str) -> None:
    client = Client(Registry(MemoryStorage()))

    async def check() -> None:
        for content in (CONFIG, LAYER):
            await client.blob("a", content)
        members = json.loads(image())
        if media_type == LIST:
            members = {"schemaVersion": 2, "manifests": []}
        for told, status in ((None, 400), (media_type, 201)):
            members["mediaType"] = told
            if told is None:
                del members["mediaType"]
            answer = await client.manifest("a", "v1", json.dumps(members).encode(), media_type)
            assert answer.status == status

    asyncio.run(check())
