"""Manifests and tags: pushed, moved and deleted in any order."""

from __future__ import annotations

import json
from typing import Any

from conformance.client.registry import OCI_INDEX, OCI_MANIFEST
from conformance.scenarios.search.machine.driver import Driver
from conformance.scenarios.search.machine.model import Document, There, certain, pick
from conformance.target.content import OCI_CONFIG, OCI_LAYER, Manifest, image, index


class ManifestDriver(Driver):
    """Operations on manifests and tags."""

    def publish(self, repository: int, number: int, tags: list[str]) -> None:
        """Push an image with its blobs, by its digest or under some tags."""
        here = self.place(repository)
        blobs = [self.blob(0), self.blob(1 + number)]
        for position, blob in zip((0, 1 + number), blobs, strict=True):
            if self.world.repositories[here].blob(blob.digest) is not There.PRESENT:
                self.push_blob(here, position)
        document = image(
            blobs[0].descriptor(OCI_CONFIG),
            [blobs[1].descriptor(OCI_LAYER)],
            annotations={"org.example.image": f"{number} of {self.trial.mark}"},
        )
        self._push(here, document, OCI_MANIFEST, tags, f"the image {number}", blobs=blobs)

    def attach(self, repository: int, subject: int, number: int) -> None:
        """Push an image that refers to another manifest, which need not be there any more."""
        here = self.place(repository)
        known = [d for d, document in self.world.documents.items() if document.subject is None]
        digest = pick(known, subject)
        if digest is None:
            return
        blob = self.blob(0)
        if self.world.repositories[here].blob(blob.digest) is not There.PRESENT:
            self.push_blob(here, 0)
        target = {"mediaType": self.types[digest], "digest": digest, "size": len(self.bodies[digest])}
        document = image(
            blob.descriptor(OCI_CONFIG),
            [blob.descriptor(OCI_LAYER)],
            subject=target,
            artifactType="application/vnd.example.search",
            annotations={"org.example.referrer": f"{number} of {self.trial.mark}"},
        )
        what = f"the referrer {number} of {digest[:19]}"
        self._push(here, document, OCI_MANIFEST, [], what, blobs=[blob], subject=digest)

    def bundle(self, repository: int, number: int, tags: list[str]) -> None:
        """Push an index of what is there."""
        here = self.place(repository)
        contents = self.world.repositories[here]
        present = [d for d in certain(contents.manifests, There.PRESENT) if self.types[d] == OCI_MANIFEST][:2]
        if not present:
            return
        entries = [{"mediaType": self.types[d], "digest": d, "size": len(self.bodies[d])} for d in present]
        document = index(entries, annotations={"org.example.index": f"{number} of {self.trial.mark}"})
        self._push(here, document, OCI_INDEX, tags, f"the index {number}", children=present)

    def retag(self, repository: int, number: int, tag: str) -> None:
        """Push a manifest that is there under one more tag, or under one that another has."""
        here = self.place(repository)
        digest = pick(self._there(here), number)
        if digest is not None:
            manifest = Manifest(self.bodies[digest], self.types[digest], digest)
            self._put(here, manifest, self.world.documents[digest], self._tag(tag), f"the manifest {digest[:19]}")

    def _tag(self, letter: str) -> str:
        return f"{letter}-{self.trial.mark}"

    def _push(
        self, here: int, document: dict[str, Any], media_type: str, tags: list[str], what: str, **refers: Any
    ) -> None:
        manifest = Manifest.of(json.dumps(document).encode(), media_type)
        self.bodies[manifest.digest] = manifest.body
        self.types[manifest.digest] = media_type
        known = Document(
            manifest.digest,
            tuple(blob.digest for blob in refers.get("blobs", ())),
            tuple(refers.get("children", ())),
            refers.get("subject"),
        )
        if not tags:
            self._put(here, manifest, known, None, what)
        for letter in tags:
            self._put(here, manifest, known, self._tag(letter), what)

    def _put(self, here: int, manifest: Manifest, document: Document, tag: str | None, what: str) -> None:
        """Push a manifest; a tag that is another's, and what was deleted before, may be refused."""
        contents = self.world.repositories[here]
        before = contents.tags.get(tag or "")
        deleted = contents.manifests.get(manifest.digest) is There.GONE or tag in contents.gone_tags
        moved = before not in {None, manifest.digest} or (tag or "") in contents.loose
        self.trial.step(f"push {what} to {self.repos[here].name}, {f'tag {tag}' if tag else 'by its digest'}")
        answer = self.repos[here].put_manifest(tag or manifest.digest, manifest.body, manifest.media_type)
        self.trial.alive(answer)
        kind = "tag" if tag else "push"
        if answer.status == 201:
            self.did(kind, here, tag or manifest.digest, digest=manifest.digest, moved=moved)
            self.world.put_manifest(here, document, tag)
            return
        if not deleted and not moved:
            self.look_first()
        parts = {*(contents.blob(b) for b in document.blobs), *(contents.manifest(c) for c in document.children)}
        allowed = answer.refused and (deleted or moved or parts != {There.PRESENT})
        requirement = "PUSH-MANIFEST-STATUS-201"
        if contents.manifest(manifest.digest) is There.PRESENT:
            requirement = "PUSH-MANIFEST-IDEMPOTENT"
        elif manifest.media_type == OCI_INDEX:
            requirement = "PUSH-MANIFEST-INDEX-ACCEPTED"
        elif document.subject is not None:
            requirement = "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED"
        self.trial(requirement, allowed, "status 201 to the push of a manifest", answer, symptom=f"refused-{kind}")
        self.did(kind, here, tag or manifest.digest, refused=True)

    def delete_tag(self, repository: int, number: int) -> None:
        """Delete a tag."""
        here = self.place(repository)
        tag = pick(self.world.repositories[here].tagged(), number)
        if tag is None:
            return
        self.trial.step(f"delete the tag {tag} in {self.repos[here].name}")
        answer = self.repos[here].delete_manifest(tag)
        if self.deleted(answer, "delete-tag", "MGMT-TAG-DELETE-202", here, tag):
            self.world.delete_tag(here, tag)

    def delete_manifest(self, repository: int, number: int) -> None:
        """Delete a manifest by its digest; one that lost its tags may be gone already."""
        here = self.place(repository)
        digest = pick(self._there(here), number)
        if digest is None:
            return
        loose = self.world.repositories[here].manifest(digest) is There.OPEN
        self.trial.step(f"delete the manifest {digest[:19]} in {self.repos[here].name}")
        answer = self.repos[here].delete_manifest(digest)
        if loose and answer.status == 404:
            self.did("delete-manifest", here, digest)
        elif not self.deleted(answer, "delete-manifest", "MGMT-MANIFEST-DELETE-202", here, digest):
            return
        self.world.delete_manifest(here, digest)

    def _there(self, here: int) -> list[str]:
        """Return the manifests that are, or may be, in a repository."""
        manifests = self.world.repositories[here].manifests
        return [digest for digest, there in manifests.items() if there is not There.GONE]
