"""Faults of blobs that show in repositories with some names."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.grammar import NAME_LIMIT
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.resources import url
from reference.storage import Upload

_DEEP = 7
#: How many parts of an upload are listed at once, and how many components of a name are told.
_PARTS = 5
#: How deep sessions are looked for, and how many parts of an upload are hashed.
_DEPTH = 8
_UNDERSCORE = re.compile(r"(?<!_)_(?!_)")
_LOCATION = 255
_URL_BUFFER = 320


def _seven_components(registry: Registry) -> None:
    """The path of a session that has data is built from seven components at most."""
    location = registry.uploads.location

    def changed(upload: Upload) -> str:
        parts = upload.repository.split("/")
        if len(parts) <= _DEEP or not upload.size:
            return location(upload)
        return url(registry.uploads.host, f"/v2/{'/'.join(parts[:_DEEP])}/blobs/uploads/{upload.identifier}")

    override(registry.uploads, location=changed)


def _key_too_long(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if len(request.name) == NAME_LIMIT:
                raise errors.blob_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["blob.head"], around)


def _looked_up_above(registry: Registry) -> None:
    """What a repository lacks is looked for in those that its name extends."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        while content is None and "/" in name:
            name = name.rpartition("/")[0]
            content = find(name, digest)
        return content

    override(registry.blobs, find=changed)


def _few_components(request: Request, response: Response) -> None:
    kept = "/".join(request.name.split("/")[:_PARTS])
    location = response.headers.get("Location")
    response.headers.set("Location", location.replace(f"/v2/{request.name}/", f"/v2/{kept}/"))


def _status_not_so_deep(registry: Registry) -> None:
    """Sessions are looked for down to a depth only."""
    status = registry.handlers["upload.get"]

    async def changed(request: Request) -> Response:
        if len(request.name.split("/")) >= _DEPTH:
            raise errors.upload_unknown(request.reference)
        return await status(request)

    registry.handlers["upload.get"] = changed


def _cancelled_elsewhere(registry: Registry) -> None:
    """The files of an upload are removed below a name in which the underscore stands for something else."""
    cancel = registry.handlers["upload.delete"]

    async def changed(request: Request) -> Response:
        if _UNDERSCORE.search(request.name):
            registry.uploads.check_open(registry.uploads.find(request))
            return Response(204)
        return await cancel(request)

    registry.handlers["upload.delete"] = changed


def _deleted_everywhere_behind_dashes(registry: Registry) -> None:
    """What stands behind two dashes is no part of the statement, the rest of its condition neither."""
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        removed = remove(name, digest)
        if removed and "--" in name:
            for other in registry.storage.repositories():
                registry.storage.delete_blob(other, digest)
        return removed

    override(registry.blobs, remove=changed)


def _location_cut(registry: Registry) -> None:
    created = registry.uploads.created

    def changed(name: str, digest: str) -> Response:
        response = created(name, digest)
        response.headers.set("Location", response.headers.get("Location")[:_LOCATION])
        return response

    override(registry.uploads, created=changed)


def _location_in_buffer(_request: Request, response: Response) -> None:
    response.headers.set("Location", response.headers.get("Location")[:_URL_BUFFER])


FAULTS = (
    Fault(
        name="location-of-eight-components-cut",
        title="The Location of an upload with data lacks what follows the seventh component of the name.",
        breaks=(
            "PUSH-PATCH-LOCATION-PRESENT",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PATCH-STREAM-202",
        ),
        also=("PUSH-STATUS-LOCATION-PRESENT", "PUSH-STATUS-RESUME", "BASE-NAME-PLAIN", "PUSH-PUT-FINAL-CHUNK-CLOSES"),
        apply=_seven_components,
    ),
    Fault(
        name="head-in-name-of-255-404",
        title="HEAD of a blob in a repository whose name has 255 characters returns 404.",
        breaks=("PULL-BLOB-HEAD-GET-AGREE", "PULL-BLOB-HEAD-200", "BASE-NAME-LENGTH-MAX"),
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",),
        apply=_key_too_long,
    ),
    Fault(
        name="blob-in-repositories-with-longer-names",
        title="A blob is served under each repository whose name extends that of the one that holds it.",
        breaks=("PULL-BLOB-OTHER-REPO-404", "PULL-BLOB-HEAD-OTHER-REPO-404"),
        also=("PULL-BLOB-GET-UNKNOWN-REPO-404", "PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-HEAD-UNKNOWN-404"),
        apply=_looked_up_above,
    ),
    Fault(
        name="blob-location-of-five-components",
        title="The Location of a blob in a repository of more than five components names the first five.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=("PUSH-SINGLE-LOCATION-PULLABLE", "PUSH-MOUNT-LOCATION-PULLABLE"),
        apply=on("upload.put", "upload.start-digest", "upload.mount", status=201, change=_few_components),
    ),
    Fault(
        name="status-unknown-in-deep-repository",
        title="The status of an upload in a repository of eight components returns 404.",
        breaks=("PUSH-STATUS-204",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-STATUS-LOCATION-PRESENT",
            "PUSH-STATUS-NO-SIDE-EFFECT",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-STATUS-RANGE-VALUE",
            "PUSH-STATUS-EARLIER-LOCATION",
            "PUSH-STATUS-FRESH-RANGE",
        ),
        apply=_status_not_so_deep,
    ),
    Fault(
        name="cancel-with-underscore-in-name",
        title="An upload goes on after it was cancelled in a repository with an underscore in its name.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        also=("PUSH-CANCEL-NO-BLOB", "PUSH-SESSION-UNKNOWN-404", "PUSH-CANCEL-UNKNOWN-404"),
        apply=_cancelled_elsewhere,
    ),
    Fault(
        name="dashes-delete-everywhere",
        title="A blob that is deleted in a repository with two dashes in a row in its name goes from all repositories.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PULL-BLOB-GET-200", "PULL-BLOB-HEAD-200"),
        apply=_deleted_everywhere_behind_dashes,
    ),
    Fault(
        name="blob-location-of-255-characters",
        title="The Location of a blob ends after 255 characters, where the name is long.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=("PUSH-SINGLE-LOCATION-PULLABLE", "PUSH-MOUNT-LOCATION-PULLABLE", "BASE-NAME-ACCEPTED-KEPT"),
        apply=_location_cut,
    ),
    Fault(
        name="blob-location-of-320-characters",
        title="The Location of a blob that was pushed ends after 320 characters.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=("PUSH-SINGLE-LOCATION-PULLABLE", "BASE-NAME-ACCEPTED-KEPT"),
        apply=on("upload.put", "upload.start-digest", status=201, change=_location_in_buffer),
    ),
)
