"""The laws of manifests, tried on one row: what becomes of a manifest, and of what lies beside it."""

from __future__ import annotations

from functools import partial

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.conditions.manifests import checks, fate_checks
from conformance.scenarios.conditions.manifests.lists import ListLook
from conformance.scenarios.conditions.manifests.push import Push
from conformance.scenarios.conditions.rows.attempt import (
    ACCEPTED,
    CREATED,
    NOT_FOUND,
    OK,
    SERVER_ERROR,
    UNKNOWN,
    Attempt,
    Check,
    cached,
)
from conformance.scenarios.conditions.rows.kinds import CHILDREN
from conformance.scenarios.conditions.rows.places import Form, encoded, sibling_of
from conformance.target.content import Manifest
from conformance.verdict.judge import content_of, listing


class Fate:
    """Moves or deletes what a row pushed, and sees that nothing else changes."""

    def __init__(self, attempt: Attempt, push: Push, lists: ListLook) -> None:
        self.attempt = attempt
        self.row = attempt.row
        self.repo = attempt.repo
        self.push = push
        self.manifest = push.manifest
        self.lists = lists

    def run(self) -> bool:
        """Do what the row says; return whether the manifest is there and nothing was done with it."""
        fate = self.row["manifest-fate"]
        if fate == "moved":
            self._moved()
        elif fate == "part-deleted":
            self._part_deleted()
        elif fate != "kept":
            self._deleted(fate == "digest-deleted")
        return fate in {"kept", "part-deleted"}

    # -- requests

    def _is_there(
        self, check: Check, reference: str, manifest: Manifest, *before: Response, repo: Repository | None = None
    ) -> None:
        def there(answer: Response) -> bool:
            return answer.status == OK and answer.body == manifest.body

        answer = self.attempt.answered(
            self.attempt.ask(lambda: (repo or self.repo).get_manifest(reference, manifest.media_type), there)
        )
        held = there(answer)
        self.attempt(check, held, "the manifest as it was pushed", *before, answer, actual=content_of(answer))

    def _put(self, tag: str, manifest: Manifest, repo: Repository | None = None) -> Response | None:
        """Push a manifest beside that of the row; return the 201, nothing where the target takes none."""
        answer = self.attempt.answered((repo or self.repo).put_manifest(tag, manifest.body, manifest.media_type))
        failed = answer.status >= SERVER_ERROR
        self.attempt(checks.PUSHED, not failed, "status 201 to a push of a manifest", answer)
        return answer if answer.status == CREATED else None

    def _gone(self, check: Check, reference: str, deletion: Response, repo: Repository | None = None) -> None:
        def ask() -> Response:
            return (repo or self.repo).get_manifest(reference, self.manifest.media_type)

        answer = self.attempt.answered(self.attempt.ask(ask, lambda answer: answer.status != OK))
        if check is fate_checks.GONE_TAG:
            strayed = answer.ok and answer.body != self.manifest.body
            shown = content_of(answer)
            self.attempt(fate_checks.STRAYED, not strayed, "the manifest as it was pushed", answer, actual=shown)
        self.attempt(check, answer.status in UNKNOWN, "status 404 after its deletion", deletion, answer)

    def _gone_head(self, check: Check, reference: str, deletion: Response) -> None:
        """Judge by HEAD on the condition of a cache, which has no say where nothing is (RFC 9110, 13.2.1)."""
        media_type, headers = self.manifest.media_type, cached(self.push.etag)
        answer = self.attempt.answered(self.repo.head_manifest(reference, media_type, headers=headers))
        self.attempt(check, answer.status in UNKNOWN, "status 404 after its deletion", deletion, answer)

    def _is_other(self, tag: str) -> bool:
        """Tell whether a tag is another than that of the row: OCI lets a registry fold the case (BASE-TAG-CASE)."""
        if tag.lower() != self.push.tag.lower():
            return True
        return not self.attempt.answered(self.repo.head_manifest(tag, self.manifest.media_type)).ok

    # -- a tag that moves

    def _moved(self) -> None:
        """Push another manifest to the tag, which was pulled before: the tag leads there, and the digest does not."""
        other = self.push.other()
        sibling = sibling_of(self.push.tag, 0)
        beside = self.row["tag"] in {"longest", "capitals"} and sibling not in self.attempt.place.tags
        beside = beside and self._is_other(sibling) and self._put(sibling, self.manifest) is not None
        if beside:
            self.attempt.place.tags[sibling] = self.row
        moved = self._put(self.push.tag, other)
        if moved is None:
            # A registry may hold tags fast.
            return
        form = self.push.form(self.push.tag)
        self._is_there(fate_checks.MOVED, form.reference, other, moved, repo=form.repo)
        # A strong ETag of what the tag led to before fits the new manifest no more (RFC 9110, 8.8.1).
        headers = cached("" if self.push.etag.startswith("W/") else self.push.etag)

        def moved_too(head: Response) -> bool:
            return head.ok and (head.header("Content-Length") or "").strip() in {"", str(len(other.body))}

        head = self.attempt.answered(
            self.attempt.ask(
                lambda: self.repo.head_manifest(self.push.tag, other.media_type, headers=headers), moved_too
            )
        )
        held = moved_too(head)
        expected = f"status 200 and the length {len(other.body)} of the new manifest"
        self.attempt(fate_checks.MOVED, held, expected, moved, head)
        self._is_there(fate_checks.LEFT, self.push.digest, self.manifest, moved)
        if beside:
            self._is_there(fate_checks.SIBLING_LEFT, sibling, self.manifest, moved)
        if self.push.made.subject and self.attempt.has("referrers"):
            self.lists.referred(checks.REFERRED)

    # -- deletion

    def _part_deleted(self) -> None:
        """Delete what the manifest lists, or another one like it: it stays as it is."""
        shelf, place, kind = self.push.shelf, self.attempt.place, CHILDREN.get(self.row["kind"], "")
        kind = kind or self.push.made.about
        part = shelf.child(kind) if kind else shelf.another(self.attempt.make)
        if not kind and self._put(part.digest, part) is None:
            return
        tags = [shelf.tags[kind]] if kind else []
        if kind:
            # Whatever is answered: it may be gone.
            place.gone.update(tags)
            shelf.forget(kind)
        answer = self.attempt.answered(self.repo.delete_manifest(part.digest))
        if not self.attempt.deletes(fate_checks.DELETED, answer):
            # A registry may hold what others need.
            return
        place.deleted = True
        for reference in (part.digest, *tags):
            self.attempt.gone(partial(self.repo.head_manifest, reference, part.media_type))
        gone = self.attempt.answered(self.repo.get_manifest(part.digest, part.media_type))
        self.attempt(fate_checks.PART_GONE, gone.status in UNKNOWN, "status 404 after its deletion", answer, gone)
        for reference in (self.push.tag, self.push.digest):
            self._is_there(fate_checks.PART_DELETED, reference, self.manifest, answer)
        if self.push.made.subject and self.attempt.has("referrers"):
            self.lists.referred(fate_checks.SUBJECT_DELETED)
        if kind:
            self._incomplete_deleted()

    def _incomplete_deleted(self) -> None:
        """Delete what lacks a part: its tag or, in each second row, the manifest."""
        by_tag = self.attempt.number % 2 and self.attempt.has("delete-tag")
        self.push.may_be_gone(deleted=not by_tag)
        reference, check = (
            (self.push.tag, fate_checks.TAG_DELETED) if by_tag else (self.push.digest, fate_checks.DELETED)
        )
        self.attempt.deletes(check, self.attempt.answered(self.repo.delete_manifest(reference)))

    def _deleted(self, by_digest: bool) -> None:
        """Delete what the row says; what another repository has under the same tag stays."""
        other = self.attempt.neighbour
        beside = None
        if other is not None:
            shelf = self.attempt.place.shelf_of(other, self.attempt.session)
            if by_digest:
                # The very same manifest is there, with what it lists.
                shelf.child(CHILDREN.get(self.row["kind"], "image"))
                beside = self.manifest
            else:
                beside = shelf.another(self.attempt.make)
            self.attempt.place.elsewhere.add(self.push.tag)
            beside = beside if self._put(self.push.tag, beside, other) is not None else None
        gone = self._deleted_by_digest() if by_digest else self._deleted_tag()
        if gone and other is not None and beside is not None:
            if by_digest and self.attempt.number % 2:
                self.lists.listed_there(fate_checks.OTHER_LISTED, other)
            kept = self.attempt.answered(other.get_manifest(self.push.tag, beside.media_type))
            held = kept.ok and kept.body == beside.body
            check = fate_checks.OTHER_KEPT if by_digest else fate_checks.TAG_ELSEWHERE_KEPT
            self.attempt(check, held, "the manifest of the other repository", kept)
            if by_digest and self.push.made.subject and self.attempt.has("referrers"):
                self._referred_there(other, kept)

    def _referred_there(self, other: Repository, kept: Response) -> None:
        """Judge that the manifest is still among the referrers in a repository that has it, too."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [str(e.get("digest")) for e in self.lists.referrers(self.push.made.subject, other)]
            return self.manifest.digest in found

        self.attempt.session.settings.wait(there)
        shown = f"the list had {listing(sorted(found))}"
        held = self.manifest.digest in found
        self.attempt(fate_checks.OTHER_REFERRED, held, "it among the referrers there", kept, actual=shown)

    def _deleted_by_digest(self) -> bool:
        """Delete a manifest: its tag and its place in the lists go, and what it has in common with others stays."""
        place, shelf = self.attempt.place, self.push.shelf
        shelf.child(CHILDREN.get(self.row["kind"], "image"))
        beside, tag = shelf.another(self.attempt.make), self.push.digest.replace(":", "-")[:128]
        if tag not in place.tags and self._put(tag, beside) is not None:
            place.tags[tag] = {}
        form = self._deletion_form(self.push.digest)
        self.push.may_be_gone()
        answer = self.attempt.answered(form.repo.delete_manifest(form.reference, headers=form.headers))
        if not self.attempt.deletes(fate_checks.DELETED, answer, partial(self.repo.delete_manifest, self.push.digest)):
            self.push.is_there(answer)
            return False
        for digest in self.lists.digests - {self.push.digest}:
            # By its other digest it may be a manifest of its own, and the tag may be that one's.
            if self.attempt.answered(self.repo.delete_manifest(digest)).refused:
                return False
        self._gone(fate_checks.GONE, self.push.digest, answer)
        form = self.push.form(self.push.digest)
        if form.reference != self.push.digest or form.repo is not self.repo:
            self._gone(fate_checks.GONE, form.reference, answer, form.repo)
        self._gone(fate_checks.GONE_TAG, self.push.tag, answer)
        self._gone_head(fate_checks.GONE_HEAD, self.push.digest, answer)
        if tag in place.tags and not place.tags[tag]:
            self._is_there(fate_checks.CHILD_KEPT, tag, beside, answer)
            layer = self.attempt.answered(self.repo.head_blob(shelf.blobs[1].digest))
            kept = layer.status != NOT_FOUND
            self.attempt(fate_checks.BLOBS_KEPT, kept, "the layer of another manifest as before", answer, layer)
        self._kept(fate_checks.CHILD_KEPT, CHILDREN.get(self.row["kind"], ""), answer)
        self._kept(fate_checks.CHILD_KEPT, self.push.made.about, answer)
        self.lists.unlisted(fate_checks.UNLISTED, fate_checks.OTHERS_LISTED, answer)
        if self.push.made.subject and self.attempt.has("referrers"):
            self.lists.unreferred(answer)
        return True

    def _kept(self, check: Check, kind: str, deletion: Response) -> None:
        """Judge that what the manifest lists, or refers to, is there by its tag; nothing where ``kind`` is empty."""
        shelf = self.push.shelf
        if kind:
            # One that another row deleted comes again, and only then has a tag.
            child = shelf.child(kind)
            self._is_there(check, shelf.tags[kind], child, deletion)

    def _deletion_form(self, reference: str) -> Form:
        """Return how the row deletes: as it asks for a manifest or, in each second row, by an encoded reference."""
        if self.attempt.number % 2:
            self.attempt.notes.append("by a percent-encoded reference")
            return Form(self.repo, encoded(reference, self.attempt.number // 2))
        # Some clients send what they accept with each request.
        form = self.push.form(reference)
        return Form(form.repo, form.reference, self.push.accepts())

    def _deleted_tag(self) -> bool:
        """Delete one of several tags: the others, the manifest, and its place among the referrers stay."""
        place = self.attempt.place
        siblings = {sibling_of(self.push.tag, self.attempt.number + more) for more in range(2)} - set(place.tags)
        siblings = {tag for tag in siblings if self._is_other(tag)} or {self.attempt.make.tag()}
        others = [tag for tag in sorted(siblings) if self._put(tag, self.manifest)]
        if not others:
            return False
        place.tags.update(dict.fromkeys(others, self.row))
        form = self._deletion_form(self.push.tag)
        self.push.may_be_gone(deleted=False)
        answer = self.attempt.answered(form.repo.delete_manifest(form.reference, headers=form.headers))
        if not self.attempt.deletes(fate_checks.TAG_DELETED, answer, partial(self.repo.delete_manifest, self.push.tag)):
            self.push.is_there(answer)
            return False
        self._gone(fate_checks.TAG_GONE, self.push.tag, answer)
        self._gone_head(fate_checks.TAG_GONE_HEAD, self.push.tag, answer)
        for tag in others:
            self._is_there(fate_checks.TAG_OTHER_KEPT, tag, self.manifest, answer)
        self._kept(fate_checks.TAG_OTHER_KEPT, CHILDREN.get(self.row["kind"], ""), answer)
        self.lists.unlisted(fate_checks.TAG_UNLISTED, fate_checks.TAG_OTHERS_LISTED, answer)
        if self.push.made.subject and self.attempt.has("referrers"):
            self.lists.referred(fate_checks.TAG_REFERRED)
        other = self.push.shelf.another(self.attempt.make)
        again = self._put(self.push.tag, other)
        if again is not None:
            place.tags[self.push.tag] = {}
            self._is_there(fate_checks.TAG_AGAIN, self.push.tag, other, again)
            if self.attempt.number % 2:
                self._deleted_again()
        return True

    def _deleted_again(self) -> None:
        """Delete a tag that came back after its deletion: it is gone a second time."""
        self.push.may_be_gone(deleted=False)
        answer = self.attempt.answered(self.repo.delete_manifest(self.push.tag))
        if answer.status == ACCEPTED:
            self._gone(fate_checks.TAG_GONE_AGAIN, self.push.tag, answer)
