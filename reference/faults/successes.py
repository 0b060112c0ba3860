"""Faults of successes: the right content, or the right deed, and another 2xx than the one that is meant.

What exists elsewhere is left out: an upload that starts with 201, a chunk with 201, a PUT with 204 and so on.
"""

from __future__ import annotations

from reference.messages import Request, Response
from reference.modifications import Fault, Transform, answers, on, set_status

_BASE_GET = "BASE-V2-STATUS-SET"
_BLOB_GET = "PULL-BLOB-GET-200"
_BLOB_HEAD = "PULL-BLOB-HEAD-200"
_MANIFEST_GET = "PULL-MANIFEST-GET-TAG-200"
_MANIFEST_HEAD = "PULL-MANIFEST-HEAD-200"
_MANIFEST_PUT = "PUSH-MANIFEST-STATUS-201"
_UPLOAD_START = "PUSH-START-STATUS-202"
_SINGLE_POST = "PUSH-SINGLE-STATUS-201-OR-202"
_MOUNT = "PUSH-MOUNT-STATUS"
_CHUNK = "PUSH-PATCH-STATUS-202"
_CLOSE = "PUSH-PUT-MONOLITHIC-201"
_STATUS = "PUSH-STATUS-204"
_CANCEL = "PUSH-CANCEL-204"
_TAGS = "DISC-TAGS-STATUS-200"
_CATALOG = "DISC-CATALOG-SHAPE"
_REFERRERS = "DISC-REFERRERS-STATUS-200"
_MANIFEST_DELETE = "MGMT-MANIFEST-DELETE-202"
_TAG_DELETE = "MGMT-TAG-DELETE-202"
_BLOB_DELETE = "MGMT-BLOB-DELETE-202"
#: By the beginning of a fault's name, the operation and its success.
_OPERATIONS = {
    "base-get": ("base.get", 200),
    "blob-get": ("blob.get", 200),
    "blob-head": ("blob.head", 200),
    "manifest-get": ("manifest.get", 200),
    "manifest-head": ("manifest.head", 200),
    "manifest-put": ("manifest.put", 201),
    "upload-start": ("upload.start", 202),
    "single-post": ("upload.start-digest", 201),
    "mount": ("upload.mount", 201),
    "chunk": ("upload.patch", 202),
    "close": ("upload.put", 201),
    "status": ("upload.get", 204),
    "cancel": ("upload.delete", 204),
    "tags": ("tags.list", 200),
    "catalog": ("catalog.list", 200),
    "referrers": ("referrers.list", 200),
    "manifest-delete": ("manifest.delete", 202),
    "tag-delete": ("manifest.delete", 202),
    "blob-delete": ("blob.delete", 202),
}


def _empty(_request: Request, response: Response) -> None:
    """No Content comes without any, and says of none how long it is."""
    response.status = 204
    response.headers.drop("Content-Length")


def _change(what: str, status: int) -> Transform:
    """Another status; deletions of tags and of manifests by digest are two operations here."""
    change = _empty if status == 204 else set_status(status)

    def changed(request: Request, response: Response) -> None:
        if what not in {"manifest-delete", "tag-delete"} or (":" in request.reference) == (what == "manifest-delete"):
            change(request, response)

    return changed


def _answered(name: str, title: str, breaks: str) -> Fault:
    """The success is another one; the name ends with its status."""
    what, _, status = name.partition("-answered-")
    operation, right = _OPERATIONS[what]
    apply = on(operation, status=right, change=_change(what, int(status)))
    return Fault(name=name, title=title, breaks=(breaks,), apply=apply)


def _always(name: str, title: str, breaks: str) -> Fault:
    """Refusals have the status 203, too, and their own body."""
    what = name.removesuffix("-always-203")
    apply = answers(_OPERATIONS[what][0], change=_change(what, 203))
    return Fault(name=name, title=title, breaks=(breaks,), apply=apply)


