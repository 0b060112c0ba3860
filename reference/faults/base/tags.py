"""Faults of the grammar of tags."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override


def _tags_refused(refuses: Callable[[str], object]) -> Apply:
    def apply(registry: Registry) -> None:
        check = registry.manifests.check_tag

        def changed(tag: str) -> None:
            check(tag)
            if refuses(tag):
                raise errors.manifest_invalid("invalid tag")

        override(registry.manifests, check_tag=changed)

    return apply


def _any_tag(registry: Registry) -> None:
    def check(reference: str) -> None:
        if "/" in reference or reference in ("", ".", ".."):
            raise errors.reference_invalid(reference)

    override(registry.manifests, check_tag=check, check_reference=check)


def _folded_tags(registry: Registry) -> None:
    set_tag, tag_of = registry.storage.set_tag, registry.storage.tag

    def set_folded(name: str, tag: str, digest: str) -> None:
        known = {existing.lower(): existing for existing in registry.storage.tags(name)}
        set_tag(name, known.get(tag.lower(), tag), digest)

    def find_folded(name: str, tag: str) -> str | None:
        known = {existing.lower(): existing for existing in registry.storage.tags(name)}
        return tag_of(name, known.get(tag.lower(), tag))

    override(registry.storage, set_tag=set_folded, tag=find_folded)


def _tag_lost(request: Request, response: Response) -> Response | None:
    return Response(404) if response.status == 200 and request.reference.startswith("_") else None


FAULTS = (
    Fault(
        name="tag-with-leading-underscore-refused",
        title="A tag that begins with an underscore is refused.",
        breaks=("BASE-TAG-ACCEPT",),
        apply=_tags_refused(lambda tag: tag.startswith("_")),
    ),
    Fault(
        name="tag-of-full-length-refused",
        title="A tag of 128 characters is refused.",
        breaks=("BASE-TAG-ACCEPT",),
        apply=_tags_refused(lambda tag: len(tag) == 128),
    ),
    Fault(
        name="tag-invalid-accepted",
        title="Tags outside the grammar are accepted.",
        breaks=("BASE-TAG-REJECT",),
        # The same is said of the push, of tag parameters, and of malformed digests as references.
        also=(
            "PUSH-MANIFEST-TAG-INVALID-REJECTED",
            "PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED",
            "PUSH-TAGPARAM-INVALID-TAG-NOT-ACCEPTED",
            "MGMT-MANIFEST-DELETE-MALFORMED-400",
        ),
        apply=_any_tag,
    ),
    Fault(
        name="tag-folded",
        title="Tags that differ in case are one tag.",
        breaks=("BASE-TAG-CASE",),
        # The same is said of the push; and of a list with such tags one is missing.
        also=("DISC-TAGS-COMPLETE-AFTER-PUSH", "DISC-TAGS-ORDER-SAME-IN-PAGES"),
        apply=_folded_tags,
    ),
    Fault(
        name="tag-with-leading-underscore-lost",
        title="A manifest is accepted and unknown under a tag that begins with an underscore.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        apply=on("manifest.get", change=_tag_lost),
    ),
)
