"""Targets that send the client elsewhere: redirects, Locations and Links."""

from __future__ import annotations

import time

from tests.hostile.answers import fixed, link_without_end, linked, listing, located, made, redirect, whole
from tests.hostile.case import ALL, ANYWHERE, GET, LISTS, LOGIN, POST, TAGS, UPLOADS, WRITES, Hostile
from tests.hostile.proxy import Answer, Asked

_SESSIONS = frozenset({"POST", "PATCH", "PUT"})
_STRANGER = "http://localhost:{stranger}/stolen"
_HOOK = "http://127.0.0.1:{hook}/events"
#: Other things of the target's own that a client would not ask for by itself.
_OWN = "/v2/{name}/manifests/latest"


def _asks_again(asked: Asked) -> bytes:
    """Wants a login, by Basic, and then sends whoever has one elsewhere."""
    if "authorization" in asked.headers:
        where = f"Location: http://localhost:{asked.proxy.stranger}/stolen"
        return whole(b"", "a/b", "307 Temporary Redirect", where)
    return whole(b"{}", "application/json", "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')


def _many_links(asked: Asked) -> bytes:
    """Ten thousand Links, as many as a line has room for on each."""
    links = ("Link: " + ", ".join(['</v2/x>; rel="next"'] * 3000),) * 4
    return whole(b"{}", "application/json", "200 OK", *links)


def _large_page(asked: Asked) -> bytes:
    """A page as large as any that is read, which has another behind it."""
    entries = '{"digest": "x"}' if "/referrers/" in asked.target else '"' + "t" * 100 + '"'
    body = listing(asked, ", ".join([entries] * 38_000))
    path = asked.target.partition("?")[0]
    return whole(body, "application/json", "200 OK", f'Link: <{path}?n=1&last={time.monotonic_ns()}>; rel="next"')


def _link(value: str) -> Answer:
    return fixed(whole(b"{}", "application/json", "200 OK", f"Link: {value}"))


_REDIRECTS = (
    Hostile("redirects-in-a-circle", redirect("{target}")),
    Hostile("redirects-without-end", redirect("{target}{more}")),
    Hostile("redirects-of-writes-in-a-circle", redirect("{target}"), ANYWHERE, WRITES),
    Hostile("redirects-to-a-file", redirect("file:///etc/passwd"), ANYWHERE, ALL, 60),
    Hostile("redirects-to-javascript", redirect("javascript:alert(1)")),
    Hostile("redirects-to-data", redirect("data:application/json,{{}}")),
    Hostile("redirects-to-nowhere", redirect("http://127.0.0.1:1/")),
    Hostile("redirects-to-nonsense", redirect("http://[::1:bad/\x01")),
    Hostile("redirects-to-a-port-that-is-none", redirect("http://127.0.0.1:99999/")),
    Hostile("redirects-to-itself-as-a-user", redirect("http://u:p@127.0.0.1:{own}/v2/"), env=LOGIN),
    Hostile("redirects-to-another-path", redirect(_OWN), ANYWHERE, ALL, 60),
    Hostile("redirects-to-another-host", redirect(_STRANGER), env=LOGIN),
    Hostile("redirects-writes-to-another-host", redirect(_STRANGER), ANYWHERE, WRITES, 40, LOGIN),
    Hostile("redirects-logins-to-another-host", made(_asks_again), ANYWHERE, ALL, 60, LOGIN),
    Hostile("redirects-tokens-to-another-host", redirect(_STRANGER), ANYWHERE, ALL, 60, LOGIN, gated=True),
    Hostile("redirects-to-the-listener", redirect(_HOOK), ANYWHERE, ALL, 60, listens=True),
    Hostile("redirects-without-place", redirect("")),
)

_LOCATIONS = (
    Hostile("location-of-a-file", located("file:///etc/passwd"), UPLOADS, POST),
    Hostile("location-of-a-file-later", located("file:///etc/passwd"), UPLOADS, frozenset({"PATCH"})),
    Hostile("location-of-another-host", located(_STRANGER), UPLOADS, POST, 40, LOGIN),
    Hostile("location-of-another-host-later", located(_STRANGER), UPLOADS, frozenset({"PATCH"}), 40, LOGIN),
    Hostile("location-of-another-host-for-all", located(_STRANGER), UPLOADS, _SESSIONS, 40, LOGIN),
    Hostile("location-of-another-host-for-a-token", located(_STRANGER), UPLOADS, _SESSIONS, 60, LOGIN, gated=True),
    Hostile("location-of-the-listener", located(_HOOK), UPLOADS, _SESSIONS, 40, listens=True),
    Hostile("location-of-another-path", located(_OWN), UPLOADS, _SESSIONS),
    Hostile("location-of-itself", located("{target}"), UPLOADS, _SESSIONS),
    Hostile("location-very-long", located("/v2/" + "a/" * 30_000), UPLOADS, POST),
    Hostile("location-of-control-characters", located("/v2/\x01\x7f\xa0 \t/x"), UPLOADS, POST),
    Hostile("location-of-nonsense", located("http://[::1:bad/"), UPLOADS, POST),
    Hostile("location-with-a-login", located("http://somebody:secret@127.0.0.1:{own}/v2/x"), UPLOADS, POST),
    Hostile("location-with-a-token", located("/v2/x?t=eyJhbGciOiJ.eyJzdWIiOiJ.c2lnbmF0dXJl"), UPLOADS, POST),
    Hostile("location-without-anything", located(""), UPLOADS, POST),
)

_LINKS = (
    Hostile("link-without-end", made(link_without_end), TAGS, GET),
    Hostile("link-without-end-of-large-pages", made(_large_page), LISTS, GET, 20),
    Hostile("link-to-itself", linked("{target}"), LISTS, GET),
    Hostile("link-to-another-host", linked(_STRANGER), LISTS, GET, 20, LOGIN),
    Hostile("link-to-another-host-with-a-token", linked(_STRANGER), LISTS, GET, 60, LOGIN, gated=True),
    Hostile("link-to-a-file", linked("file:///etc/passwd"), LISTS, GET, 20),
    Hostile("link-to-the-listener", linked(_HOOK), LISTS, GET, 20, listens=True),
    Hostile("link-to-nonsense", linked("http://[::1:bad/\x01"), LISTS, GET, 20),
    Hostile("link-very-long", linked("/v2/x?n=" + "1" * 60_000), LISTS, GET, 20),
    Hostile("link-very-many", made(_many_links), LISTS, GET, 20),
    Hostile("link-never-closed", _link("<" * 60_000), LISTS, GET),
    Hostile("link-of-quotes", _link('<a>;"' + '\\"' * 20_000), LISTS, GET),
)

CASES = (*_REDIRECTS, *_LOCATIONS, *_LINKS)
