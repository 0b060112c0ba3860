"""Variants of the catalog."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Variant, answers, on, override
from reference.variants.discovery.shared import unsupported_operation, written_lately


def _repositories_later(registry: Registry) -> None:
    recent = written_lately(registry, "put_manifest", lambda name, _manifest, _subject: (name,))
    listed = registry.storage.repositories
    override(registry.storage, repositories=lambda: [name for name in listed() if not recent((name,))])


def _admins(_request: Request, response: Response) -> None:
    refused = errors.RegistryError(403, (errors.ErrorEntry("DENIED", "the catalogue is for administrators"),))
    response.status, response.body = refused.status, refused.body()
    response.headers.set("Content-Type", "application/json")
    response.headers.drop("Link")


VARIANTS = (
    Variant(
        name="repositories-listed-later",
        title="A repository stands in the catalogue a while after it can be used.",
        latitude=("EVENTUAL-CONSISTENCY",),
        options=("--settle", "2"),
        apply=_repositories_later,
    ),
    Variant(
        name="catalog-unsupported",
        title="There is no catalog.",
        latitude=("CATALOG-UNSUPPORTED-OR-PARTIAL",),
        lacks=("catalog",),
        apply=unsupported_operation("catalog.list"),
    ),
    Variant(
        name="catalog-empty",
        title="The catalog shows nothing.",
        latitude=("CATALOG-UNSUPPORTED-OR-PARTIAL",),
        apply=on("catalog.list", status=200, change=lambda _request, _response: Response.json({"repositories": []})),
    ),
    Variant(
        name="catalog-for-admins",
        title="The catalogue returns 403.",
        latitude=("CATALOG-UNSUPPORTED-OR-PARTIAL",),
        lacks=("catalog",),
        apply=answers("catalog.list", change=_admins),
    ),
)
