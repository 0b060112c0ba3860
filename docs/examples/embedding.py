"""The registry in a program: as a server in a thread, and as a part of another ASGI application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from reference import Registry


def what_is_there(folder: Path) -> list[str]:
    """Push to a registry whose content is in a folder, and ask another one for it."""
    digest = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    with Registry(folder, variants="location-absolute") as registry, registry.serve() as running:
        started = requests.post(f"{running.url}/v2/team/app/blobs/uploads/", timeout=5)
        requests.put(f"{started.headers['Location']}?digest={digest}", data=b"a", timeout=5).raise_for_status()
    with Registry(folder, read_only=True) as registry, registry.serve() as running:
        names: list[str] = requests.get(f"{running.url}/v2/_catalog", timeout=5).json()["repositories"]
        return names


registry = Registry(users={"me": "secret"})


async def application(scope: Any, receive: Any, send: Any) -> None:
    """An application that has the registry below /registry, for any ASGI server."""
    if scope["type"] == "lifespan" or scope["path"].startswith("/registry/"):
        await registry({**scope, "root_path": "/registry"}, receive, send)
        return
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body"})
