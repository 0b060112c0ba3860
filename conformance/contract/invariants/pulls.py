"""Bytes and digests of pulls: the body, the digest in the URL and Docker-Content-Digest tell of one content.

A body with a content coding is looked at once the coding is undone. An answer may name its content by another algorithm
than the request, which is then computed. Manifests of schema 1 are left out: their digest leaves the signatures out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Exchange, Response
from conformance.contract.invariants.facts import (
    NOT_MODIFIED,
    OK,
    PARTIAL,
    Breach,
    Facts,
    coding_of,
    decoded,
    digest_told,
    is_of,
    is_signed,
    same,
    same_algorithm,
    sound,
)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Books(NamedTuple):
    """The requirements for the bytes of a content, its digest header and its coding."""

    body: str
    header: str
    coding: str


_BLOB = _Books("PULL-BLOB-GET-BODY-EXACT", "PULL-BLOB-GET-DCD-TRUE", "PULL-BLOB-GET-NO-FALSE-CODING")
_MANIFEST = _Books("PULL-MANIFEST-GET-DIGEST-BINDS-BODY", "PULL-MANIFEST-GET-DCD-TRUE", "PULL-MANIFEST-GET-CODING-TRUE")


def blob(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check an answer to the pull of a blob."""
    asked = exchange.parameters.get("digest", "")
    if not sound(asked):
        return
    if response.status == OK:
        yield from _whole(exchange, response, asked, _BLOB)
    elif response.status in {PARTIAL, NOT_MODIFIED}:
        told = digest_told(response)
        part = response.status == PARTIAL and told and is_of(told, response)
        if not part:
            yield from _named(facts, exchange, response, asked, "PULL-BLOB-GET-DCD-TRUE")
    elif response.status in _REDIRECTS:
        yield from _named(facts, exchange, response, asked, "PULL-REDIRECT-DCD")


def blob_head(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check an answer to the HEAD of a blob."""
    asked = exchange.parameters.get("digest", "")
    if response.status in {OK, NOT_MODIFIED} and sound(asked):
        yield from _named(facts, exchange, response, asked, "PULL-BLOB-HEAD-DCD-TRUE")


def manifest(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check an answer to the pull of a manifest, by tag or digest."""
    reference = exchange.parameters.get("reference", "")
    if response.status == NOT_MODIFIED and sound(reference):
        yield from _named(facts, exchange, response, reference, "PULL-MANIFEST-GET-DCD-TRUE")
    if response.status != OK or is_signed(response.media_type, response.body):
        return
    yield from _whole(exchange, response, reference if sound(reference) else "", _MANIFEST)
    if ":" not in reference and not coding_of(response) and not response.streamed:
        yield from _tagged(facts, exchange, reference, response.body, "PULL-MANIFEST-GET-BODY-EXACT")


def manifest_head(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check an answer to the HEAD of a manifest, by tag or digest."""
    reference = exchange.parameters.get("reference", "")
    if response.status not in {OK, NOT_MODIFIED} or is_signed(response.media_type):
        return
    if sound(reference):
        yield from _named(facts, exchange, response, reference, "PULL-MANIFEST-HEAD-DCD-TRUE")
    elif ":" not in reference:
        yield from _tagged(facts, exchange, reference, digest_told(response), "PULL-MANIFEST-HEAD-DCD-TRUE")


def _whole(exchange: Exchange, response: Response, asked: str, books: _Books) -> Iterator[Breach]:
    """Check a whole content, and the digest that was asked for where there was one."""
    told = digest_told(response)
    digest = asked or told
    if coding_of(response):
        if digest and is_of(digest, response):
            expected = "no Content-Encoding to content that is sent as it is"
            actual = f"Content-Encoding: {coding_of(response)} to bytes whose digest is {digest} without it"
            yield Breach(books.coding, expected, actual, (exchange,))
            return
        content = decoded(response)
        if content is None:
            return
        fits_asked, fits_told = (is_digest_of(d, content) if d else None for d in (asked, told))
    else:
        fits_asked, fits_told = (is_of(d, response) if d else None for d in (asked, told))
    if fits_asked is False:
        actual = f"{response.size or len(response.body)} bytes of digest {response.content_digest()}"
        yield Breach(books.body, f"the content of digest {asked}", actual, (exchange,))
    elif fits_told is False:
        yield Breach(books.header, "a digest of the content that came", f"Docker-Content-Digest: {told}", (exchange,))


def _named(facts: Facts, exchange: Exchange, response: Response, asked: str, requirement: str) -> Iterator[Breach]:
    """Check the digest header of an answer without the whole content against the digest that was asked for."""
    told = digest_told(response)
    if not told or same(told, asked):
        return
    known = None if same_algorithm(told, asked) else facts.content(asked)
    if not same_algorithm(told, asked) and (known is None or is_digest_of(told, known[0]) is not False):
        return
    before = (known[1],) if known else ()
    expected = f"a digest of the content that was asked for, {asked}"
    yield Breach(requirement, expected, f"Docker-Content-Digest: {told}", (*before, exchange))


def _tagged(facts: Facts, exchange: Exchange, tag: str, given: bytes | str, requirement: str) -> Iterator[Breach]:
    """Check what a tag leads to, bytes or a digest, against all that was ever sent to it.

    Nothing is said where the client does not take what was pushed: another form of it is legal then.
    """
    pushes = facts.pushes(exchange.parameters.get("name", ""), tag)
    if pushes is None or not given or not _accepts(exchange, pushes.types):
        return
    if isinstance(given, bytes):
        fits = given in pushes.bodies
        actual = f"{len(given)} other bytes came"
    else:
        fits = any(is_digest_of(given, body) for body in pushes.bodies)
        actual = f"Docker-Content-Digest: {given}"
    if not fits:
        yield Breach(requirement, f"a manifest that was pushed to the tag {tag}", actual, (exchange,))


def _accepts(exchange: Exchange, types: set[str]) -> bool:
    accept = (exchange.request.headers.get("Accept") or "").lower()
    listed = {part.partition(";")[0].strip() for part in accept.split(",")}
    return "*/*" in listed or types <= listed
