"""Targets that send control characters and markup, each in another place that text can stand in."""

from __future__ import annotations

import dataclasses
import json

from tests.hostile.answers import INDEX, POISON, fixed, head, listing, located, made, redirect, whole
from tests.hostile.case import ALL, ANYWHERE, GET, LISTS, LOGIN, REFUSALS, TOKENS, UPLOADS, Hostile
from tests.hostile.posts import body
from tests.hostile.posts import poisoned as poisoned_events
from tests.hostile.proxy import Answer, Asked

_JSON = "application/json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_TEXT = json.dumps(POISON)
#: The same as a header may have it: on one line.
FLAT = POISON.replace("\r\n", " ").replace("\x00", " ").replace("\u202e", "").replace("\ufffe", "")
#: The same as `answers.place` leaves it alone.
_PLAIN = FLAT.replace("{", "{{").replace("}", "}}")
_NAMES = ("Docker-Content-Digest", "Location", "Link", "Content-Range", "Range", "Warning", "ETag", "Server", "X-More")
_FIELDS = tuple(f"{name}: {FLAT}" for name in _NAMES)


def everywhere(asked: Asked) -> bytes:
    """An error with poison in every place."""
    error = {"code": POISON, "message": POISON, "detail": {POISON: POISON}}
    content = json.dumps({"errors": [error], "name": POISON, "tags": [POISON]}).encode()
    return whole(b"" if asked.method == "HEAD" else content, _JSON, f"404 {FLAT}", *_FIELDS)


def _error(status: str) -> Answer:
    error = {"code": "DENIED", "message": POISON, "detail": {POISON: POISON}}
    content = json.dumps({"errors": [error]}).encode()
    return made(lambda asked: whole(b"" if asked.method == "HEAD" else content, _JSON, status))


def _lists(asked: Asked) -> bytes:
    descriptor = {
        "mediaType": POISON,
        "artifactType": POISON,
        "digest": "sha256:" + "0" * 64,
        "size": 2,
        "annotations": {POISON: POISON},
    }
    referrers = "/referrers/" in asked.target
    entries = json.dumps(descriptor) if referrers else _TEXT
    return whole(listing(asked, entries), INDEX if referrers else _JSON)


def _manifest(asked: Asked) -> bytes:
    layer = {"mediaType": POISON, "digest": POISON, "size": 1, "annotations": {POISON: POISON}}
    members = {"config": layer, "layers": [layer], "annotations": {POISON: POISON}, "artifactType": POISON}
    content = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, **members}).encode()
    return whole(b"" if asked.method == "HEAD" else content, _MANIFEST)


def _challenge(scheme: str) -> str:
    quoted = FLAT.replace('"', '\\"')
    return f'WWW-Authenticate: {scheme} realm="{quoted}",service="{quoted}",scope="{quoted}",error="{quoted}"'


_REFUSED = whole(b"{}", _JSON, "401 Unauthorized", _challenge("Bearer"), _challenge("Basic"), _challenge(FLAT))

_CASES = (
    Hostile("poison-everywhere", made(everywhere), ANYWHERE, ALL, 60),
    Hostile("poison-from-the-start", made(everywhere), ANYWHERE, ALL, 1, endings=REFUSALS),
    Hostile("poison-at-once", made(everywhere), ANYWHERE, ALL, 0, endings=REFUSALS),
    Hostile("poison-in-errors", _error("400 Bad Request"), ANYWHERE, ALL, 60),
    Hostile("poison-in-a-denial", _error("403 Forbidden"), ANYWHERE, ALL, 60),
    Hostile("poison-in-a-reason", fixed(head(f"200 {FLAT}", "Content-Length: 0"))),
    Hostile("poison-in-headers", fixed(head("200 OK", *_FIELDS, "Content-Length: 0"))),
    Hostile("poison-in-a-media-type", fixed(whole(b"{}", FLAT)), ANYWHERE, GET, 40),
    Hostile("poison-in-lists", made(_lists), LISTS, GET, 20),
    Hostile("poison-in-manifests", made(_manifest)),
    Hostile("poison-in-a-location", located("/" + _PLAIN), UPLOADS, ALL),
    Hostile("poison-in-a-redirect", redirect("/v2/" + _PLAIN)),
    Hostile("poison-in-a-challenge", fixed(_REFUSED), ANYWHERE, ALL, 0, LOGIN, endings=REFUSALS),
    Hostile("poison-in-a-challenge-later", fixed(_REFUSED), ANYWHERE, ALL, 60, LOGIN),
    Hostile(
        "poison-in-a-token",
        fixed(whole(json.dumps({"token": POISON, "error": POISON, POISON: POISON}).encode())),
        TOKENS,
        GET,
        60,
        LOGIN,
        gated=True,
    ),
    Hostile("poison-in-events", methods=frozenset(), pesters=body(poisoned_events), listens=True),
)
CASES = tuple(dataclasses.replace(case, shown=True) for case in _CASES)
