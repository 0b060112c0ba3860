"""A fixed sequence of requests to a registry in this process, and what it answered.

Everything that a fault or a variant is about has to show in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reference.messages import Application, Message

IMAGE = "application/vnd.oci.image.manifest.v1+json"
TAR = "application/vnd.oci.image.layer.v1.tar"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def digest(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


Normal = tuple[int, list[tuple[str, str]], bytes]


class Differs(Exception):
    """An answer is not the one that was expected."""


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def normal(self) -> Normal:
        """Without what differs between two runs anyway."""
        body = _UUID.sub("UUID", self.body.decode("latin-1")).encode("latin-1") if len(self.body) < 1000 else self.body
        return self.status, sorted((key.lower(), _UUID.sub("UUID", value)) for key, value in self.headers), body


def _scope(method: str, path: str, query: str, headers: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "scheme": "http",
        "headers": [(key.encode(), value.encode()) for key, value in headers],
    }


@dataclass
class Connection:
    """A request on its way in, with the server's state that a fault needs to hang up."""

    incoming: list[Message]
    disconnected: bool = False

    @property
    def transport(self) -> Connection:
        """The connection."""
        return self

    def close(self) -> None:
        """There is nothing to close."""

    async def receive(self) -> Message:
        """Give the next part of the body."""
        return self.incoming.pop(0) if self.incoming else {"type": "http.disconnect"}


@dataclass
class Client:
    application: Application
    expected: list[Normal] | None = None
    answers: list[Answer] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        cut: bool = False,
        fields: tuple[tuple[str, str], ...] = (),
        **headers: str,
    ) -> Answer:
        raw, _, query = path.partition("?")
        given = [
            ("host", "registry.test"),
            *((key.replace("_", "-"), value) for key, value in headers.items()),
            *fields,
        ]
        if body or method in ("POST", "PUT", "PATCH"):
            given.append(("content-length", str(len(body) + (10 if cut else 0))))
        scope = _scope(method, raw, query, given)
        connection = Connection([{"type": "http.request", "body": body, "more_body": cut}])
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await self.application(scope, connection.receive, send)
        if not sent:
            answer = Answer(0, [], b"")
        else:
            pairs = [(key.decode(), value.decode("latin-1")) for key, value in sent[0]["headers"]]
            answer = Answer(sent[0]["status"], pairs, b"".join(message.get("body", b"") for message in sent[1:]))
        self.answers.append(answer)
        if self.expected is not None and answer.normal() != self.expected[len(self.answers) - 1]:
            raise Differs
        return answer

    async def start(self, name: str, query: str = "") -> str:
        answer = await self.call("POST", f"/v2/{name}/blobs/uploads/{query}")
        return answer.get("location").removeprefix("http://registry.test") or "/v2/none/blobs/uploads/none"

    async def blob(self, name: str, content: bytes, algorithm: str = "sha256", claimed: str = "") -> Answer:
        location = await self.start(name)
        return await self.put(location, claimed or digest(content, algorithm), content)

    async def put(self, location: str, claimed: str, body: bytes = b"", content_range: str = "") -> Answer:
        joined = "&" if "?" in location else "?"
        fields = (("content-range", content_range),) if content_range else ()
        return await self.call("PUT", f"{location}{joined}digest={claimed}", body, fields=fields)

    async def chunk(self, location: str, first: int, body: bytes, last: int | None = None) -> Answer:
        end = first + len(body) - 1 if last is None else last
        return await self.call("PATCH", location, body, content_range=f"{first}-{end}")

    async def manifest(
        self, name: str, reference: str, body: bytes, media_type: str = IMAGE, query: str = ""
    ) -> Answer:
        return await self.call("PUT", f"/v2/{name}/manifests/{reference}{query}", body, content_type=media_type)


#: A configuration with its storage in a directory.
DISK = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}\n"
CONFIG = b"{}"
LAYER = b"layer\r\n\x00\xff" * 20
LARGE = bytes(range(256)) * 400


def descriptor(
    content: bytes, media_type: str = "application/vnd.oci.image.layer.v1.tar", **more: Any
) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content), **more}


