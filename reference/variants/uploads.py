"""Variants of uploads: their Locations, ranges, mounts and single requests."""

from __future__ import annotations

import itertools
from urllib.parse import quote

from reference import errors
from reference.app import Registry
from reference.documents import read
from reference.grammar import is_supported
from reference.messages import Request, Response
from reference.modifications import OCI, Variant, answers, drop_header, on, override, set_header
from reference.storage import Upload

_STATE = "a%2Bb%2Fc%3D%3D"


def _absolute(request: Request, response: Response) -> None:
    location = response.headers.get("Location")
    if location.startswith("/"):
        response.headers.set("Location", f"{request.scheme}://{request.headers.get('host')}{location}")


def _alternating(registry: Registry) -> None:
    turns = itertools.count()

    def change(request: Request, response: Response) -> None:
        if next(turns) % 2:
            _absolute(request, response)

    answers(change=change)(registry)


def _with_state(registry: Registry) -> None:
    """A session is only found with the state of its Location, byte for byte."""
    find = registry.uploads.find
    location = registry.uploads.location

    def changed(request: Request) -> Upload:
        if f"_state={_STATE}" not in request.query.raw.split("&"):
            raise errors.RegistryError(400, (errors.ErrorEntry("BLOB_UPLOAD_INVALID", "the state is missing"),))
        return find(request)

    override(registry.uploads, find=changed, location=lambda upload: f"{location(upload)}?_state={_STATE}")


def _single_use(registry: Registry) -> None:
    """Each answer has a new Location, and the one before is unknown."""
    tokens: dict[str, str] = {}
    newest: dict[str, str] = {}
    find, location = registry.storage.find_upload, registry.uploads.location

    def fresh(upload: Upload) -> str:
        token = f"{upload.identifier}.{len(tokens)}"
        tokens[token] = upload.identifier
        newest[upload.identifier] = token
        return location(upload).replace(upload.identifier, token)

    def changed(name: str, token: str) -> Upload | None:
        identifier = tokens.get(token)
        return find(name, identifier) if identifier is not None and newest[identifier] == token else None

    override(registry.uploads, location=fresh)
    override(registry.storage, find_upload=changed)


def _session_only(registry: Registry) -> None:
    async def start(request: Request) -> Response:
        return registry.uploads.accepted(registry.storage.start_upload(request.name))

    registry.handlers["upload.start-digest"] = start


def _no_mount(registry: Registry) -> None:
    override(registry.uploads, mounted=lambda _source, _name, _digest: False)


def _mount_from_anywhere(registry: Registry) -> None:
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        if source is not None or not is_supported(digest):
            return mounted(source, name, digest)
        return any(mounted(other, name, digest) for other in registry.storage.repositories())

    override(registry.uploads, mounted=changed)


def _bytes_range(registry: Registry) -> None:
    text = registry.uploads.range
    override(registry.uploads, range=lambda size: f"bytes={text(size)}")


def _encoded_location(_request: Request, response: Response) -> None:
    head, slash, digest = response.headers.get("Location").rpartition("/")
    if not slash:
        return
    response.headers.set("Location", f"{head}/{quote(digest, safe='')}")


def _by_tag(request: Request, response: Response) -> None:
    response.headers.set("Location", f"/v2/{request.name}/manifests/{request.reference}")


def _with_body(_request: Request, response: Response) -> None:
    if response.status in (201, 202) and not response.body:
        response.body = b'{"status": "ok"}'
        response.headers.set("Content-Type", "application/json")


def _cancel_unsupported(registry: Registry) -> None:
    async def refuse(_request: Request) -> Response:
        raise errors.unsupported(["GET", "HEAD", "PATCH", "PUT"])

    registry.handlers["upload.delete"] = refuse


def _immutable(registry: Registry) -> None:
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        tagged = registry.storage.tag(request.name, request.reference) if ":" not in request.reference else None
        body = await request.body(registry.manifests.limit) if tagged is not None else None
        if body is not None:
            read(body, request.headers.get("content-type"))
            if registry.manifests.digest(request.reference, body) != tagged:
                raise errors.RegistryError(409, (errors.ErrorEntry("DENIED", "the tag is immutable"),))

            async def again(_limit: int) -> bytes:
                return body

            override(request, body=again)
        return await put(request)

    registry.handlers["manifest.put"] = changed


