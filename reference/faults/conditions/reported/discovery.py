"""Faults of the lists, after public reports."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from reference import errors
from reference.app import Registry
from reference.documents import Json
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap

_LAST = re.compile(r"last=([^&>]*)")
_OFFSET = re.compile(r"[0-9]{1,9}")


def _per_tag(registry: Registry) -> None:
    """The index has an entry for each push under another reference."""
    by_digest: set[tuple[str, str]] = set()
    collect = registry.referrers.collect

    def noted(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 201 and ":" in request.reference:
                by_digest.add((request.name, request.reference))
            return response

        return changed

    def repeated(name: str, subject: str) -> list[Json]:
        found: list[Json] = []
        for descriptor in collect(name, subject):
            digest = descriptor["digest"]
            times = len(registry.storage.tags_of(name, digest)) + ((name, digest) in by_digest)
            found += [descriptor] * max(1, times)
        return found

    wrap(registry, ("manifest.put",), noted)
    override(registry.referrers, collect=repeated)


def _without_first_component(request: Request, response: Response) -> None:
    link = response.headers.get("Link")
    first, _, rest = request.name.partition("/")
    if link and "/" in rest:
        response.headers.set("Link", link.replace(f"/v2/{first}/", "/v2/", 1))


def _offsets(registry: Registry) -> None:
    """The place in the list is a number, and what is none is no place."""

    def after(tags: Sequence[str], last: str | None) -> Sequence[str]:
        return tags[int(last) :] if last is not None and _OFFSET.fullmatch(last) else tags

    def numbered(request: Request, response: Response) -> None:
        link, size = response.headers.get("Link"), request.query.get("n") or "0"
        last = request.query.get("last") or ""
        if link:
            begin = int(last) if _OFFSET.fullmatch(last) else 0
            response.headers.set("Link", _LAST.sub(f"last={begin + int(size)}", link))

    override(registry.tags, after=after)
    on("tags.list", status=200, change=numbered)(registry)


def _own_marks(registry: Registry) -> None:
    """A page is asked for by the mark that the page before gave out."""
    marks: dict[str, str] = {}
    after = registry.tags.after

    def known(tags: Sequence[str], last: str | None) -> Sequence[str]:
        if last is not None and last not in marks:
            raise errors.unsupported(["GET"])
        return after(tags, marks[last] if last is not None else None)

    def marked(_request: Request, response: Response) -> None:
        link = response.headers.get("Link")
        found = _LAST.search(link)
        if found is not None:
            mark = base64.urlsafe_b64encode(f"next:{found[1]}".encode()).decode().rstrip("=")
            # A tag in Link needs no encoding: its characters are those that a query has.
            marks[mark] = found[1]
            response.headers.set("Link", _LAST.sub(f"last={mark}", link))

    override(registry.tags, after=known)
    on("tags.list", status=200, change=marked)(registry)


def _no_link_from_below(request: Request, response: Response) -> None:
    if (request.query.get("last") or "").count("/") > 1:
        response.headers.drop("Link")


FAULTS = (
    # project-zot/zot issue 2506: referrers list the same digest once for each of its tags.
    Fault(
        name="referrer-once-for-each-tag",
        title="A referrer is listed once for each of its tags, and once more where it was pushed by digest, too.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_per_tag,
    ),
    # renovatebot/renovate issue 15080: the Link of Artifactory lacks the key of the repository.
    Fault(
        name="tags-link-without-first-component",
        title="Link of a list of tags lacks the first component of names that have three or more.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-NAME-RESERVED-WORD",),
        apply=on("tags.list", status=200, change=_without_first_component),
    ),
    # renovatebot/renovate issue 15080, comments: in Artifactory last is the number of a tag.
    Fault(
        name="last-is-a-number-of-tags",
        title="last counts the tags of the pages before, as in Link; a tag as last is disregarded.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        also=("DISC-TAGS-LAST-WITHOUT-N", "DISC-TAGS-LAST-NOT-A-TAG"),
        apply=_offsets,
    ),
    # CodesWhat/drydock pull request 927: ECR Public takes its own marks alone and answers 405 otherwise.
    Fault(
        name="last-must-come-from-link",
        title="last is taken only as the mark that a Link has given out; a tag gets 405.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        also=("DISC-TAGS-LAST-WITHOUT-N", "DISC-TAGS-LAST-NOT-A-TAG"),
        apply=_own_marks,
    ),
    # distribution-spec issue 184: a registry takes the beginning for the place of what it does not know.
    Fault(
        name="catalog-link-lost-below",
        title="A page of the catalog behind a name of three components or more has no Link.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        apply=on("catalog.list", status=200, change=_no_link_from_below),
    ),
)