def image(**more: Any) -> bytes:
    config_type = more.pop("config_type", "application/vnd.oci.image.config.v1+json")
    layers = more.pop("layers", [descriptor(LAYER)])
    config = more.pop("config", descriptor(CONFIG, config_type))
    members = {"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers, **more}
    return json.dumps(members, indent=3).encode() + b"\n"


def index(*manifests: bytes, **more: Any) -> bytes:
    entries = [descriptor(manifest, IMAGE) for manifest in manifests]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, **more}, indent=1).encode()


@cache
def padded(size: int) -> bytes:
    return image(annotations={"pad": "x" * size})


async def _base(c: Client) -> None:
    for method in ("GET", "HEAD", "POST"):
        await c.call(method, "/v2/")
    for name in ("Upper/x", "a..b", "-a", "n" * 256, "a//b"):
        await c.call("POST", f"/v2/{name}/blobs/uploads/")
        await c.call("GET", f"/v2/{name}/manifests/x")
    await c.call("POST", "/v2/a/manifests/x")
    await c.call("DELETE", "/v2/a/tags/list")
    await c.call("GET", "/v2/none/manifests/x")
    await c.call("GET", f"/v2/none/blobs/{digest(b'x')}")


async def _uploads(c: Client) -> None:
    await c.blob("a", LAYER)
    await c.blob("a", LAYER)
    await c.blob("a", CONFIG)
    await c.blob("a", LARGE)
    await c.blob("a", b"")
    await c.blob("a", b"\x1f\x8bgzip")
    await c.blob("b", CONFIG)
    await c.blob("a", b"wrong", claimed=digest(b"other"))
    await c.call("HEAD", f"/v2/a/blobs/{digest(b'wrong')}")
    await c.blob("a", b"wide", "sha512")
    await c.blob("a", b"wrong", claimed=digest(b"other", "sha512"))
    await c.call("PUT", await c.start("a"), b"none")
    await c.put(await c.start("a"), "sha256:short", b"x")
    await c.start("a", "?digest-algorithm=sha512")
    await c.call("PUT", f"{await c.start('a')}?digest={digest(b'cut off')}", b"cut", cut=True)
    await c.put(f"{await c.start('a')}?digest={digest(b'named')}", digest(b"named otherwise"), b"named")
    await c.call("HEAD", f"/v2/a/blobs/{digest(b'cut')}")
    for query, body in (
        (f"?digest={digest(b'single')}", b"single"),
        (f"?digest={digest(b'other')}", b"single2"),
        (f"?mount={digest(LAYER)}&from=a", b""),
        (f"?mount={digest(b'absent')}&from=a", b""),
        (f"?mount={digest(LARGE)}", b""),
    ):
        await c.call("POST", f"/v2/m/blobs/uploads/{query}", body)
    await c.call("GET", f"/v2/m/blobs/{digest(b'single')}")
    await c.call("GET", f"/v2/m/blobs/{digest(LAYER)}")
    failed = await c.start("m", f"?mount={digest(b'absent')}&from=a")
    await c.put(failed, digest(b"absent"), b"absent")


async def _sessions(c: Client) -> None:
    location = await c.start("a")
    await c.call("GET", location)
    location = (await c.chunk(location, 0, b"first ")).get("location") or location
    await c.chunk(location, 20, b"gap")
    await c.chunk(location, 2, b"overlap")
    await c.chunk(location, 0, b"first ")
    location = (await c.call("GET", location)).get("location") or location
    location = (await c.chunk(location, 6, b"second ")).get("location") or location
    await c.chunk(location, 13, b"short", 99)
    await c.call("PATCH", location, b"malformed", content_range="x")
    await c.call("GET", location.replace("/a/", "/b/"))
    location = (await c.call("GET", location)).get("location") or location
    await c.put(location, digest(b"first second last"), b"last", content_range="13-16")
    await c.call("GET", location)
    await c.put(location, digest(b"first second last"))
    for claimed, start in ((digest(b"onetwo"), "3-5"), (digest(b"two"), "3-5"), (digest(b"onetwo"), "9-11")):
        location = (await c.chunk(await c.start("a"), 0, b"one")).get("location") or location
        await c.call("HEAD", f"/v2/a/blobs/{digest(b'one')}")
        await c.put(location, claimed, b"two", content_range=start)
    location = await c.start("a")
    await c.call("PATCH", location, b"streamed")
    location = (await c.chunk(await c.start("a"), 0, b"cancelled")).get("location") or location
    for method in ("DELETE", "GET", "DELETE"):
        await c.call(method, location)
    await c.call("HEAD", f"/v2/a/blobs/{digest(b'cancelled')}")


