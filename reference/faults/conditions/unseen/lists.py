"""Faults of the lists of tags and of referrers."""

from __future__ import annotations

import json
import re

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, Json
from reference.faults.conditions.incidents.shared import document_of
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, override
from reference.storage import Manifest

_EMPTY = "application/vnd.oci.empty.v1+json"
_INT_MAX = 2**31 - 1
#: What YAML 1.1 takes for truth values.
_BOOLEANS = {"yes": True, "on": True, "no": False, "off": False}


def _accepts(request: Request, media_type: str) -> bool:
    return media_type in ",".join(request.headers.all("accept")).lower()


def _plain_json(request: Request, response: Response) -> None:
    if _accepts(request, "application/json"):
        response.headers.set("Content-Type", "application/json")


def _page_for_browsers(request: Request, response: Response) -> None:
    if _accepts(request, "text/html"):
        tags = "".join(f"<li>{tag}</li>" for tag in json.loads(response.body)["tags"])
        response.headers.set("Content-Type", "text/html; charset=utf-8")
        response.body = f"<!DOCTYPE html><title>{request.name}</title><ul>{tags}</ul>".encode()


def _booleans(_request: Request, response: Response) -> None:
    document = json.loads(response.body)
    if not _BOOLEANS.keys().isdisjoint(document["tags"]):
        document["tags"] = [_BOOLEANS.get(tag, tag) for tag in document["tags"]]
        response.body = json.dumps(document).encode()


def _empty_indexes_left_out(registry: Registry) -> None:
    referrers = registry.storage.referrers

    def lists_nothing(manifest: Manifest | None) -> bool:
        if manifest is None or manifest.media_type not in INDEXES:
            return False
        return not document_of(manifest).members.get("manifests")

    def changed(name: str, subject: str) -> list[str]:
        found = referrers(name, subject)
        return [digest for digest in found if not lists_nothing(registry.storage.manifest(name, digest))]

    override(registry.storage, referrers=changed)


def _type_of_empty_config(registry: Registry) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor, config = describe(manifest), document_of(manifest).members.get("config") or {}
        if config.get("mediaType") == _EMPTY:
            descriptor["artifactType"] = _EMPTY
        return descriptor

    override(registry.referrers, describe=changed)


def _keys_in_small_letters(registry: Registry) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if notes := descriptor.get("annotations"):
            descriptor["annotations"] = {key.lower(): value for key, value in notes.items()}
        return descriptor

    override(registry.referrers, describe=changed)


@around("tags.list")
async def _number_in_front(_registry: Registry, request: Request, handler: Handler) -> Response:
    number = re.compile(r"(\d+)\D.*")
    pairs = request.query.pairs
    request.query.pairs = [(k, number.sub(r"\1", v) if k == "n" else v) for k, v in pairs]
    return await handler(request)


def _up_to(most: int) -> Apply:
    @around("tags.list")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        value = request.query.get("n") or ""
        if value.isdecimal() and int(value) > most:
            raise errors.page_invalid()
        return await handler(request)

    return changed


FAULTS = (
    Fault(
        name="referrers-as-plain-json",
        title="The list of referrers is labelled application/json for a client whose Accept has that type.",
        breaks=("DISC-REFERRERS-CONTENT-TYPE",),
        apply=answers("referrers.list", status=200, change=_plain_json),
    ),
    Fault(
        name="tags-as-a-page",
        title="The list of tags is an HTML page for a client whose Accept has text/html, beside */*.",
        breaks=("DISC-TAGS-CONTENT-TYPE-JSON", "DISC-TAGS-BODY-ARRAY"),
        also=("DISC-TAGS-BODY-NAME", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=answers("tags.list", status=200, change=_page_for_browsers),
    ),
    Fault(
        name="tags-are-truth-values",
        title="The tags yes, no, on and off are listed as true and false.",
        breaks=("DISC-TAGS-BODY-ARRAY", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=answers("tags.list", status=200, change=_booleans),
    ),
    Fault(
        name="empty-index-unlisted",
        title="An image index with a subject and no manifests is not in the list of referrers.",
        breaks=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_empty_indexes_left_out,
    ),
    Fault(
        name="type-of-the-empty-config",
        title="A referrer whose config is the empty descriptor is listed with the type of that for its artifactType.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",),
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING", "DISC-REFERRERS-COMPLETE"),
        apply=_type_of_empty_config,
    ),
    Fault(
        name="annotation-keys-in-small-letters",
        title="The names of annotations are listed in small letters among the referrers.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_keys_in_small_letters,
    ),
    Fault(
        name="number-with-letters-behind",
        title="A page of tags is given for an n that begins with a number and goes on with something else.",
        breaks=("DISC-TAGS-N-INVALID-400",),
        apply=_number_in_front,
    ),
    Fault(
        name="number-of-four-bytes",
        title="A list of tags with an n of 2,147,483,648 or more is refused.",
        breaks=("DISC-TAGS-N-LARGE-200",),
        apply=_up_to(_INT_MAX),
    ),
)
