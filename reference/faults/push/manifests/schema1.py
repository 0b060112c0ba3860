"""Faults of manifests of schema 1."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import SIGNED
from reference.messages import Request, Response
from reference.modifications import Fault, on, override


def _plain(_request: Request, response: Response) -> None:
    if response.headers.get("Content-Type") == SIGNED:
        response.headers.set("Content-Type", "application/json")


def _anywhere(registry: Registry) -> None:
    override(registry.manifests, check_place=lambda _document, _request: None)


FAULTS = (
    Fault(
        name="schema1-type-json",
        title="Signed manifests are pulled as JSON.",
        breaks=("PULL-TYPE-SCHEMA1",),
        configuration="schema1",
        apply=on("manifest.get", "manifest.head", status=200, change=_plain),
    ),
    Fault(
        name="schema1-place-unchecked",
        title="Signed manifests are taken under any name and tag.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA1-NAME-TAG-MATCH",),
        configuration="schema1",
        apply=_anywhere,
    ),
)
