"""Ordinary requests (a small image, blob, chunk, deletion) as controls beside a refusal."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any, ClassVar

from conformance.client.http.exchange import Exchange, Response
from conformance.client.registry import OCI_INDEX, Repository, upload_location
from conformance.target.content import Maker, Manifest, digest_of, index
from conformance.target.setup import SetUp

_SIZE = 64


def kind_of(exchange: Exchange) -> str:
    """Return the kind of a request: its operation, and whether a manifest is by tag or digest."""
    reference = exchange.parameters.get("reference")
    if reference is None or not exchange.operation.startswith("manifest."):
        return exchange.operation
    return f"{'digest' if ':' in reference else 'tag'}.{exchange.operation}"


class OrdinaryRequests:
    """Ordinary requests of one repository; each returns its last answer, or the first refusal."""

    #: The kinds of requests that there are.
    KINDS: ClassVar[dict[str, Callable[[OrdinaryRequests, int], Response]]]

    def __init__(self, repo: Repository, seed: str) -> None:
        self._repo = repo
        self._make = Maker(seed)

    def ask(self, kind: str, size: int = _SIZE) -> Response:
        """Send a request of a kind; bodies of blobs have a size in bytes."""
        return self.KINDS[kind](self, size)

    def start(self, _size: int = 0) -> Response:
        """Start an upload, and give it up."""
        answer = self._repo.start_upload()
        if location := upload_location(answer):
            self._repo.cancel_upload(location)
        return answer

    def chunk(self, size: int) -> Response:
        """Send a chunk to a new upload, and give it up."""
        answer = self._repo.start_upload()
        location = upload_location(answer)
        if not answer.ok or location is None:
            return answer
        data = self._make.bytes(max(size, self._repo.least_chunk(answer)))
        answer = self._repo.patch_upload(location, data, f"0-{len(data) - 1}")
        self._repo.cancel_upload(upload_location(answer) or location)
        return answer

    def blob(self, size: int) -> Response:
        """Push a blob with POST and PUT."""
        return self._pushed(self._make.bytes(size))

    def _pushed(self, content: bytes) -> Response:
        start = self._repo.start_upload()
        location = upload_location(start)
        if not start.ok or location is None:
            return start
        return self._repo.put_upload(location, digest_of(content), content)

    def tagged(self, _size: int = 0) -> Response:
        """Push an image under a tag."""
        return self.image(self._make.tag())

    def untagged(self, _size: int = 0) -> Response:
        """Push an image by its digest."""
        return self.image(None)

    def image(self, tag: str | None, types: dict[str, Any] | None = None) -> Response:
        """Push an image with artifactType, ``config_type`` and ``layer_type``, or an index."""
        members = dict(types or {})
        wrapped = members.pop("index", False)
        config = self._make.config()
        answer = self._pushed(config.content)
        if not answer.ok:
            return answer
        manifest = SetUp.unpushed_image([config], **({} if wrapped else members))
        if wrapped:
            answer = self._put(manifest, None)
            if not answer.ok:
                return answer
            manifest = Manifest.of(index([manifest.descriptor()], **members), OCI_INDEX)
        return self._put(manifest, tag)

    def _put(self, manifest: Manifest, tag: str | None) -> Response:
        return self._repo.put_manifest(tag or manifest.digest, manifest.body, manifest.media_type)

    def moved(self) -> Response:
        """Push an image to a tag that another has."""
        tag = self._make.tag()
        answer = self.image(tag)
        return self.image(tag) if answer.ok else answer

    def pushed_again(self) -> Response:
        """Push an image, delete it, and push it again."""
        tag = self._make.tag()
        answer = self.image(tag)
        sent = next((e.request.body for e in answer.trail if e.operation == "manifest.put"), None)
        if not answer.ok or sent is None:
            return answer
        answer = self._repo.delete_manifest(digest_of(sent))
        return self._repo.put_manifest(tag, sent) if answer.ok else answer

    def tag_like(self, tag: str) -> str:
        """Return another tag of the same form: with signs and capitals at the same places."""
        kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        pick = self._make.random.choice
        return "".join(next((pick(kind) for kind in kinds if letter in kind), letter) for letter in tag)

    def delete_tag(self, _size: int = 0) -> Response:
        """Push an image under a tag, and delete the tag."""
        tag = self._make.tag()
        answer = self.image(tag)
        return self._repo.delete_manifest(tag) if answer.ok else answer

    def delete_manifest(self, _size: int = 0) -> Response:
        """Push an image under a tag, and delete the image."""
        answer = self.image(self._make.tag())
        if not answer.ok:
            return answer
        sent = next((e.request.body for e in answer.trail if e.operation), None) or b""
        return self._repo.delete_manifest(digest_of(sent))

    def delete_blob(self, size: int) -> Response:
        """Push a blob, and delete it."""
        content = self._make.bytes(size)
        answer = self._pushed(content)
        return self._repo.delete_blob(digest_of(content)) if answer.ok else answer


OrdinaryRequests.KINDS = {
    "upload.start": OrdinaryRequests.start,
    "upload.start-digest": OrdinaryRequests.blob,
    # Where no upload may be started, nothing is mounted either.
    "upload.mount": OrdinaryRequests.start,
    "upload.patch": OrdinaryRequests.chunk,
    "upload.put": OrdinaryRequests.blob,
    "tag.manifest.put": OrdinaryRequests.tagged,
    "digest.manifest.put": OrdinaryRequests.untagged,
    "tag.manifest.delete": OrdinaryRequests.delete_tag,
    "digest.manifest.delete": OrdinaryRequests.delete_manifest,
    "blob.delete": OrdinaryRequests.delete_blob,
}
