"""Variants of the parameter tag of a push."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Variant, on, override


def _tags_ignored(registry: Registry) -> None:
    def without(request: Request) -> None:
        request.query.pairs = [pair for pair in request.query.pairs if pair[0] not in ("tag", "digest-algorithm")]

    check = registry.check_allowed

    def changed(request: Request) -> None:
        without(request)
        check(request)

    override(registry, check_allowed=changed)
    on("manifest.put", change=lambda _request, response: response.headers.drop("OCI-Tag"))(registry)


def _tags_listed(_request: Request, response: Response) -> None:
    tags = response.headers.all("OCI-Tag")
    response.headers.drop("OCI-Tag")
    if tags:
        response.headers.add("OCI-Tag", " , ".join(reversed(tags[:2])))
    for tag in tags[2:]:
        response.headers.add("OCI-Tag", tag)


VARIANTS = (
    Variant(
        name="parameters-ignored",
        title="Parameters of the newest version are ignored.",
        latitude=("TAG-PARAM-UNSUPPORTED", "QUERY-UNKNOWN-PARAMETERS"),
        lacks=("tag-parameters",),
        apply=_tags_ignored,
    ),
    Variant(
        name="oci-tag-in-lists",
        title="OCI-Tag comes in several fields, the first of which is a list.",
        latitude=("TAG-PARAM-UNSUPPORTED",),
        apply=on("manifest.put", status=201, change=_tags_listed),
    ),
)
