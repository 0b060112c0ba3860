"""Referrers: the manifests whose subject is a given digest."""

from __future__ import annotations

import asyncio
import json

from reference import errors
from reference.documents import OCI_INDEX, Document, Json, parse
from reference.grammar import is_digest
from reference.messages import Request, Response, encode_value
from reference.resources import next_link
from reference.storage import Manifest, Storage

_PAGE_BYTES = 4_000_000


class Referrers:
    """/v2/NAME/referrers/DIGEST."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.page_bytes = _PAGE_BYTES

    async def listing(self, request: Request) -> Response:
        """An image index of the referrers; 200 and empty where there are none."""
        self.check_digest(request.reference)
        await self.storage.load_referrers(request.name)
        found = await asyncio.to_thread(self.collect, request.name, request.reference)
        wanted = request.query.get("artifactType")
        if wanted is not None:
            found = self.select(found, wanted)
        page, last = self.page(found, request.query.get("last"))
        response = Response.json(self.document(page), media_type=OCI_INDEX)
        if wanted is not None:
            response.headers.add("OCI-Filters-Applied", "artifactType")
        if last is not None:
            kept = f"artifactType={encode_value(wanted)}&" if wanted is not None else ""
            response.headers.add(*next_link(request, f"{kept}last={encode_value(last)}"))
        return response

    def check_digest(self, digest: str) -> None:
        """Refuse what is no digest."""
        if not is_digest(digest):
            raise errors.digest_invalid(digest)

    def collect(self, name: str, subject: str) -> list[Json]:
        """The descriptors, sorted by digest."""
        manifests = [self.storage.manifest(name, digest) for digest in sorted(self.storage.referrers(name, subject))]
        return [self.describe(manifest) for manifest in manifests if manifest is not None]

    def describe(self, manifest: Manifest) -> Json:
        """The descriptor of one referrer."""
        document = Document(manifest.media_type, parse(manifest.content))
        descriptor: Json = {
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": len(manifest.content),
        }
        if document.artifact_type is not None:
            descriptor["artifactType"] = document.artifact_type
        if document.members.get("annotations"):
            descriptor["annotations"] = document.members["annotations"]
        return descriptor

    def select(self, found: list[Json], artifact_type: str) -> list[Json]:
        """Those of one type."""
        return [descriptor for descriptor in found if descriptor.get("artifactType") == artifact_type]

    def page(self, found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        """As many descriptors behind ``last`` as fit in one manifest; its last digest where more follow."""
        rest = [descriptor for descriptor in found if last is None or descriptor["digest"] > last]
        size = 0
        for number, descriptor in enumerate(rest):
            size += len(json.dumps(descriptor)) + 2
            if size > self.page_bytes and number:
                return rest[:number], rest[number - 1]["digest"]
        return rest, None

    def document(self, page: list[Json]) -> Json:
        """The body."""
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": page}
