"""Manifests: pushed, pulled by tag or digest, and deleted.

A pull gives the stored manifest under its own type whatever Accept says: RFC 9110 lets a server
disregard it, and Docker's rewrite to schema 1 is deprecated by its own documentation.
"""

from __future__ import annotations

from reference import errors, schema1
from reference.documents import Document, parse, read
from reference.grammar import digest_of, is_digest, is_supported, is_tag
from reference.messages import Notice, Request, Response
from reference.resources import matches, matches_strongly, url
from reference.storage import Manifest, Storage

_TAG_LIMIT = 100


class Manifests:
    """/v2/NAME/manifests/REFERENCE."""

    def __init__(self, storage: Storage, host: str, limit: int, schema1_enabled: bool = False) -> None:
        self.storage = storage
        self.host = host
        self.limit = limit
        self.schema1_enabled = schema1_enabled

    async def get(self, request: Request) -> Response:
        """GET and HEAD."""
        manifest = self.find(request.name, request.reference)
        if manifest is None:
            raise self.unknown(request)
        manifest = self.negotiate(request, manifest)
        etag = f'"{manifest.digest}"'
        headers = [("Docker-Content-Digest", manifest.digest), ("ETag", etag)]
        condition = ",".join(request.headers.all("if-none-match"))
        if condition and matches(condition, etag):
            return Response(304, headers)
        response = Response(200, [("Content-Type", manifest.media_type), *headers], manifest.content)
        tag = "" if ":" in request.reference else request.reference
        return response.tells(self.notice("pull", manifest, tag))

    def negotiate(self, _request: Request, manifest: Manifest) -> Manifest:
        """What is sent of what was found."""
        return manifest

    def find(self, name: str, reference: str) -> Manifest | None:
        """The manifest that a reference means in this repository."""
        digest = self.resolve(name, reference)
        if digest is None:
            return None
        manifest = self.storage.manifest(name, digest)
        if manifest is None and ":" not in reference:
            # Another process may have moved the tag, and deleted the manifest, between the two looks.
            with self.storage.as_one():
                digest = self.resolve(name, reference)
                return self.storage.manifest(name, digest) if digest is not None else None
        return manifest

    def resolve(self, name: str, reference: str) -> str | None:
        """The digest that a reference means; refused where it is neither tag nor digest."""
        self.check_reference(reference)
        if ":" not in reference:
            return self.storage.tag(name, reference)
        return reference if is_supported(reference) else None

    def check_reference(self, reference: str) -> None:
        """Refuse what is neither a tag nor a digest."""
        if ":" in reference:
            if not is_digest(reference):
                raise errors.digest_invalid(reference)
        elif not is_tag(reference):
            raise errors.reference_invalid(reference)

    def unknown(self, request: Request) -> errors.RegistryError:
        """Why it was not found."""
        if not self.storage.exists(request.name):
            return errors.name_unknown(request.name)
        return errors.manifest_unknown(request.reference)

    async def put(self, request: Request) -> Response:
        """Store a manifest under its digest, and tag it."""
        tags = self.tags(request)
        content = await request.body(self.limit)
        if content is None:
            raise errors.manifest_too_large(self.limit)
        content_type = request.headers.get("content-type")
        signed = self.schema1_enabled and schema1.is_signed(content_type)
        digest = self.digest(request.reference, schema1.payload(content) if signed else content)
        document = read(content, content_type, schema1=signed)
        if signed:
            self.check_place(document, request)
        manifest = Manifest(digest, document.media_type, content)
        async with self.storage.prepared(manifest, tags):
            # From here on nothing is waited for: what is looked at is still so when the manifest is stored.
            self.check_references(request.name, document)
            self.check_condition(request)
            self.storage.put_manifest(request.name, manifest, document.subject)
            for tag in tags:
                self.storage.set_tag(request.name, tag, digest)
        notices = [self.notice("push", manifest, tag) for tag in tags or [""]]
        return self.created(request, manifest, document).tells(*notices)

    def check_place(self, document: Document, request: Request) -> None:
        """Refuse a manifest of schema 1 that names another repository or tag."""
        schema1.check_place(document.members, request.name, request.reference)

    def notice(self, action: str, manifest: Manifest, tag: str) -> Notice:
        """That a manifest was pulled or pushed."""
        size = len(manifest.content)
        return Notice(action, manifest.digest, "manifests", manifest.media_type, size, tag, content=manifest.content)

    def tags(self, request: Request) -> list[str]:
        """The tags that a push creates: the reference, or the tag parameters of a push by digest."""
        reference = request.reference
        if ":" not in reference:
            self.check_tag(reference)
            return [reference]
        tags = list(dict.fromkeys(request.query.all("tag")))
        if len(tags) > _TAG_LIMIT:
            raise errors.too_many_tags(_TAG_LIMIT)
        for tag in tags:
            self.check_tag(tag)
        return tags

    def check_tag(self, tag: str) -> None:
        """Refuse to create a tag outside the grammar."""
        if not is_tag(tag):
            raise errors.manifest_invalid(f"invalid tag {tag[:200]!r}")

    def digest(self, reference: str, content: bytes) -> str:
        """The digest to store under, verified where the client gave it."""
        if ":" not in reference:
            return digest_of(content)
        if not is_supported(reference):
            raise errors.digest_invalid(reference, "malformed digest, or of an unsupported algorithm")
        self.check_digest(reference, digest_of(content, reference.split(":", 1)[0]))
        return reference

    def check_digest(self, claimed: str, computed: str) -> None:
        """Refuse content that is not what the client says."""
        if claimed != computed:
            raise errors.digest_invalid(claimed)

    def check_condition(self, request: Request) -> None:
        """Refuse to move a tag that leads to something else than the client knows."""
        condition = ",".join(request.headers.all("if-match"))
        if condition:
            present = self.find(request.name, request.reference)
            if not matches_strongly(condition, f'"{present.digest}"' if present is not None else None):
                raise errors.condition_failed()

    def check_references(self, name: str, document: Document) -> None:
        """Refuse a manifest whose content is not in the repository. An absent subject is no obstacle."""
        missing = [blob for blob in document.blobs if not (is_supported(blob) and self.storage.has_blob(name, blob))]
        missing += [child for child in document.children if not self.holds(name, child)]
        if missing:
            raise errors.references_unknown(missing)

    def holds(self, name: str, digest: str) -> bool:
        """Whether an entry of an index exists; one of an unknown type may be a blob."""
        if not is_supported(digest):
            return False
        return self.storage.manifest(name, digest) is not None or self.storage.has_blob(name, digest)

    def created(self, request: Request, manifest: Manifest, document: Document) -> Response:
        """The manifest is there."""
        location = url(self.host, f"/v2/{request.name}/manifests/{manifest.digest}")
        response = Response(201, [("Location", location), ("Docker-Content-Digest", manifest.digest)])
        if document.subject is not None:
            response.headers.add("OCI-Subject", document.subject)
        if ":" in request.reference:
            for tag in self.tags(request):
                response.headers.add("OCI-Tag", tag)
        return response

    async def delete(self, request: Request) -> Response:
        """Delete a tag alone, or a manifest and the tags that point to it."""
        self.check_reference(request.reference)
        if ":" in request.reference:
            await self.storage.load_tags_of(request.name)
        with self.storage.as_one():
            if self.resolve(request.name, request.reference) is None or not self.find(request.name, request.reference):
                raise self.unknown(request)
            if ":" in request.reference:
                self.remove(request.name, request.reference)
                return Response(202).tells(Notice("delete", request.reference))
            self.remove_tag(request.name, request.reference)
        return Response(202).tells(Notice("delete", tag=request.reference))

    def remove_tag(self, name: str, tag: str) -> None:
        """Remove a tag from the storage."""
        self.storage.delete_tag(name, tag)

    def remove(self, name: str, digest: str) -> None:
        """Remove a manifest from the storage."""
        manifest = self.storage.manifest(name, digest)
        if manifest is None:
            return
        self.remove_tags_of(name, digest)
        subject = Document(manifest.media_type, parse(manifest.content)).subject
        self.storage.delete_manifest(name, digest, subject)

    def remove_tags_of(self, name: str, digest: str) -> None:
        """Remove the tags that point to a manifest."""
        for tag in self.storage.tags_of(name, digest):
            self.storage.delete_tag(name, tag)
