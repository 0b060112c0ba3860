"""Faults of requests that are malformed: digests of a wrong length, ranges out of form, chunks of an unknown length."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override, set_header
from reference.storage import Upload

_LENGTH = len("sha256:") + 64


def _any_length(registry: Registry, *operations: str) -> None:
    """Believe sha256 digests of a wrong length: they are looked at as far as both have digits."""
    digests, verified = registry.uploads.digests, registry.uploads.verified

    def changed(request: Request) -> list[str]:
        found = request.query.all("digest")
        short = [d for d in found if re.fullmatch("sha256:[0-9a-f]+", d) and len(d) != _LENGTH]
        return found if short and request.operation in operations else digests(request)

    true: dict[str, str] = {}

    def begins(claimed: str, computed: str) -> bool:
        true[claimed] = computed
        shared = min(len(claimed), len(computed))
        return verified(claimed, computed) or (len(claimed) != _LENGTH and claimed[:shared] == computed[:shared])

    def told(request: Request, response: Response) -> None:
        if (claimed := request.query.get("digest") or "") in true:
            response.headers.set("Docker-Content-Digest", true[claimed])

    override(registry.uploads, digests=changed, verified=begins)
    on(*operations, status=201, change=told)(registry)


def _careless(form: str) -> Apply:
    """Read a Content-Range by a form that is too wide."""

    def apply(registry: Registry) -> None:
        strict, wide = registry.uploads.chunk, re.compile(form)

        def changed(request: Request, upload: Upload) -> tuple[int | None, int | None]:
            match = wide.fullmatch(request.headers.get("content-range").strip())
            return (int(match[1]), None) if match else strict(request, upload)

        override(registry.uploads, chunk=changed)

    return apply


def _kept_of_malformed(registry: Registry) -> None:
    """Receive a chunk before its Content-Range is read."""
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        try:
            return await patch(request)
        except errors.RegistryError as error:
            if error.status == 416 and not re.fullmatch("[0-9]+-[0-9]+", request.headers.get("content-range")):
                await registry.uploads.receive(request, upload)
            raise

    registry.handlers["upload.patch"] = changed


def _kept_of_last(registry: Registry) -> None:
    """Receive a last chunk before its place is looked at."""
    put = registry.handlers["upload.put"]

    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        try:
            return await put(request)
        except errors.RegistryError as error:
            if error.status == 416:
                await registry.uploads.receive(request, upload)
                error.headers = registry.uploads.progress(upload)
            raise

    registry.handlers["upload.put"] = changed


def _order_by_length(registry: Registry) -> None:
    """Look at the place of a chunk only where its length is announced."""
    chunk = registry.uploads.chunk

    def changed(request: Request, upload: Upload) -> tuple[int | None, int | None]:
        known = request.content_length is not None or request.operation != "upload.patch"
        return chunk(request, upload) if known else (None, None)

    override(registry.uploads, chunk=changed)


def _length_required(registry: Registry) -> None:
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        if request.content_length is None:
            raise errors.RegistryError(411)
        return await patch(request)

    registry.handlers["upload.patch"] = changed


def _shorter_range(registry: Registry) -> None:
    def changed(expected: int | None, received: int | None) -> None:
        if expected is not None and received is not None and expected > received:
            raise errors.size_invalid(expected, received)

    async def anyhow(_upload: Upload, _mark: object, _length: int | None) -> None:
        """Nothing is compared with what came."""

    override(registry.uploads, check_length=changed, check_received=anyhow)


def _bound_to_mount(registry: Registry) -> None:
    """An upload that a mount opened takes the blob of the mount alone."""
    mount, digests = registry.handlers["upload.mount"], registry.uploads.digests
    bound: dict[str, str] = {}

    async def changed(request: Request) -> Response:
        response = await mount(request)
        if response.status == 202:
            bound[response.headers.get("Docker-Upload-UUID")] = request.query.get("mount") or ""
        return response

    def expected(request: Request) -> list[str]:
        found = digests(request)
        if bound.get(request.reference, found[0]) != found[0]:
            raise errors.RegistryError(500)
        return found

    registry.handlers["upload.mount"] = changed
    override(registry.uploads, digests=expected)


FAULTS = (
    Fault(
        name="put-digest-of-any-length",
        title="A closing PUT takes a digest of another length for true as far as it goes.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        apply=lambda registry: _any_length(registry, "upload.put"),
    ),
    Fault(
        name="single-digest-of-any-length",
        title="A single POST takes a digest of another length for true as far as it goes.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        apply=lambda registry: _any_length(registry, "upload.start-digest"),
    ),
    Fault(
        name="chunk-range-with-more-behind",
        title="A Content-Range is read up to its second number, whatever follows.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"(\d+)-\d+-.*"),
    ),
    Fault(
        name="chunk-range-without-end",
        title="A Content-Range needs no end.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"(\d+)-"),
    ),
    Fault(
        name="chunk-range-with-a-sign",
        title="The start of a Content-Range may have a plus sign.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"\+(\d+)-\d+"),
    ),
    Fault(
        name="chunk-range-with-letters",
        title="The end of a Content-Range may be any word.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"(\d+)-[a-z]+"),
    ),
    Fault(
        name="chunk-of-malformed-range-kept",
        title="A chunk with a malformed Content-Range is answered 416, and stays in the upload.",
        breaks=("PUSH-PATCH-416-STATE-UNCHANGED",),
        apply=_kept_of_malformed,
    ),
    Fault(
        name="last-chunk-out-of-order-kept",
        title="A last chunk that a closing PUT was refused for stays in the upload.",
        breaks=("PUSH-PUT-OUT-OF-ORDER-NO-EFFECT",),
        apply=_kept_of_last,
    ),
    Fault(
        name="chunk-order-by-content-length",
        title="The place of a chunk in chunked coding is not looked at.",
        breaks=("PUSH-PATCH-OUT-OF-ORDER-CHUNKED",),
        apply=_order_by_length,
    ),
    Fault(
        name="patch-needs-content-length",
        title="A PATCH in chunked coding is answered 411.",
        breaks=("PUSH-PATCH-STREAM-CHUNKED",),
        apply=_length_required,
    ),
    Fault(
        name="chunk-longer-than-its-range",
        title="A chunk may be longer than its Content-Range says.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-LENGTH-MISMATCH",),
        apply=_shorter_range,
    ),
    Fault(
        name="start-range-below-zero",
        title="The Range of an upload without data counts down to -1.",
        breaks=("PUSH-START-RANGE-FORM",),
        apply=on("upload.start", status=202, change=set_header("Range", "0--1")),
    ),
    Fault(
        name="mount-binds-its-upload",
        title="An upload that a mount opened fails for any other blob.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        apply=_bound_to_mount,
    ),
)
