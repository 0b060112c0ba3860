"""Types and lengths: what an answer says of a manifest or blob against its bytes, and against what is known of it.

The type of a manifest is compared without case and parameters, with those under which its digest was pushed to the
repository, or else with its own ``mediaType``. A length is that of the content; one of a coded content is another.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.client.http.exchange import Exchange, Response
from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from conformance.contract.invariants.facts import OK, Breach, Facts, coding_of, digest_told, is_signed, sound

#: The types that every profile knows; another may be served as something that is known.
_TYPES = frozenset({OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST})
#: A number of more digits is no length.
_DIGITS = 20


def content_type(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check the type of a manifest that came."""
    media_type = response.media_type
    told = response.status == OK and media_type and not response.streamed and not coding_of(response)
    if not told or is_signed(media_type, response.body):
        return
    own = response.json.get("mediaType") if isinstance(response.json, dict) else None
    own = own.lower() if isinstance(own, str) else ""
    pushed = facts.types(exchange.parameters.get("name", ""), response.content_digest())
    if media_type in pushed or media_type == own:
        return
    if pushed:
        certain = own in pushed and own in _TYPES
        requirement = "PULL-MANIFEST-GET-CONTENT-TYPE" + ("" if certain else "-AS-PUSHED")
        first = next(iter(pushed))
        yield Breach(requirement, f"Content-Type: {first}, as pushed", _type(response), (pushed[first], exchange))
    elif own:
        expected = f"Content-Type: {own}, as in mediaType"
        yield Breach("PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE", expected, _type(response), (exchange,))


def content_type_of_head(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check the type of a manifest that only headers came of."""
    media_type, digest = response.media_type, _digest_of(exchange, response, "reference")
    if response.status != OK or not media_type or is_signed(media_type) or not digest:
        return
    pushed = facts.types(_name(exchange), digest)
    # HEAD has to say what GET says, of which another look judges whether it is true.
    known = {*pushed, *facts.named(_name(exchange), digest)}
    if pushed and media_type not in known and not any(map(is_signed, pushed)):
        first = next(iter(pushed))
        expected = f"Content-Type: {first}, as pushed"
        yield Breach("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE", expected, _type(response), (pushed[first], exchange))


def manifest_length(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check the length that a HEAD tells of a manifest."""
    if not is_signed(response.media_type):
        digest = _digest_of(exchange, response, "reference")
        yield from _length(facts, exchange, response, digest, "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE")


def blob_length(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check the length that a HEAD tells of a blob."""
    digest = exchange.parameters.get("digest", "")
    yield from _length(facts, exchange, response, digest, "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE")


def _length(facts: Facts, exchange: Exchange, response: Response, digest: str, requirement: str) -> Iterator[Breach]:
    told = _number(response.header("Content-Length"))
    if response.status != OK or told is None or not digest or coding_of(response):
        return
    candidate = facts.candidate(digest)
    if candidate is None or len(candidate) == told or not facts.there(_name(exchange), digest, exchange):
        return
    known = facts.content(digest)
    if known is not None and not is_signed("", known[0]):
        expected = f"Content-Length: {len(known[0])}, the size of {digest}"
        yield Breach(requirement, expected, f"Content-Length: {told}", (known[1], exchange))


def _name(exchange: Exchange) -> str:
    return exchange.parameters.get("name", "")


def _digest_of(exchange: Exchange, response: Response, parameter: str) -> str:
    """Return the digest that was asked for, or that the answer names where a tag was asked for."""
    asked = exchange.parameters.get(parameter, "")
    return asked if sound(asked) else "" if ":" in asked else digest_told(response)


def _number(value: str | None) -> int | None:
    value = (value or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < _DIGITS else None


def _type(response: Response) -> str:
    return f"Content-Type: {response.header('Content-Type')}"
