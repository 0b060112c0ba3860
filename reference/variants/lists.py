"""Variants of lists: order, pages, links, and lists that are not there."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import OCI, Apply, Variant, answers, both, drop_header, on, override

_LIMIT = 3
_LISTS = ("tags.list", "catalog.list", "referrers.list")


def _ascii(registry: Registry) -> None:
    override(
        registry.tags,
        order=sorted,
        after=lambda tags, last: tags if last is None else [tag for tag in tags if tag > last],
    )


def _limited(registry: Registry) -> None:
    """Never more than three tags at once, with a Link to the rest."""
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        asked = request.query.get("n")
        if asked is None or (asked.isdecimal() and int(asked) > _LIMIT):
            request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "n"] + [("n", str(_LIMIT))]
        return await listing(request)

    registry.handlers["tags.list"] = changed


def _cursor(registry: Registry) -> None:
    """The Link has an opaque cursor, is absolute, and stands among others."""
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        cursor = request.query.get("cursor")
        if cursor is not None:
            pairs = json.loads(base64.urlsafe_b64decode(cursor))
            others = [pair for pair in request.query.pairs if pair[0] != "cursor"]
            request.query.pairs = [*((key, value) for key, value in pairs), *others]
        response = await listing(request)
        if "Link" in response.headers:
            last = json.loads(response.body)["tags"][-1]
            pairs = [("n", request.query.get("n") or ""), ("last", last)]
            token = base64.urlsafe_b64encode(json.dumps(pairs).encode()).decode()
            where = f"{request.scheme}://{request.headers.get('host')}{request.path}?cursor={token}"
            response.headers.set("Link", f'</help>; rel="help", <{where}>; title="more; tags"; rel=next')
        return response

    registry.handlers["tags.list"] = changed


def _charset(_request: Request, response: Response) -> None:
    if response.headers.get("Content-Type") == "application/json":
        response.headers.set("Content-Type", "Application/JSON; charset=utf-8")


def _loose(_request: Request, response: Response) -> None:
    """Other white space, order and escapes, and members that nobody knows."""
    if (response.status != 200 and response.status < 400) or not response.body:
        return
    body = json.loads(response.body)
    text = json.dumps({"x-comment": "\u00e9", **dict(reversed(body.items()))}, indent=3)
    response.body = f"\n{text}\n".encode()


def _unsupported(operation: str, status: int = 404) -> Apply:
    def apply(registry: Registry) -> None:
        async def refuse(_request: Request) -> Response:
            return Response(status)

        registry.handlers[operation] = refuse

    return apply


def _unfiltered(registry: Registry) -> None:
    override(registry.referrers, select=lambda found, _artifact_type: found)
    on("referrers.list", change=drop_header("OCI-Filters-Applied"))(registry)


def _unknown_404(registry: Registry) -> None:
    listing = registry.handlers["referrers.list"]

    async def changed(request: Request) -> Response:
        response = await listing(request)
        if not registry.storage.exists(request.name):
            raise errors.name_unknown(request.name)
        return response

    registry.handlers["referrers.list"] = changed


def _without_delete(registry: Registry) -> None:
    registry.options = replace(registry.options, delete_enabled=False)


def _delete_as(status: int, tags: bool = True, manifests: bool = True, blobs: bool = True) -> Apply:
    """Refuse some deletions."""

    def apply(registry: Registry) -> None:
        manifest_delete, blob_delete = registry.handlers["manifest.delete"], registry.handlers["blob.delete"]

        def refuse() -> errors.RegistryError:
            allow = [("Allow", "GET, HEAD, PUT")] if status == 405 else []
            return errors.RegistryError(status, (errors.ErrorEntry("UNSUPPORTED"),), allow)

        async def manifest(request: Request) -> Response:
            if (manifests and ":" in request.reference) or (tags and ":" not in request.reference):
                raise refuse()
            return await manifest_delete(request)

        async def blob(request: Request) -> Response:
            if blobs:
                raise refuse()
            return await blob_delete(request)

        registry.handlers["manifest.delete"], registry.handlers["blob.delete"] = manifest, blob

    return apply


def _more_extensions(_request: Request, response: Response) -> None:
    document = json.loads(response.body)
    more = {"name": "_acme.search-v2", "url": "https://example.com/search", "endpoints": [], "since": 3}
    document["extensions"].append(more)
    response.body = json.dumps(document).encode()


VARIANTS = (
    Variant(
        name="tags-in-ascii-order",
        title="Capitals are listed before small letters.",
        latitude=("TAGS-ORDER",),
        profiles=("docker-v2", "oci-1.2-dev"),
        warns=("DISC-TAGS-ORDER-MIXED-CASE",),
        apply=_ascii,
    ),
    Variant(
        name="tags-page-limit",
        title="Three tags at most are listed at once, with a Link.",
        latitude=("TAGS-PAGE-SMALLER",),
        profiles=("docker-v2", "oci-1.1", "oci-1.2-dev"),
        warns=("DISC-TAGS-N-FULL-PAGE",),
        apply=_limited,
    ),
    Variant(
        name="tags-cursor",
        title="The Link of a page is absolute, has an opaque cursor, and stands behind another.",
        latitude=("LINK-FORMS",),
        apply=_cursor,
    ),
    Variant(
        name="tags-without-link",
        title="A full page has no Link.",
        latitude=("TAGS-LINK-ABSENT",),
        profiles=OCI,
        warns=("DISC-TAGS-LINK-PRESENT-WHEN-MORE",),
        apply=on("tags.list", change=drop_header("Link")),
    ),
    Variant(
        name="json-with-charset",
        title="JSON is labelled with a charset, and in other letters.",
        latitude=("ERROR-CONTENT-TYPE",),
        apply=answers(change=_charset),
    ),
    Variant(
        name="json-loose",
        title="Lists and errors have other white space, another order and further members.",
        latitude=("JSON-LAYOUT", "JSON-EXTRA-MEMBERS"),
        apply=answers(*_LISTS, change=_loose),
    ),
    Variant(
        name="catalog-unsupported",
        title="There is no catalog.",
        latitude=("CATALOG-UNSUPPORTED-OR-PARTIAL",),
        lacks=("catalog",),
        apply=_unsupported("catalog.list"),
    ),
    Variant(
        name="catalog-empty",
        title="The catalog shows nothing.",
        latitude=("CATALOG-UNSUPPORTED-OR-PARTIAL",),
        apply=on("catalog.list", status=200, change=lambda _request, _response: Response.json({"repositories": []})),
    ),
    Variant(
        name="referrers-unsupported",
        title="There are no referrers, and no OCI-Subject.",
        latitude=("REFERRERS-UNSUPPORTED", "OCI-SUBJECT-ABSENT"),
        lacks=("referrers",),
        apply=both(_unsupported("referrers.list"), on("manifest.put", change=drop_header("OCI-Subject"))),
    ),
    Variant(
        name="referrers-unfiltered",
        title="The filter of referrers is ignored.",
        latitude=("REFERRERS-FILTER-NOT-APPLIED",),
        warns=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_unfiltered,
    ),
    Variant(
        name="referrers-unknown-repository-404",
        title="Referrers in an unknown repository are answered 404.",
        latitude=("REFERRERS-UNKNOWN-REPOSITORY",),
        apply=_unknown_404,
    ),
    Variant(
        name="extensions-unsupported",
        title="There is no discovery of extensions.",
        lacks=("extensions",),
        apply=_unsupported("ext.discover"),
    ),
    Variant(
        name="base-body-text",
        title="The version check has a body of text.",
        latitude=("JSON-LAYOUT",),
        apply=on(
            "base.get",
            change=lambda _request, _response: Response(200, [("Content-Type", "text/plain")], b"hello\n"),
        ),
    ),
    Variant(
        name="delete-disabled",
        title="Nothing can be deleted: 405.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-tag", "delete-manifest", "delete-blob"),
        apply=_without_delete,
    ),
    Variant(
        name="delete-disabled-400",
        title="Nothing can be deleted: 400.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-tag", "delete-manifest", "delete-blob"),
        profiles=("oci-1.1", "oci-1.2-dev"),
        warns=(
            "MGMT-MANIFEST-DELETE-DISABLED-405",
            "MGMT-BLOB-DELETE-DISABLED-405",
        ),
        apply=_delete_as(400),
    ),
    Variant(
        name="delete-tag-405",
        title="Tags cannot be deleted.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-tag",),
        apply=_delete_as(405, manifests=False, blobs=False),
    ),
    Variant(
        name="delete-blob-405",
        title="Blobs cannot be deleted.",
        latitude=("DELETE-UNSUPPORTED",),
        lacks=("delete-blob",),
        apply=_delete_as(405, tags=False, manifests=False),
    ),
    Variant(
        name="version-header-absent",
        title="There is no Docker-Distribution-API-Version.",
        latitude=("API-VERSION-HEADER-ABSENT",),
        warns=("BASE-V2-VERSION-HEADER-200", "BASE-V2-VERSION-HEADER-401"),
        apply=answers(change=drop_header("Docker-Distribution-API-Version")),
    ),
    Variant(
        name="extensions-several",
        title="There is an extension of the registry's own, without endpoints so far.",
        latitude=("PROXY-AND-EXTENSION-FEATURES", "JSON-EXTRA-MEMBERS"),
        apply=on("ext.discover", status=200, change=_more_extensions),
    ),
)
