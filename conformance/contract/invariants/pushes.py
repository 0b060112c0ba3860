"""Answers to pushes, mounts and deletions: the digest, the Location and the headers that name what was pushed.

A Location is opaque: it may lead anywhere and name things in any way. Where it has the form of the API, its digest says
what is there. Another repository in it says nothing, as a registry may have several names for one place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from conformance.client.digests import is_digest_of, well_formed
from conformance.client.http.exchange import Exchange, Response
from conformance.contract.invariants.facts import (
    ACCEPTED,
    CREATED,
    Breach,
    Facts,
    asked,
    bare,
    digest_told,
    is_signed,
    same,
    same_algorithm,
    sound,
)

_PLACE = re.compile(r"/v2/.+/(?:blobs|manifests)/(?P<digest>sha(?:256|512):[0-9a-fA-F]+)")


def manifest(_facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check the 201 to a manifest."""
    body = exchange.request.body
    if response.status != CREATED or body is None:
        return
    if not response.headers.all("Location"):
        yield Breach("PUSH-MANIFEST-LOCATION-PULLABLE", "a Location of the manifest", "no Location", (exchange,))
    if not is_signed(bare(exchange.request.headers.get("Content-Type") or ""), body):
        told = digest_told(response)
        if told and is_digest_of(told, body) is False:
            yield _header(exchange, told, "PUSH-MANIFEST-DIGEST-HEADER-VALUE")
        place = _digest_in(exchange, response)
        if place and is_digest_of(place, body) is False:
            yield _location(exchange, response, "PUSH-MANIFEST-LOCATION-PULLABLE")
    yield from _subject(exchange, response, body)
    yield from _tags(exchange, response)


def closing(facts: Facts, exchange: Exchange, _response: Response) -> Iterator[Breach]:
    """Check the 201 to the closing PUT of an upload."""
    yield from _blob(facts, exchange, "digest", "PUSH-PUT-DIGEST-HEADER-VALUE", "PUSH-PUT-LOCATION-PULLABLE")


def single(facts: Facts, exchange: Exchange, _response: Response) -> Iterator[Breach]:
    """Check the 201 to a POST with a whole blob."""
    yield from _blob(facts, exchange, "digest", "PUSH-PUT-DIGEST-HEADER-VALUE", "PUSH-SINGLE-LOCATION-PULLABLE")


def mount(facts: Facts, exchange: Exchange, _response: Response) -> Iterator[Breach]:
    """Check the 201 to a mount."""
    yield from _blob(facts, exchange, "mount", "PUSH-MOUNT-DIGEST-HEADER", "PUSH-MOUNT-LOCATION-PULLABLE")


def deleted(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check the 202 to the deletion of a blob."""
    named, told = exchange.parameters.get("digest", ""), digest_told(response)
    if response.status == ACCEPTED and told and not _fits(facts, told, [named]):
        yield _header(exchange, told, "MGMT-BLOB-DELETE-HEADERS", f"a digest of the blob {named}")


def _blob(facts: Facts, exchange: Exchange, parameter: str, header: str, location: str) -> Iterator[Breach]:
    response, named = exchange.response, asked(exchange, parameter)
    if response is None or response.status != CREATED or not named or not all(map(sound, named)):
        return
    told = digest_told(response)
    if told and not _fits(facts, told, named):
        yield _header(exchange, told, header)
    place = _digest_in(exchange, response)
    if place and not _fits(facts, place, named):
        yield _location(exchange, response, location)


def _fits(facts: Facts, told: str, named: list[str]) -> bool:
    """Whether a digest may be that of content that goes by some others; one by another algorithm has to be computed."""
    for digest in named:
        if not sound(digest) or (same_algorithm(told, digest) and same(told, digest)):
            return True
        if not same_algorithm(told, digest):
            known = facts.content(digest)
            if known is None or is_digest_of(told, known[0]) is not False:
                return True
    return False


def _digest_in(exchange: Exchange, response: Response) -> str:
    """Return the digest in a Location that has the form of the API on the same host; empty where there is none."""
    values = response.headers.all("Location")
    if len(values) != 1:
        return ""
    try:
        target = urlsplit(urljoin(exchange.request.url, values[0].strip()))
    except ValueError:
        return ""
    found = _PLACE.fullmatch(unquote(target.path))
    if found is None or target.netloc != urlsplit(exchange.request.url).netloc:
        return ""
    return found["digest"] if well_formed(found["digest"]) else ""


def _header(exchange: Exchange, told: str, requirement: str, expected: str = "a digest of what was pushed") -> Breach:
    return Breach(requirement, expected, f"Docker-Content-Digest: {told}", (exchange,))


def _location(exchange: Exchange, response: Response, requirement: str) -> Breach:
    expected = "a Location of what was pushed"
    return Breach(requirement, expected, f"it names another digest: {response.header('Location')}", (exchange,))


def _subject(exchange: Exchange, response: Response, body: bytes) -> Iterator[Breach]:
    """Check that OCI-Subject is the subject of the manifest that was pushed."""
    told = response.header("OCI-Subject")
    if told is None:
        return
    wanted = _subject_of(body)
    if wanted is None:
        requirement, expected = "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT", "no OCI-Subject without a subject"
    elif told.strip() == wanted:
        return
    else:
        requirement, expected = "PUSH-MANIFEST-OCI-SUBJECT-VALUE", f"OCI-Subject: {wanted}"
    yield Breach(requirement, expected, f"OCI-Subject: {told}", (exchange,))


def _subject_of(body: bytes) -> str | None:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    subject = document.get("subject") if isinstance(document, dict) else None
    digest = subject.get("digest") if isinstance(subject, dict) else None
    return digest if isinstance(digest, str) else None


def _tags(exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check that OCI-Tag lists no tag but those that were asked for."""
    values = response.headers.all("OCI-Tag")
    if not values:
        return
    wanted = {exchange.parameters.get("reference", ""), *asked(exchange, "tag")}
    more = sorted({tag.strip() for tag in ",".join(values).split(",") if tag.strip()} - wanted)
    if more:
        yield Breach(
            "PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",
            "OCI-Tag with tags that were asked for",
            f"it lists {', '.join(more)} too",
            (exchange,),
        )