async def _pulls(c: Client) -> None:
    large, etag = f"/v2/a/blobs/{digest(LARGE)}", f'"{digest(LARGE)}"'
    for content in (LAYER, LARGE, b"", b"\x1f\x8bgzip", b"never"):
        for method in ("HEAD", "GET"):
            await c.call(method, f"/v2/a/blobs/{digest(content)}")
            await c.call(method, f"/v2/b/blobs/{digest(content)}")
            await c.call(method, f"/v2/a/blobs/{digest(content)}", if_none_match='"other"')
    await c.call("GET", large, if_none_match=etag)
    await c.call("GET", "/v2/a/blobs/sha256:abc")
    for wanted in ("3-17", "102390-", "-10", "102300-999999", "102400-", "5-2", "x", "0-3,10-13", "0-3,4-9"):
        await c.call("GET", large, range=f"bytes={wanted}")
    await c.call("HEAD", large, range="bytes=0-0")
    await c.call("GET", large, range="bytes=0-3", if_range='"other"')


async def _pushes(c: Client) -> None:
    plain, noted = image(), image(annotations={"k": "v"}, layers=[descriptor(LAYER, data="AA==")])
    docker = json.dumps(
        {"schemaVersion": 2, "mediaType": DOCKER, "config": descriptor(CONFIG), "layers": [descriptor(LAYER)]}
    ).encode()
    await c.manifest("a", "v1", plain)
    await c.manifest("a", "v1", noted)
    await c.manifest("a", "v1", noted)
    await c.manifest("a", "V1", plain)
    await c.manifest("a", digest(plain), plain, query="?tag=q1&tag=q2")
    await c.manifest("a", digest(plain, "sha512"), plain)
    await c.manifest("a", "docker", docker, DOCKER)
    await c.manifest("a", "types", image(config_type="application/vnd.x+json", layers=[descriptor(LAYER, "x/y")]))
    await c.manifest("a", "charset", plain, f"{IMAGE}; charset=utf-8")
    await c.manifest("a", digest(b"other"), plain)
    await c.manifest("a", ".bad", plain)
    await c.manifest("a", "malformed", b"{")
    await c.manifest("a", "empty", image(layers=[]))
    missing = image(layers=[descriptor(b"gone1"), descriptor(b"gone2")])
    await c.manifest("a", "missing", missing)
    await c.call("GET", f"/v2/a/manifests/{digest(missing)}")
    await c.manifest("a", "big", padded(3_900_000))
    await c.manifest("a", "huge", padded(4_300_000))
    await c.manifest("a", "index", index(plain, noted), INDEX)
    await c.manifest("below/a", digest(index()), index(), INDEX)
    await c.manifest("a/below", "other", index(), INDEX)
    for mark in ("1", "2"):
        await c.manifest("a", "moved", image(annotations={"move": mark}))
    await c.call("GET", f"/v2/a/manifests/{digest(image(annotations={'move': '1'}))}")
    await c.manifest("b", "only-b", image(layers=[], annotations={"only": "b"}))


async def _manifests(c: Client) -> None:
    plain, only = image(), image(layers=[], annotations={"only": "b"})
    for reference in ("v1", "V1", digest(plain), "index", "unknown", digest(only), "only-b", "sha256:abc", ".bad"):
        for method in ("GET", "HEAD"):
            await c.call(method, f"/v2/a/manifests/{reference}", accept=f"{INDEX}, {IMAGE}")
            await c.call(method, f"/v2/a/manifests/{reference}", if_none_match='"other"')
    await c.call("GET", f"/v2/a/manifests/{digest(LAYER)}")
    for accept in (IMAGE, f"{IMAGE};q=0.9", f"x/y, {IMAGE}", INDEX, "*/*"):
        await c.call("GET", "/v2/a/manifests/v1", accept=accept)
    await c.call("GET", "/v2/a/manifests/v1", fields=(("accept", INDEX), ("accept", IMAGE)))
    tagged = await c.call("GET", "/v2/a/manifests/v1")
    await c.call("GET", "/v2/a/manifests/v1", if_none_match=tagged.get("etag"))
    for _ in range(10):
        await c.call("GET", f"/v2/a/manifests/{digest(plain)}")


