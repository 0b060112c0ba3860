"""Faults of grammars that are too narrow or too wide: names, tags and digests."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.grammar import is_digest, is_name, is_supported
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, answers, override

_WORDS = {"blobs", "manifests", "tags", "uploads"}


def _narrow(refuses: Callable[[str], object]) -> Apply:
    """Refuse names that the grammar has."""

    def apply(registry: Registry) -> None:
        check = registry.check_name

        def changed(request: Request) -> None:
            check(request)
            if refuses(request.name):
                raise errors.name_invalid(request.name)

        override(registry, check_name=changed)

    return apply


def _empty_components(registry: Registry) -> None:
    check = registry.check_name

    def changed(request: Request) -> None:
        if not is_name(re.sub("//+", "/", request.name)):
            check(request)

    override(registry, check_name=changed)


def _tags_refused(refuses: Callable[[str], object]) -> Apply:
    def apply(registry: Registry) -> None:
        check = registry.manifests.check_tag

        def changed(tag: str) -> None:
            check(tag)
            if refuses(tag):
                raise errors.manifest_invalid("invalid tag")

        override(registry.manifests, check_tag=changed)

    return apply


def _sha512_lost(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        return None if digest.startswith("sha512:") else find(name, digest)

    override(registry.blobs, find=changed)


def _folded(registry: Registry) -> None:
    find = registry.blobs.find

    def check(digest: str) -> None:
        if not is_digest(digest.lower()):
            raise errors.digest_invalid(digest)

    override(registry.blobs, check_digest=check, find=lambda name, digest: find(name, digest.lower()))


def _unknown_algorithm_500(request: Request, response: Response) -> None:
    if is_digest(request.reference) and not is_supported(request.reference):
        response.status = 500


FAULTS = (
    Fault(
        name="name-of-one-letter-refused",
        title="A component of a name must have two characters, as once in Docker's grammar.",
        breaks=("BASE-NAME-PLAIN",),
        apply=_narrow(lambda name: any(len(part) < 2 for part in name.split("/"))),
    ),
    Fault(
        name="name-with-dot-refused",
        title="A name with a dot is refused.",
        breaks=("BASE-NAME-SINGLE-SEPARATOR",),
        apply=_narrow(lambda name: "." in name),
    ),
    Fault(
        name="name-with-two-separators-refused",
        title="A name with two separators in a row is refused, as Docker's grammar has it.",
        breaks=("BASE-NAME-REPEATED-SEPARATOR",),
        apply=_narrow(re.compile("[._-]{2}").search),
    ),
    Fault(
        name="name-with-empty-component",
        title="A name with two slashes is a repository of its own.",
        breaks=("BASE-NAME-REJECT-EMPTY-COMPONENT",),
        # Such a name is listed, too.
        also=("DISC-CATALOG-SHAPE",),
        apply=_empty_components,
    ),
    Fault(
        name="name-of-255-refused",
        title="A name of 255 characters is refused.",
        breaks=("BASE-NAME-LENGTH-MAX",),
        apply=_narrow(lambda name: len(name) == 255),
    ),
    Fault(
        name="name-of-route-words-refused",
        title="A name whose component is a word of the API is refused.",
        breaks=("BASE-NAME-ROUTE-WORDS",),
        apply=_narrow(lambda name: _WORDS & {*name.split("/")}),
    ),
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
        name="sha512-blob-lost",
        title="A blob that was accepted under a sha512 digest is unknown under it.",
        breaks=("BASE-DIGEST-SHA512",),
        apply=_sha512_lost,
    ),
    Fault(
        name="digest-folded",
        title="A blob is served under its digest in upper case too.",
        breaks=("BASE-DIGEST-UPPERCASE-HEX",),
        apply=_folded,
    ),
    Fault(
        name="digest-of-unknown-algorithm-500",
        title="A pull by a digest of an unknown algorithm is answered 500.",
        breaks=("BASE-DIGEST-UNKNOWN-ALGORITHM",),
        apply=answers("blob.get", "blob.head", change=_unknown_algorithm_500),
    ),
)