VARIANTS = (
    Variant(
        name="location-absolute",
        title="Every Location is an absolute URL.",
        latitude=("LOCATION-RELATIVE",),
        apply=answers(change=_absolute),
    ),
    Variant(
        name="location-alternating",
        title="Locations are absolute and relative by turns.",
        latitude=("LOCATION-RELATIVE",),
        apply=_alternating,
    ),
    Variant(
        name="location-with-query",
        title="The Location of a session has a query, every byte of which matters.",
        latitude=("LOCATION-OWN-QUERY",),
        apply=_with_state,
    ),
    Variant(
        name="location-single-use",
        title="Each Location of a session can be used once.",
        latitude=("LOCATION-SINGLE-USE",),
        warns=("PUSH-STATUS-EARLIER-LOCATION",),
        apply=_single_use,
    ),
    Variant(
        name="location-percent-encoded",
        title="The Location of a blob has its colon percent-encoded.",
        latitude=("PERCENT-ENCODED-DIGEST", "CREATED-LOCATION-ANY-PULLABLE-URL"),
        apply=on("upload.put", "upload.start-digest", "upload.mount", status=201, change=_encoded_location),
    ),
    Variant(
        name="location-by-tag",
        title="The Location of a manifest has the reference that was used.",
        latitude=("CREATED-LOCATION-ANY-PULLABLE-URL",),
        apply=on("manifest.put", status=201, change=_by_tag),
    ),
    Variant(
        name="session-without-uuid",
        title="There is no Docker-Upload-UUID.",
        latitude=("LOCATION-OPAQUE-SESSION",),
        profiles=OCI,
        warns=("PUSH-START-UPLOAD-UUID-HEADER",),
        apply=answers(change=drop_header("Docker-Upload-UUID")),
    ),
    Variant(
        name="upload-range-with-unit",
        title="The Range of uploads is bytes=0-N.",
        latitude=("UPLOAD-RANGE-BYTES-PREFIX",),
        warns=("PUSH-PATCH-RANGE-SYNTAX",),
        apply=_bytes_range,
    ),
    Variant(
        name="chunk-minimum",
        title="A minimum length of chunks is announced.",
        latitude=("CHUNK-MINIMUM",),
        apply=on("upload.start", status=202, change=set_header("OCI-Chunk-Min-Length", "4096")),
    ),
    Variant(
        name="single-post-202",
        title="A single POST opens a session.",
        latitude=("SINGLE-POST-202",),
        lacks=("single-post",),
        apply=_session_only,
    ),
    Variant(
        name="mount-202",
        title="Every mount opens a session.",
        latitude=("MOUNT-202",),
        lacks=("mount",),
        apply=_no_mount,
    ),
    Variant(
        name="mount-from-anywhere",
        title="A mount without from finds the blob in any repository.",
        latitude=("MOUNT-WITHOUT-FROM",),
        apply=_mount_from_anywhere,
    ),
    Variant(
        name="cancel-405",
        title="Sessions cannot be cancelled.",
        latitude=("UPLOAD-CANCEL-VARIES",),
        lacks=("upload-cancel",),
        profiles=("oci-1.0", "oci-1.1"),
        apply=_cancel_unsupported,
    ),
    Variant(
        name="success-with-body",
        title="201 and 202 have a body.",
        latitude=("SUCCESS-BODY-OR-NONE",),
        profiles=OCI,
        warns=(
            "PUSH-START-BODY-EMPTY",
            "PUSH-PUT-BODY-EMPTY",
            "PUSH-PATCH-BODY-EMPTY",
            "PUSH-MANIFEST-BODY-EMPTY",
            "MGMT-BLOB-DELETE-HEADERS",
        ),
        apply=answers(change=_with_body),
    ),
    Variant(
        name="tag-immutable",
        title="A tag cannot be moved.",
        latitude=("TAG-IMMUTABLE",),
        apply=_immutable,
    ),
)
