"""Faults of what is offered and false: headers, locations and contents that are there and lie."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, on, override, set_header, wrap

_UUID = "Docker-Upload-UUID"
_OTHER = digest_of(b"what was there before")
_WORDS = frozenset({"blobs", "manifests", "tags", "uploads"})


def _mount_of_anything(registry: Registry) -> None:
    """Answer a mount 201 where the blob is nowhere."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            digest = request.query.get("mount") or ""
            source = request.query.get("from") or request.name
            if response.status != 202 or "!" in digest or registry.blobs.find(source, digest):
                return response
            return Response(
                201, [("Location", f"/v2/{request.name}/blobs/{digest}"), ("Docker-Content-Digest", digest)]
            )

        return changed

    wrap(registry, ["upload.mount"], around)


def _lost_in(words: frozenset[str]) -> Apply:
    """Lose what is pushed to repositories whose names have some words."""

    def changed(request: Request, response: Response) -> Response | None:
        return Response(404) if response.status == 200 and words & {*request.name.split("/")} else None

    return on("blob.get", "blob.head", change=changed)


def _tag_lost(request: Request, response: Response) -> Response | None:
    return Response(404) if response.status == 200 and request.reference.startswith("_") else None


def _lost_when_pushed_again(registry: Registry) -> None:
    """A reference that took the same manifest twice leads nowhere."""
    pushed: dict[tuple[str, str], list[str]] = {}

    def changed(request: Request, response: Response) -> Response | None:
        where = pushed.setdefault((request.name, request.reference), [])
        if request.method == "PUT" and response.status == 201:
            where.append(response.headers.get("Docker-Content-Digest"))
        twice = len(where) > 1 and where[-1] == where[-2]
        return Response(404) if request.method == "GET" and twice else None

    on("manifest.put", "manifest.get", change=changed)(registry)


def _uuid_shared(_request: Request, response: Response) -> None:
    if _UUID in response.headers:
        response.headers.set(_UUID, "11111111-2222-3333-4444-555555555555")


def _ns_refused(request: Request, _response: Response) -> Response | None:
    return Response(400) if request.query.get("ns") is not None else None


def _large_n_refused(request: Request, _response: Response) -> Response | None:
    n = request.query.get("n") or ""
    return Response(400) if n.isdecimal() and int(n) > 1000 else None


def _unordered_without_n(request: Request, response: Response) -> Response | None:
    if request.query.get("n") is not None or response.status != 200:
        return None
    document = json.loads(response.body)
    return Response.json({**document, "tags": document["tags"][::-1]})


def _other_algorithm(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        body = await request.body(1 << 26) or b""
        override(request, body=_given(body))
        response = await put(request)
        if response.status == 201 and request.reference.startswith("sha256:"):
            response.headers.set("Docker-Content-Digest", digest_of(body, "sha512"))
        return response

    registry.handlers["manifest.put"] = changed


def _given(body: bytes) -> Callable[[int], Awaitable[bytes | None]]:
    async def read(limit: int) -> bytes | None:
        return body if len(body) <= limit else None

    return read


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


FAULTS = (
    _fault(
        "fresh-upload-with-progress",
        "The Range of an upload that has received nothing tells of a hundred bytes.",
        "PUSH-SESSION-FRESH-RANGE-TRUE",
        apply=on("upload.start", status=202, change=set_header("Range", "0-99")),
    ),
    _fault(
        "upload-uuid-shared",
        "Every upload has the same Docker-Upload-UUID.",
        "PUSH-UPLOAD-UUID-TRUE",
        apply=answers(change=_uuid_shared),
    ),
    _fault(
        "upload-uuid-changes",
        "A chunk is answered with another Docker-Upload-UUID than its upload.",
        "PUSH-UPLOAD-UUID-TRUE",
        apply=answers("upload.patch", status=202, change=_uuid_shared),
    ),
    _fault(
        "patch-416-without-range",
        "416 to a chunk has no Range.",
        "PUSH-PATCH-416-RANGE-PRESENT",
        apply=answers("upload.patch", status=416, change=drop_header("Range")),
    ),
    _fault(
        "patch-416-range-of-refused",
        "The Range of a 416 to a chunk counts what was refused.",
        "PUSH-PATCH-416-RANGE-TRUE",
        apply=answers("upload.patch", status=416, change=set_header("Range", "0-119")),
    ),
    _fault(
        "mount-of-nothing-201",
        "The mount of a blob that is nowhere is answered 201.",
        "PUSH-MOUNT-BLOB-AVAILABLE",
        apply=_mount_of_anything,
    ),
    _fault(
        "mount-without-digest-header",
        "The 201 of a mount has no Docker-Content-Digest.",
        "PUSH-MOUNT-DIGEST-HEADER",
        apply=on("upload.mount", status=201, change=drop_header("Docker-Content-Digest")),
    ),
    _fault(
        "manifest-put-other-algorithm",
        "The 201 of a manifest pushed by sha256 names its sha512.",
        "PUSH-MANIFEST-DIGEST-HEADER-VALUE",
        apply=_other_algorithm,
    ),
    _fault(
        "blob-lost-in-route-words",
        "A blob is accepted and unknown in a repository with a word of the API in its name.",
        "BASE-NAME-ACCEPTED-KEPT",
        apply=_lost_in(_WORDS),
    ),
    _fault(
        "tag-with-leading-underscore-lost",
        "A manifest is accepted and unknown under a tag that begins with an underscore.",
        "BASE-TAG-ACCEPTED-KEPT",
        apply=on("manifest.get", change=_tag_lost),
    ),
    _fault(
        "manifest-lost-when-pushed-again",
        "A manifest that is pushed again by the same reference is unknown by it.",
        "PUSH-MANIFEST-KEPT",
        apply=_lost_when_pushed_again,
    ),
    _fault(
        "version-check-without-version-header",
        "The version check has no version header.",
        "BASE-V2-VERSION-HEADER-200",
        apply=answers(change=drop_header("Docker-Distribution-API-Version")),
    ),
    _fault(
        "delete-blob-other-digest",
        "The 202 of a deleted blob names another one.",
        "MGMT-BLOB-DELETE-DCD-TRUE",
        apply=on("blob.delete", status=202, change=set_header("Docker-Content-Digest", _OTHER)),
    ),
    _fault(
        "ns-refused",
        "A pull with the parameter ns is answered 400.",
        "PULL-PROXY-NS",
        apply=on("blob.get", change=_ns_refused),
    ),
    _fault(
        "tags-n-above-1000-refused",
        "An n above 1,000 is answered 400.",
        "DISC-TAGS-N-LARGE-200",
        apply=on("tags.list", change=_large_n_refused),
    ),
    _fault(
        "tags-reversed-without-n",
        "The list of tags without n is in reverse order.",
        "DISC-TAGS-ORDER-WHOLE",
        apply=on("tags.list", change=_unordered_without_n),
    ),
)
