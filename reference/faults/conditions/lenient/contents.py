"""Faults that depend on what a document or blob has in it, or on how its bytes are sent."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.documents import OCI_INDEX, Json
from reference.faults.conditions.incidents.shared import document_of, unlisted_referrers
from reference.faults.shared import blobs_rewritten, body_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest

_LIMIT = 4 << 20


@around("manifest.put")
async def _no_zero_characters(_registry: Registry, request: Request, handler: Handler) -> Response:
    content = await request.body(_LIMIT) or b""
    if b"\\u0000" in content:
        raise errors.RegistryError(500)
    request.body = body_of(content)  # type: ignore[method-assign, assignment]  # it was read already
    return await handler(request)


def _described(registry: Registry, change: str) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        annotations = descriptor.get("annotations")
        if change == "empty" and isinstance(annotations, dict):
            descriptor["annotations"] = {key: value for key, value in annotations.items() if value != ""}
        if change == "case" and isinstance(descriptor.get("artifactType"), str):
            descriptor["artifactType"] = descriptor["artifactType"].lower()
        return descriptor

    override(registry.referrers, describe=changed)


def _no_cycles(registry: Registry) -> None:
    hidden = unlisted_referrers(registry)
    put = registry.storage.put_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        if manifest.media_type == OCI_INDEX and subject in document_of(manifest).children:
            hidden.add((name, manifest.digest))

    override(registry.storage, put_manifest=stored)


def _included(data: bytes) -> bytes:
    return re.sub(rb"<esi:[^>]*>", b"", data)


FAULTS = (
    Fault(
        name="annotation-with-zero-character-500",
        title="The push of a manifest with the character U+0000 in an annotation gets 500.",
        breaks=(
            "PUSH-MANIFEST-ANNOTATIONS-KEPT",
            "BASE-ERROR-STRANGE-INPUT",
        ),
        also=("PUSH-MANIFEST-OVERSIZE-413",),
        apply=_no_zero_characters,
    ),
    Fault(
        name="annotations-without-value-unlisted",
        title="A referrer is listed without those of its annotations whose value is empty.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=lambda registry: _described(registry, "empty"),
    ),
    Fault(
        name="artifact-type-in-small-letters",
        title="The artifactType of a referrer is listed in small letters.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",),
        apply=lambda registry: _described(registry, "case"),
    ),
    Fault(
        name="index-of-its-subject-unlisted",
        title="An index that lists the manifest that is its subject is not among the referrers of that.",
        breaks=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_no_cycles,
    ),
    Fault(
        name="blob-without-edge-includes",
        title="A blob that has tags of Edge Side Includes in it comes without them.",
        breaks=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
        ),
        apply=blobs_rewritten(_included),
    ),
)
