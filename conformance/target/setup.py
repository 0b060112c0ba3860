"""Set-up of scenarios: bring the target into a state, or say which requirement stands in the way.

Every method raises `Blocked` with the requirement that the target broke on the way, so that a
scenario is never blamed on what it did not come to ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_INDEX, OCI_MANIFEST, Repository, upload_location
from conformance.settings import Settings
from conformance.target.content import (
    ANY_MANIFEST,
    OCI_CONFIG,
    OCI_LAYER,
    Blob,
    Descriptor,
    Maker,
    Manifest,
    image,
    index,
)
from conformance.target.existing import Existing
from conformance.verdict.judge import Blocked, NotTested
from spec.model import Withheld

CREATED = 201
ACCEPTED = 202
OK = 200


class SetUp:
    """Brings repositories into the state that a scenario starts from."""

    def __init__(
        self,
        maker: Maker,
        settings: Settings,
        existing: Existing | None = None,
    ) -> None:
        self.make = maker
        self._settings = settings
        #: For targets that are not written to: what is there in place of what would be pushed.
        self._existing = existing
        #: The first blob that was pushed to each repository.
        self._first: dict[str, Blob] = {}

    @property
    def read_only(self) -> bool:
        """Whether nothing may be pushed and content that is already there stands in."""
        return self._existing is not None

    @property
    def shared(self) -> bool:
        """Whether the repositories may hold what others pushed, before or meanwhile."""
        return self.read_only or bool(self._settings.repositories)

    @property
    def existing(self) -> Existing:
        """What is there already; only for a target that is not written to."""
        if self._existing is None:
            raise LookupError("content is pushed in this run")
        return self._existing

    # -- uploads

    def upload(self, repo: Repository) -> str:
        """Open an upload session; return its absolute location."""
        answer = repo.start_upload()
        if answer.status != ACCEPTED:
            raise Blocked("PUSH-START-STATUS-202", "status 202 to the start of an upload", answer)
        return self.location(answer, "PUSH-START-LOCATION-PRESENT")

    @staticmethod
    def location(answer: Response, requirement: str) -> str:
        """Return the upload location of an answer; ``requirement`` asks that there be one."""
        if not (answer.header("Location") or "").strip():
            raise Blocked(requirement, "a Location for the next request", answer)
        location = upload_location(answer)
        if location is None:
            raise Blocked(
                "PUSH-START-LOCATION-RESOLVABLE",
                "a Location that resolves to a usable URL",
                answer,
                actual=f"Location: {answer.header('Location')}",
            )
        return location

    def blob(self, repo: Repository, content: bytes | Blob | None = None) -> Blob:
        """Push a blob (POST, then PUT); random content where none is given."""
        if self._existing is not None and content is None:
            return self._existing.blob(repo.name)
        self._writable()
        blob = content if isinstance(content, Blob) else Blob.of(self.make.bytes() if content is None else content)
        answer = repo.put_upload(self.upload(repo), blob.digest, blob.content)
        if answer.status != CREATED:
            raise Blocked("PUSH-PUT-MONOLITHIC-201", "status 201 to the PUT of a whole blob", answer)
        if self._settings.settle:
            self.read_blob(repo, blob.digest)
        self._first.setdefault(repo.name, blob)
        return blob

    def blob_there(self, repo: Repository) -> Blob:
        """Return a blob that was pushed to a repository before; push one if there is none."""
        return self._first.get(repo.name) or self.blob(repo, self.make.config())

    # -- manifests

    def manifest(
        self,
        repo: Repository,
        manifest: Manifest,
        reference: str | None = None,
        blocked_by: str = "PUSH-MANIFEST-STATUS-201",
    ) -> Response:
        """Push a manifest under a tag, or by its digest; its blobs must be there already."""
        self._writable()
        answer = repo.put_manifest(reference or manifest.digest, manifest.body, manifest.media_type)
        if answer.status != CREATED:
            raise Blocked(blocked_by, "status 201 to the PUT of a manifest", answer)
        if self._settings.settle:
            self.read_manifest(repo, reference or manifest.digest, body=manifest.body)
        return answer

    def image(self, repo: Repository, tag: str | None = "", **members: Any) -> Manifest:
        """Push a small image; with a fresh tag by default, by digest where ``tag`` is ``None``.

        ``members`` (subject, annotations, artifactType, ...) are added to the manifest;
        ``config_type``, ``layer_type`` and ``layers`` (how many besides the one that is also the
        configuration) vary it. On a read-only target without ``members`` the existing manifest is
        returned.
        """
        if self._existing is not None and not members and not tag:
            return self._existing.image(repo.name)
        self._writable()
        tag = self.make.tag() if tag == "" else tag
        blobs = [self.blob(repo, self.make.config())]
        blobs += [self.blob(repo) for _ in range(members.pop("layers", 0))]
        manifest = self.unpushed_image(blobs, **members)
        self.manifest(repo, manifest, tag)
        return Manifest(manifest.body, manifest.media_type, manifest.digest, tag, manifest.blobs)

    def another(self, repo: Repository, manifest: Manifest, tag: str | None = None) -> Manifest:
        """Push another image with the blobs of an existing one, by digest unless a tag is given."""
        other = self.unpushed_image(manifest.blobs, annotations={"org.example.number": self.make.tag()})
        self.manifest(repo, other, tag)
        return Manifest(other.body, other.media_type, other.digest, tag, other.blobs)

    @staticmethod
    def unpushed_image(blobs: Sequence[Blob], **members: Any) -> Manifest:
        """Make, not push, an image manifest whose configuration is the first of some blobs."""
        config_type = members.pop("config_type", OCI_CONFIG)
        layer_type = members.pop("layer_type", OCI_LAYER)
        layers = [b.descriptor(layer_type) for b in blobs[1:] or blobs]
        return Manifest.of(image(blobs[0].descriptor(config_type), layers, **members), OCI_MANIFEST, tuple(blobs))

    def index(
        self, repo: Repository, manifests: list[Manifest] | list[Descriptor], tag: str | None = "", **members: Any
    ) -> Manifest:
        """Push an index of existing manifests; with a fresh tag by default, ``None`` is by digest.

        On a target that is not written to, an index that is there is returned, whatever it lists.
        """
        if self._existing is not None and not members and not tag:
            return self._existing.manifest(repo.name, OCI_INDEX, what="OCI image index")
        descriptors = [m.descriptor() if isinstance(m, Manifest) else m for m in manifests]
        tag = self.make.tag() if tag == "" else tag
        manifest = Manifest.of(index(descriptors, **members), OCI_INDEX)
        self.manifest(repo, manifest, tag, "PUSH-MANIFEST-INDEX-ACCEPTED")
        return Manifest(manifest.body, manifest.media_type, manifest.digest, tag)

    def tags(self, repo: Repository, *names: str) -> Manifest:
        """Push one image under each of some tags."""
        manifest = self.image(repo, names[0])
        for name in names[1:]:
            self.manifest(repo, manifest, name)
        return manifest

    # -- reads of what should be there, whatever they give

    # The client asks again for what was accepted and is answered 404 (`client.settling`).

    def read_manifest(
        self, repo: Repository, reference: str, accept: str | tuple[str, ...] = "", body: bytes | None = None
    ) -> Response:
        """Pull a pushed manifest; with ``body`` under a tag that may have been another's before."""
        return self._settings.ask(
            lambda: repo.get_manifest(reference, accept or ANY_MANIFEST),
            lambda answer: not answer.ok or body in (None, answer.body),
        )

    def read_blob(self, repo: Repository, digest: str) -> Response:
        """Pull a blob that was pushed."""
        return repo.get_blob(digest)

    # -- reads that must succeed before something else is asked

    def pulled_manifest(self, repo: Repository, reference: str, accept: str | tuple[str, ...] = "") -> Response:
        """Pull a manifest that is there."""
        answer = self.read_manifest(repo, reference, accept)
        if not answer.ok:
            kind = "DIGEST" if ":" in reference else "TAG"
            raise Blocked(f"PULL-MANIFEST-GET-{kind}-200", "status 200 to the pull of an existing manifest", answer)
        return answer

    def headed_manifest(self, repo: Repository, reference: str, accept: str | tuple[str, ...] = "") -> Response:
        """Ask for the headers of a manifest that is there."""
        answer = repo.head_manifest(reference, accept or ANY_MANIFEST)
        if not answer.ok:
            raise Blocked("PULL-MANIFEST-HEAD-200", "status 200 to the HEAD of an existing manifest", answer)
        return answer

    def pulled_blob(self, repo: Repository, digest: str) -> Response:
        """Pull a blob that is there."""
        answer = self.read_blob(repo, digest)
        if not answer.ok:
            raise Blocked("PULL-BLOB-GET-200", "status 200 to the pull of an existing blob", answer)
        return answer

    def headed_blob(self, repo: Repository, digest: str) -> Response:
        """Ask for the headers of a blob that is there."""
        answer = repo.head_blob(digest)
        if not answer.ok:
            raise Blocked("PULL-BLOB-HEAD-200", "status 200 to the HEAD of an existing blob", answer)
        return answer

    def _writable(self) -> None:
        if self._existing is not None:
            raise NotTested("the target is read-only", Withheld.WRITING)