async def _lists(c: Client) -> None:
    for query in ("", "?n=2", "?n=100", "?n=0", "?n=x", "?n=2&last=index", "?last=index", "?last=int", "?n=1&last=v1"):
        await c.call("GET", f"/v2/a/tags/list{query}")
        await c.call("GET", f"/v2/_catalog{query}")
    await c.call("GET", "/v2/none/tags/list")
    await c.call("GET", "/v2/m/tags/list")
    await c.call("GET", "/v2/below/a/tags/list")
    await c.call("GET", "/v2/_oci/ext/discover")


async def _referrers(c: Client) -> None:
    subject = image()
    about = descriptor(subject, IMAGE)
    absent = descriptor(b"absent subject", IMAGE)
    typed = image(subject=about, artifactType="application/vnd.sig", config_type="application/vnd.c+json")
    untyped = image(subject=about, config_type="application/vnd.c+json", annotations={"a": "b"})
    indexed = index(subject=about)
    of_untyped = image(subject=descriptor(untyped, IMAGE), artifactType="application/vnd.deep")
    for body in (typed, untyped, of_untyped, image(subject=absent, artifactType="application/vnd.sig")):
        await c.manifest("a", digest(body), body)
    await c.manifest("a", digest(indexed), indexed, INDEX)
    elsewhere = image(subject=about, layers=[], artifactType="application/vnd.elsewhere")
    await c.manifest("b", digest(elsewhere), elsewhere)
    for reference in (digest(subject), digest(b"absent subject"), digest(b"nothing"), "sha256:abc"):
        for query in ("", "?artifactType=application/vnd.sig", "?artifactType=application/vnd.c%2Bjson"):
            await c.call("GET", f"/v2/a/referrers/{reference}{query}")
    await c.call("GET", f"/v2/none/referrers/{digest(subject)}")
    await c.call("DELETE", f"/v2/a/manifests/{digest(typed)}")
    await c.call("GET", f"/v2/a/referrers/{digest(subject)}")
    await c.call("DELETE", f"/v2/a/manifests/{digest(subject)}")
    await c.call("GET", f"/v2/a/referrers/{digest(subject)}")


async def _deletions(c: Client) -> None:
    one, two = image(annotations={"n": "1"}), image(annotations={"n": "2"})
    for name in ("d", "e"):
        for content in (CONFIG, LAYER):
            await c.blob(name, content)
        await c.manifest(name, "one", one)
        await c.manifest(name, "uno", one)
        await c.manifest(name, "two", two)
    for path in ("manifests/uno", "manifests/uno", f"manifests/{digest(one)}", "manifests/sha256:abc"):
        await c.call("DELETE", f"/v2/d/{path}")
        for reference in ("one", "uno", "two", digest(one)):
            await c.call("GET", f"/v2/d/manifests/{reference}")
            await c.call("HEAD", f"/v2/d/manifests/{reference}")
        await c.call("GET", "/v2/d/tags/list")
        await c.call("GET", f"/v2/e/manifests/{digest(one)}")
        await c.call("GET", f"/v2/d/blobs/{digest(LAYER)}")
    await c.manifest("d", "one", one)
    await c.call("GET", "/v2/d/manifests/one")
    await c.call("DELETE", f"/v2/d/manifests/{digest(b'unknown')}")
    await c.call("DELETE", f"/v2/none/manifests/{digest(b'unknown')}")
    for _ in range(2):
        await c.call("DELETE", f"/v2/d/blobs/{digest(LAYER)}")
        for method in ("GET", "HEAD"):
            await c.call(method, f"/v2/d/blobs/{digest(LAYER)}")
            await c.call(method, f"/v2/e/blobs/{digest(LAYER)}")
    await c.blob("d", LAYER)
    await c.call("GET", f"/v2/d/blobs/{digest(LAYER)}")
    await c.call("GET", "/v2/")


STEPS = (_base, _uploads, _sessions, _pulls, _pushes, _manifests, _lists, _referrers, _deletions)


def transcript(application: Application) -> list[Answer]:
    """Every answer of the sequence."""
    client = Client(application)
    asyncio.run(_run(client))
    return client.answers


def differs(application: Application, expected: list[Normal]) -> bool:
    """Whether some answer is not the one that was expected; the sequence ends there."""
    try:
        asyncio.run(_run(Client(application, expected)))
    except Differs:
        return True
    return False


async def _run(client: Client) -> None:
    for step in STEPS:
        await step(client)
