"""Events in the form of the original registry, and the envelope that they are sent in."""

from __future__ import annotations

import datetime
import json
import socket
import uuid
from typing import Any

from reference.messages import Notice, Request
from reference.resources import url

#: One event, as a JSON object.
Event = dict[str, Any]
MEDIA_TYPE = "application/vnd.docker.distribution.events.v2+json"
_DESCRIPTOR = ("mediaType", "size", "digest", "urls", "annotations", "platform")


class Events:
    """Makes events of answered requests; ``references`` adds to a manifest's what it names."""

    def __init__(self, address: str, host: str = "", references: bool = False) -> None:
        port = address.rpartition(":")[2]
        self.source = {"addr": f"{socket.gethostname()}:{port}", "instanceID": str(uuid.uuid4())}
        self.host = host
        self.references = references

    def make(self, request: Request, notice: Notice) -> Event:
        """The event of one thing that a request did."""
        return {
            "id": str(uuid.uuid4()),
            "timestamp": self.now(),
            "action": notice.action,
            "target": self.target(request, notice),
            "request": self.request(request),
            "actor": self.actor(request),
            "source": self.source,
        }

    def now(self) -> str:
        """The present time in the form of RFC 3339."""
        return datetime.datetime.now(tz=datetime.UTC).isoformat().replace("+00:00", "Z")

    def target(self, request: Request, notice: Notice) -> Event:
        """What it happened to; of a deletion the digest (or the tag) and the repository alone."""
        target: Event = {"mediaType": notice.media_type} if notice.media_type else {}
        if notice.size is not None:
            target |= {"size": notice.size, "length": notice.size}
        target |= {"digest": notice.digest} if notice.digest else {}
        target["repository"] = request.name
        if notice.source:
            target["fromRepository"] = notice.source
        if notice.kind:
            target["url"] = self.url(request, notice)
        if notice.tag:
            target["tag"] = notice.tag
        if self.references and notice.content:
            target["references"] = references(notice.content)
        return target

    def url(self, request: Request, notice: Notice) -> str:
        """Where the content is pulled from."""
        host = self.host or f"{request.scheme}://{request.headers.get('host')}"
        return url(host, f"/v2/{request.name}/{notice.kind}/{notice.digest}")

    def request(self, request: Request) -> Event:
        """The request behind an event."""
        return {
            "id": request.id,
            "addr": request.address,
            "host": request.headers.get("host"),
            "method": request.method,
            "useragent": request.headers.get("user-agent"),
        }

    def actor(self, request: Request) -> Event:
        """Who made the request: the name of the login, where there was one."""
        return {"name": request.user} if request.user else {}


def references(content: bytes) -> list[Event]:
    """The descriptors in a stored manifest."""
    members = json.loads(content)
    found = [members.get("config"), *(members.get("layers") or []), *(members.get("manifests") or [])]
    return [{key: part[key] for key in _DESCRIPTOR if key in part} for part in found if isinstance(part, dict)]


def envelope(events: list[Event]) -> bytes:
    """The body of a notification."""
    return json.dumps({"events": events}, indent=3).encode()