FAULTS = (
    _answered("base-get-answered-203", "The base endpoint is answered 203.", _BASE_GET),
    _answered("base-get-answered-204", "The base endpoint is answered 204.", _BASE_GET),
    _answered("blob-get-answered-201", "The pull of a blob is answered 201.", _BLOB_GET),
    _answered("blob-get-answered-203", "The pull of a blob is answered 203.", _BLOB_GET),
    _answered("blob-get-answered-204", "The pull of a blob is answered 204.", _BLOB_GET),
    _answered("blob-head-answered-203", "The HEAD of a blob is answered 203.", _BLOB_HEAD),
    _answered("blob-head-answered-204", "The HEAD of a blob is answered 204.", _BLOB_HEAD),
    _answered("manifest-get-answered-201", "The pull of a manifest is answered 201.", _MANIFEST_GET),
    _answered("manifest-get-answered-203", "The pull of a manifest is answered 203.", _MANIFEST_GET),
    _answered("manifest-get-answered-204", "The pull of a manifest is answered 204.", _MANIFEST_GET),
    _answered("manifest-head-answered-203", "The HEAD of a manifest is answered 203.", _MANIFEST_HEAD),
    _answered("manifest-head-answered-204", "The HEAD of a manifest is answered 204.", _MANIFEST_HEAD),
    _answered("manifest-put-answered-202", "The push of a manifest is answered 202.", _MANIFEST_PUT),
    _answered("manifest-put-answered-204", "The push of a manifest is answered 204.", _MANIFEST_PUT),
    _answered("upload-start-answered-200", "The start of an upload is answered 200.", _UPLOAD_START),
    _answered("upload-start-answered-204", "The start of an upload is answered 204.", _UPLOAD_START),
    _answered("single-post-answered-203", "A single POST is answered 203.", _SINGLE_POST),
    _answered("single-post-answered-204", "A single POST is answered 204.", _SINGLE_POST),
    _answered("mount-answered-200", "A mount is answered 200.", _MOUNT),
    _answered("mount-answered-204", "A mount is answered 204.", _MOUNT),
    _answered("chunk-answered-200", "A chunk is answered 200.", _CHUNK),
    _answered("chunk-answered-203", "A chunk is answered 203.", _CHUNK),
    _answered("close-answered-200", "The close of an upload is answered 200.", _CLOSE),
    _answered("close-answered-202", "The close of an upload is answered 202.", _CLOSE),
    _answered("status-answered-202", "The status of an upload is answered 202.", _STATUS),
    _answered("status-answered-203", "The status of an upload is answered 203.", _STATUS),
    _answered("cancel-answered-202", "The cancellation of an upload is answered 202.", _CANCEL),
    _answered("cancel-answered-203", "The cancellation of an upload is answered 203.", _CANCEL),
    _answered("tags-answered-201", "The list of tags is answered 201.", _TAGS),
    _answered("tags-answered-204", "The list of tags is answered 204.", _TAGS),
    _answered("catalog-answered-203", "The catalog is answered 203.", _CATALOG),
    _answered("catalog-answered-204", "The catalog is answered 204.", _CATALOG),
    _answered("referrers-answered-203", "The list of referrers is answered 203.", _REFERRERS),
    _answered("referrers-answered-204", "The list of referrers is answered 204.", _REFERRERS),
    _answered("manifest-delete-answered-203", "The deletion of a manifest is answered 203.", _MANIFEST_DELETE),
    _answered("manifest-delete-answered-204", "The deletion of a manifest is answered 204.", _MANIFEST_DELETE),
    _answered("tag-delete-answered-200", "The deletion of a tag is answered 200.", _TAG_DELETE),
    _answered("tag-delete-answered-203", "The deletion of a tag is answered 203.", _TAG_DELETE),
    _answered("blob-delete-answered-203", "The deletion of a blob is answered 203.", _BLOB_DELETE),
    _answered("blob-delete-answered-204", "The deletion of a blob is answered 204.", _BLOB_DELETE),
    _always("base-get-always-203", "The base endpoint is answered 203, whatever becomes of it.", _BASE_GET),
    _always("blob-get-always-203", "The pull of a blob is answered 203, whatever becomes of it.", _BLOB_GET),
    _always("blob-head-always-203", "The HEAD of a blob is answered 203, whatever becomes of it.", _BLOB_HEAD),
    _always(
        "manifest-get-always-203", "The pull of a manifest is answered 203, whatever becomes of it.", _MANIFEST_GET
    ),
    _always(
        "manifest-head-always-203", "The HEAD of a manifest is answered 203, whatever becomes of it.", _MANIFEST_HEAD
    ),
    _always(
        "manifest-put-always-203", "The push of a manifest is answered 203, whatever becomes of it.", _MANIFEST_PUT
    ),
    _always(
        "upload-start-always-203", "The start of an upload is answered 203, whatever becomes of it.", _UPLOAD_START
    ),
    _always("single-post-always-203", "A single POST is answered 203, whatever becomes of it.", _SINGLE_POST),
    _always("mount-always-203", "A mount is answered 203, whatever becomes of it.", _MOUNT),
    _always("chunk-always-203", "A chunk is answered 203, whatever becomes of it.", _CHUNK),
    _always("close-always-203", "The close of an upload is answered 203, whatever becomes of it.", _CLOSE),
    _always("status-always-203", "The status of an upload is answered 203, whatever becomes of it.", _STATUS),
    _always("cancel-always-203", "The cancellation of an upload is answered 203, whatever becomes of it.", _CANCEL),
    _always("tags-always-203", "The list of tags is answered 203, whatever becomes of it.", _TAGS),
    _always("catalog-always-203", "The catalog is answered 203, whatever becomes of it.", _CATALOG),
    _always("referrers-always-203", "The list of referrers is answered 203, whatever becomes of it.", _REFERRERS),
    _always(
        "manifest-delete-always-203",
        "The deletion of a manifest is answered 203, whatever becomes of it.",
        _MANIFEST_DELETE,
    ),
    _always("tag-delete-always-203", "The deletion of a tag is answered 203, whatever becomes of it.", _TAG_DELETE),
    _always("blob-delete-always-203", "The deletion of a blob is answered 203, whatever becomes of it.", _BLOB_DELETE),
)
