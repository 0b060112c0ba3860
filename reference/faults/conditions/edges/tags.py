"""Faults that show with some forms of tags."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Fault, on, override

_COLUMN = 127
_DIGEST_TAG = re.compile(r"(sha256-[a-f0-9]{64}|sha512-[a-f0-9]{128})")


def _key_of_127_characters(registry: Registry) -> None:
    """A tag is moved where the first 127 characters are the same."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if len(tag) >= _COLUMN:
            for other in list(registry.storage.tags(name)):
                if other[:_COLUMN] == tag[:_COLUMN]:
                    set_tag(name, other, digest)
        set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _underscore_is_internal(registry: Registry) -> None:
    """The registry's own marks begin with an underscore, and are not listed."""
    order = registry.tags.order
    override(registry.tags, order=lambda tags: order([tag for tag in tags if not tag.startswith("_")]))


def _tag_goes_with_its_manifest(registry: Registry) -> None:
    """The deletion of the tag in place of referrers cleans up what the tag is about."""
    remove_tag = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        remove_tag(name, tag)
        if _DIGEST_TAG.fullmatch(tag):
            registry.manifests.remove(name, tag.replace("-", ":", 1))

    override(registry.manifests, remove_tag=changed)


def _replaced_where_it_stands_first(request: Request, response: Response) -> None:
    """Location is the path with the digest for the tag, replaced where its text stands first."""
    digest = response.headers.get("Docker-Content-Digest")
    if ":" not in request.reference and request.path.endswith("/" + request.reference):
        response.headers.set("Location", request.path.replace(request.reference, digest, 1))


FAULTS = (
    Fault(
        name="tags-alike-in-127-characters",
        title="A tag of 128 characters moves when one is pushed that differs from it in the last character alone.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
            "BASE-TAG-CASE",
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-BODY-EXACT",
        ),
        apply=_key_of_127_characters,
    ),
    Fault(
        name="underscore-first-unlisted",
        title="A tag that begins with an underscore is in no list of tags.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-CONCURRENT-COMPLETE", "DISC-TAGS-ORDER-MIXED-CASE"),
        apply=_underscore_is_internal,
    ),
    Fault(
        name="tag-like-a-digest-takes-the-manifest",
        title="The deletion of a tag that is a digest with a dash for its colon deletes the manifest of that digest.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=(
            "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
            "MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",
            "PUSH-MANIFEST-KEPT",
            "MGMT-TAG-DELETE-REFERRER-LISTED",
        ),
        apply=_tag_goes_with_its_manifest,
    ),
    Fault(
        name="location-with-a-word-replaced",
        title="The Location of a manifest pushed to a tag like manifests or v2 has the digest in place of that word.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        apply=on("manifest.put", status=201, change=_replaced_where_it_stands_first),
    ),
)
