"""Faults of the forms of If-None-Match and If-Modified-Since."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.pull.shared import before_answer
from reference.messages import Request, Response
from reference.modifications import Fault, drop_header, on, override
from reference.storage import Manifest

_PULLS = ("manifest.get", "manifest.head", "blob.get", "blob.head")


def _one_tag_alone(request: Request) -> None:
    condition = request.headers.get("if-none-match")
    if "," in condition or condition == "*":
        request.headers.drop("if-none-match")


def _asterisk_passed_over(request: Request) -> None:
    if request.headers.get("if-none-match") == "*":
        request.headers.drop("if-none-match")


def _condition_first(registry: Registry) -> None:
    """Take Accept literally, but look at a condition before."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        if request.headers.get("if-none-match") or not accept or "*" in accept or manifest.media_type in accept.lower():
            return manifest
        raise errors.manifest_unknown(request.reference)

    override(registry.manifests, negotiate=negotiate)


def _part_on_head(request: Request, response: Response) -> None:
    if response.status == 200 and request.headers.get("range"):
        response.status = 206
        response.headers.set("Content-Length", "1")
        response.headers.set("Content-Range", f"bytes 0-0/{len(response.body)}")


def _lists_kept(registry: Registry) -> None:
    """Keep the list of a repository for who asks on a condition."""
    known: set[str] = set()
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        conditional = request.headers.get("if-modified-since") or request.headers.get("if-none-match")
        if conditional and request.name in known:
            return Response(304)
        known.add(request.name)
        return await listing(request)

    registry.handlers["tags.list"] = changed


FAULTS = (
    Fault(
        name="condition-of-one-tag",
        title="A condition that names several tags, or any, is passed over.",
        breaks=("PULL-CACHE-CONDITION-FORMS",),
        apply=before_answer(_one_tag_alone, *_PULLS),
    ),
    Fault(
        name="condition-asterisk-of-blobs",
        title="The condition * on blobs is passed over.",
        breaks=("PULL-CACHE-CONDITION-FORMS",),
        apply=before_answer(_asterisk_passed_over, "blob.get", "blob.head"),
    ),
    Fault(
        name="manifest-304-without-etag",
        title="The 304 of a manifest has no ETag.",
        breaks=("PULL-CACHE-304-ETAG",),
        apply=on("manifest.get", "manifest.head", status=304, change=drop_header("ETag")),
    ),
    Fault(
        name="condition-before-accept",
        title="A condition is looked at before Accept.",
        breaks=("PULL-CACHE-REFUSAL-NOT-304",),
        apply=_condition_first,
    ),
    Fault(
        name="manifest-head-range-206",
        title="The HEAD of a manifest with a Range returns 206.",
        breaks=("PULL-MANIFEST-RANGE-HEAD-IGNORED",),
        apply=on("manifest.head", change=_part_on_head),
    ),
    Fault(
        name="tags-kept-on-condition",
        title="A tag list that is asked for on a condition is the former one.",
        breaks=("DISC-TAGS-CONDITION-FRESH",),
        apply=_lists_kept,
    ),
)
