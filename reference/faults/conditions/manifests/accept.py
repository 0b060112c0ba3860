"""Faults of manifests that show with some forms of Accept."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Manifest

_ACCEPTED = 8
_TYPES = 5
_ACCEPT = 128
_FIELD_255 = 255
#: The buffer for a header field.
_FIELD_200 = 200
_HEADER_BUFFER = 255


def _eight_types(registry: Registry) -> None:
    """What Accept says behind its eighth type is not read."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            wanted = ",".join(request.headers.all("accept")).split(",")
            first = {each.partition(";")[0].strip().lower() for each in wanted[:_ACCEPTED]}
            kept = response.headers.get("content-type").lower() in first or "*/*" in first
            if response.status == 200 and len(wanted) > _ACCEPTED and not kept:
                raise errors.manifest_unknown(request.reference)
            return response

        return changed

    wrap(registry, ["manifest.get", "manifest.head"], around)


def _few_types(registry: Registry) -> None:
    """Of the types in Accept those are looked at for which there is room."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        listed = [each.partition(";")[0].strip().lower() for each in ",".join(request.headers.all("accept")).split(",")]
        seen = listed[:_TYPES]
        if len(listed) > _TYPES and "*/*" not in seen and manifest.media_type.lower() not in seen:
            raise errors.manifest_unknown(request.reference)
        return manifest

    override(registry.manifests, negotiate=negotiate)


def _accept_cut(registry: Registry) -> None:
    """What is looked for in Accept is the type of an index, in its first 128 characters."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        accept = ", ".join(request.headers.all("accept")).lower()
        wanted = manifest.media_type.lower()
        if wanted in INDEXES and wanted in accept and wanted not in accept[:_ACCEPT] and "*/*" not in accept[:_ACCEPT]:
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _weights(request: Request) -> list[tuple[float, str]]:
    """The types of Accept with their weights; empty where none has one."""
    entries = [entry.strip() for field in request.headers.all("accept") for entry in field.split(",")]
    found: list[tuple[float, str]] = []
    for entry in entries:
        media_type, *parameters = [part.strip() for part in entry.split(";")]
        weight = next((part[2:] for part in parameters if part[:2].lower() == "q="), "1")
        if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight) is not None:
            found.append((float(weight), media_type))
    return found if "q=" in "".join(entries).replace(" ", "").lower() else []


def _heaviest_type(registry: Registry) -> None:
    """The label is the type with the greatest weight, whatever the manifest is of."""

    def change(request: Request, response: Response) -> None:
        weights = [(weight, media_type) for weight, media_type in _weights(request) if "*" not in media_type]
        stored = response.headers.get("content-type")
        best = max(weights, key=lambda pair: pair[0], default=(0.0, stored))
        own = max((weight for weight, media_type in weights if media_type == stored), default=0.0)
        if best[0] > own:
            response.headers.set("Content-Type", best[1])

    on("manifest.get", status=200, change=change)(registry)


def _accept_of_255_characters(registry: Registry) -> None:
    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        if len(accept) <= _FIELD_255:
            return manifest
        whole = accept[:_FIELD_255].rpartition(",")[0].split(",")
        types = {each.partition(";")[0].strip().lower() for each in whole}
        if types & {manifest.media_type.lower(), "*/*", "application/*"}:
            return manifest
        raise errors.manifest_unknown(request.reference)

    override(registry.manifests, negotiate=negotiate)


def _cut_accept(registry: Registry) -> None:
    """Accept is read as far as its buffer goes."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        read = accept[:_FIELD_200]
        if len(accept) > _FIELD_200 and manifest.media_type not in read and "*/*" not in read:
            raise errors.manifest_unknown(request.reference)
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


def _accept_in_buffer(registry: Registry) -> None:
    """Accept is read as far as its buffer goes."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept")).lower()
        seen = accept[:_HEADER_BUFFER]
        if len(accept) > len(seen) and "*" not in seen and manifest.media_type.lower() not in seen:
            raise errors.manifest_unknown(request.reference)
        return manifest

    override(registry.manifests, negotiate=negotiate)


FAULTS = (
    Fault(
        name="accept-behind-the-eighth-unread",
        title="A manifest whose type Accept names behind eight others gets 404.",
        breaks=("PULL-ACCEPT-LIST", "PULL-ACCEPT-EXACT", "PULL-MANIFEST-GET-TAG-200"),
        apply=_eight_types,
    ),
    Fault(
        name="accept-beyond-the-fifth",
        title="A type that is the sixth in Accept, or later, does not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=("PULL-ACCEPT-REPEATED-FIELD",),
        apply=_few_types,
    ),
    Fault(
        name="index-late-in-accept-unknown",
        title="An index gets 404 where its type stands behind the first 128 characters of Accept.",
        breaks=("PULL-ACCEPT-LIST",),
        also=("PULL-ACCEPT-INDEX-INTACT", "PULL-ACCEPT-REPEATED-FIELD", "PULL-ACCEPT-DOCKER-LIST"),
        apply=_accept_cut,
    ),
    Fault(
        name="label-of-greatest-weight",
        title="A manifest is labelled with the type of the greatest weight in Accept.",
        breaks=("PULL-ACCEPT-LIST", "PULL-ACCEPT-MISMATCH", "PULL-MANIFEST-GET-CONTENT-TYPE"),
        also=("PULL-ACCEPT-EXACT", "PULL-ACCEPT-INDEX-INTACT", "PULL-ACCEPT-DIGEST-NOT-CONVERTED"),
        apply=_heaviest_type,
    ),
    Fault(
        name="accept-of-255-characters",
        title="The types behind the first 255 characters of Accept do not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=("PULL-ACCEPT-REPEATED-FIELD", "PULL-ACCEPT-QVALUE", "PULL-ACCEPT-EXACT", "PULL-ACCEPT-INDEX-INTACT"),
        apply=_accept_of_255_characters,
    ),
    Fault(
        name="accept-of-200-characters",
        title="A type that stands behind the first 200 characters of Accept does not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=(
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-QVALUE",
            "PULL-ACCEPT-EXACT",
        ),
        apply=_cut_accept,
    ),
    Fault(
        name="accept-after-255-characters-ignored",
        title="A type that stands behind the first 255 characters of Accept does not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=("PULL-ACCEPT-REPEATED-FIELD", "PULL-ACCEPT-QVALUE", "PULL-ACCEPT-CASE", "PULL-ACCEPT-INDEX-INTACT"),
        apply=_accept_in_buffer,
    ),
)
