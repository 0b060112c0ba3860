"""The laws of manifests, tried on one row: what is asked once a manifest is there, and once it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.client.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.content import Manifest
from conformance.discovery.lists import all_referrers, all_tags
from conformance.judge import Blocked, content_of, listing, status_of, told

from . import checks
from .attempt import ACCEPTED, NOT_FOUND, OK, Attempt, Check, Unclear

if TYPE_CHECKING:
    from .manifests import Push

NOT_MODIFIED = 304


class ManifestLook:
    """What is asked for once a manifest is there."""

    def __init__(self, attempt: Attempt, push: Push, created: Response) -> None:
        self.attempt = attempt
        self.row = attempt.row
        self.repo = attempt.repo
        self.push = push
        self.created = created
        self.manifest = push.manifest
        #: The digests by which it was pushed: of two algorithms, where the row says so.
        self.digests = {push.digest, push.manifest.digest}
        self.accepts = push.accepts()

    def run(self) -> None:
        """Try each law."""
        head_first = self.row["manifest-asked"] == "head-first"
        if head_first:
            self._headed()
        self._get(checks.M_GOT_TAG, checks.M_SAME_TAG, self.push.tag)
        self._get(checks.M_GOT, checks.M_SAME, self.push.digest)
        if not head_first:
            self._headed()
        self._asked()
        self._elsewhere()
        if self.push.made.subject and self.attempt.has("referrers"):
            self._referred(checks.REFERRED)
        self.attempt.place.listed = self.listed
        fate = self.row["manifest-fate"]
        if fate != "kept":
            self._deleted(fate)
        else:
            self.attempt.place.later.append((self.row, self.still))
        if self.attempt.closely:
            self.listed(self.attempt)
            if fate == "kept":
                self.still(self.attempt)

    def still(self, attempt: Attempt) -> None:
        """Judge that the manifest is there when other rows are done; one that lost its tag to them may be collected."""
        if attempt.place.tags.get(self.push.tag) is not self.row:
            return
        answer = attempt.answered(self.repo.get_manifest(self.push.digest, None, headers=self.accepts))
        held = answer.status == OK and answer.body == self.manifest.body
        attempt(checks.M_STILL, held, "the manifest", answer, actual=content_of(answer))

    # -- pulls

    def _ask(self, repo: Repository, reference: str, *headers: tuple[str, str]) -> Response:
        def fits(answer: Response) -> bool:
            return answer.status != NOT_FOUND and (answer.status != OK or answer.body == self.manifest.body)

        def ask() -> Response:
            return repo.get_manifest(reference, None, headers=(*self.accepts, *headers))

        return self.attempt.answered(self.attempt.ask(ask, fits))

    def _get(self, got: Check, same: Check, reference: str, repo: Repository | None = None) -> None:
        self._whole(got, same, self._ask(repo or self.repo, reference))

    def _whole(self, got: Check, same: Check, answer: Response) -> None:
        """Judge that an answer is the manifest, and that what it says of it is true."""
        self.attempt(got, answer.status == OK, "status 200", self.created, answer)
        held = answer.body == self.manifest.body and not answer.failure
        expected = f"the {len(self.manifest.body)} bytes that were pushed"
        self.attempt(same, held, expected, self.created, answer, actual=content_of(answer))
        self._says(answer, checks.M_TYPE, checks.M_GOT_DIGEST)

    def _says(self, answer: Response, type_check: Check, digest_check: Check) -> None:
        shown = told(answer, "Content-Type")
        wanted = self.manifest.media_type
        there = type_check is checks.M_TYPE or "Content-Type" in answer.headers
        held = not there or answer.media_type == wanted
        self.attempt(type_check, held, f"Content-Type: {wanted}", answer, actual=shown)
        named = (answer.header("Docker-Content-Digest") or "").strip()
        held = not named or named in {self.push.digest, self.manifest.digest}
        shown = told(answer, "Docker-Content-Digest")
        self.attempt(digest_check, held, f"Docker-Content-Digest: {self.push.digest}", answer, actual=shown)

    def _head(self, check: Check, reference: str) -> None:
        answer = self.attempt.answered(
            self.attempt.ask(
                lambda: self.repo.head_manifest(reference, None, headers=self.accepts), lambda a: a.status != NOT_FOUND
            )
        )
        self.attempt(check, answer.status == OK, "status 200", self.created, answer)
        size = len(self.manifest.body)
        length = answer.header("Content-Length")
        held = length is None or length.strip() == str(size)
        shown = told(answer, "Content-Length")
        self.attempt(checks.M_LENGTH, held, f"Content-Length: {size}", answer, actual=shown)
        self._says(answer, checks.M_HEAD_TYPE, checks.M_HEAD_DIGEST)

    def _headed(self) -> None:
        if self.row["manifest-head"] == "tag":
            self._head(checks.M_HEADED_TAG, self.push.tag)
        else:
            self._head(checks.M_HEADED, self.push.digest)

    def _asked(self) -> None:
        asked = self.row["manifest-asked"]
        again = checks.M_AGAIN
        if asked == "location":
            self._located()
        elif asked == "condition":
            self._on_condition()
        elif asked == "connection":
            self._get(again, again, self.push.tag, self.attempt.elsewhere())
        elif asked == "encoded":
            tag, by_tag = self.push.tag, self.row["manifest-head"] == "tag"
            encoded = f"%{ord(tag[0]):02X}{tag[1:]}" if by_tag else self.push.digest.replace(":", "%3A")
            self._get(again, again, encoded)
            self._head(checks.M_HEADED_TAG if by_tag else checks.M_HEADED, encoded)
        elif asked == "again":
            self._get(again, again, self.push.tag)

    def _on_condition(self) -> None:
        """Ask with ETags that nothing has: the manifest comes. With its own it may be said not to have changed."""
        other = ", ".join(f'"{self.attempt.make.digest()}"' for _ in range(2))
        answer = self._ask(self.repo, self.push.tag, ("If-None-Match", other))
        self._whole(checks.M_CONDITION, checks.M_CONDITION, answer)
        etag = (answer.header("ETag") or "").strip()
        if etag:
            again = self._ask(self.repo, self.push.tag, ("If-None-Match", etag))
            if again.status != NOT_MODIFIED:
                self._whole(checks.M_AGAIN, checks.M_AGAIN, again)

    def _located(self) -> None:
        url = upload_location(self.created)
        if url is None:
            return
        parameters = {"name": self.repo.name, "reference": self.push.digest}
        answer = self.attempt.answered(
            self.repo.registry.request(
                "GET", url, operation="manifest.get", parameters=parameters, headers=self.accepts
            )
        )
        held = answer.status == OK and answer.body == self.manifest.body
        expected = "the manifest at the Location of its push"
        self.attempt(checks.M_LOCATED, held, expected, self.created, answer, actual=content_of(answer))

    # -- what must not be found

    def _elsewhere(self) -> None:
        where = self.row["manifest-elsewhere"]
        if where.startswith("blob"):
            self._as_blob(where == "blob-head")
        elif where.startswith("other-") and where != "other-case":
            self._other_repository(where == "other-tag")
        elif where == "digest-tag":
            self._not_this(checks.M_DIGEST_TAG, self.push.digest.replace(":", "-"))
        elif self.push.tag.swapcase() not in {self.push.tag, *self.attempt.place.tags}:
            self._not_this(checks.M_CASE, self.push.tag.swapcase())

    def _not_this(self, check: Check, reference: str) -> None:
        """Judge that a tag that nobody pushed does not lead to the manifest; what a registry makes of it is its own."""
        answer = self.attempt.answered(self.repo.get_manifest(reference, None, headers=self.accepts))
        held = not answer.ok or answer.body != self.manifest.body
        self.attempt(check, held, "not this manifest", self.created, answer)

    def _as_blob(self, by_head: bool) -> None:
        """A manifest may be there as a blob, too; then by HEAD and GET alike, and byte for byte."""
        digest = self.push.digest
        head = self.attempt.answered(self.repo.head_blob(digest)) if by_head else None
        if head is not None and not head.ok:
            self.attempt(checks.M_AS_BLOB, True, "", head)
            return
        got = self.attempt.answered(self.repo.get_blob(digest))
        fits = got.body == self.manifest.body
        held = fits if got.ok else head is None
        shown = f"{status_of(got)} to GET" + (f" and {status_of(head)} to HEAD" if head is not None else "")
        expected = "the manifest, or no blob by HEAD and GET"
        self.attempt(checks.M_AS_BLOB, held, expected, *([head] if head is not None else []), got, actual=shown)

    def _other_repository(self, by_tag: bool) -> None:
        other = self.attempt.neighbour
        if other is None or (by_tag and (other.name, self.push.tag) in self.attempt.place.elsewhere):
            # Short tags come again: an earlier row may have left this one there.
            return
        self.attempt.place.shelf_of(other, self.attempt.session)
        reference = self.push.tag if by_tag else self.push.digest
        answer = self.attempt.answered(other.get_manifest(reference, None, headers=self.accepts))
        check = checks.M_OTHER_TAG if by_tag else checks.M_OTHER
        self.attempt(check, not answer.ok, "no manifest of another repository", self.created, answer)

    # -- lists

    def listed(self, attempt: Attempt) -> None:
        """Judge that the tags of a place are listed, each once, and no others where nobody else pushes."""
        tags = self._tags(attempt)
        wanted, shown = set(attempt.place.tags), f"the list had {listing(tags)}"
        missing = sorted(wanted - set(tags))
        first = ", ".join(missing[:1])
        if missing and attempt.place.deleted and not self.repo.get_manifest(first, None, headers=self.accepts).ok:
            # The list is true: the tag went with a manifest that was deleted, which scenarios of deletion judge.
            raise Unclear(checks.LISTED, shown)
        attempt(checks.LISTED, not missing, f"the tag {first}", *tags.pages, actual=shown, subject=first)
        attempt(checks.LISTED_ONCE, len(tags) == len(set(tags)), "each tag once", *tags.pages, actual=shown)
        if not attempt.session.settings.repositories and not attempt.place.controlled:
            more = sorted(set(tags) - wanted)
            held = not more
            attempt(checks.LISTED_MORE, held, f"a list without {', '.join(more[:1])}", *tags.pages, actual=shown)

    def _tags(self, attempt: Attempt) -> Any:
        try:
            return all_tags(self.repo)
        except Blocked as blocked:
            if not blocked.accuses:
                raise Unclear(checks.TAGS, blocked.judgement.actual) from None
            attempt(checks.TAGS, False, "a list of tags", actual=blocked.judgement.actual)
            return []

    def _referrers(self) -> list[dict[str, Any]]:
        try:
            return all_referrers(self.repo, self.push.made.subject)
        except Blocked as blocked:
            if not blocked.accuses:
                raise Unclear(checks.REFERRERS, blocked.judgement.actual) from None
            self.attempt(checks.REFERRERS, False, "a list of referrers", actual=blocked.judgement.actual)
            return []

    def _referred(self, check: Check) -> None:
        """Judge that the manifest is in the list of its subject's referrers, once and as it is."""
        entries = [e for e in self._referrers() if str(e.get("digest")) in self.digests]
        # What was pushed by two digests may be there as two manifests.
        held = entries and len({str(entry["digest"]) for entry in entries}) == len(entries)
        actual = f"the list had it {len(entries)} times"
        self.attempt(check, held, f"{self.manifest.digest} among the referrers, once", self.created, actual=actual)
        entry = entries[0]
        wanted = (self.manifest.media_type, len(self.manifest.body))
        shown = f"mediaType {entry.get('mediaType')}, size {entry.get('size')}"
        held = (entry.get("mediaType"), entry.get("size")) == wanted
        self.attempt(checks.DESCRIBED, held, f"mediaType {wanted[0]} and size {wanted[1]}", actual=shown)
        artifact = entry.get("artifactType")
        held = artifact == self.push.made.artifact_type
        expected = f"artifactType {self.push.made.artifact_type}"
        self.attempt(checks.DESCRIBED_TYPE, held, expected, actual=f"artifactType {artifact}")
        notes = entry.get("annotations")
        held = notes == self.push.made.annotations
        self.attempt(checks.DESCRIBED_NOTES, held, "the annotations of the manifest", actual=f"annotations {notes}")

    # -- deletion

    def _deleted(self, fate: str) -> None:
        """Delete what the row says; what another repository has under the same tag stays."""
        other = self.attempt.neighbour
        beside = None
        if other is not None:
            beside = self.attempt.place.shelf_of(other, self.attempt.session).another(self.attempt.make)
            self.attempt.place.elsewhere.add((other.name, self.push.tag))
            put = self.attempt.answered(other.put_manifest(self.push.tag, beside.body, beside.media_type))
            beside = beside if put.ok else None
        by_digest = fate == "digest-deleted"
        gone = self._deleted_by_digest() if by_digest else self._deleted_tag()
        if gone and other is not None and beside is not None:
            kept = self.attempt.answered(other.get_manifest(self.push.tag, beside.media_type))
            held = kept.ok and kept.body == beside.body
            check = checks.M_OTHER_KEPT if by_digest else checks.T_ELSEWHERE_KEPT
            self.attempt(check, held, "the manifest of the other repository", kept)

    def _gone(self, check: Check, reference: str, deletion: Response) -> None:
        answer = self.attempt.answered(
            self.attempt.ask(
                lambda: self.repo.get_manifest(reference, None, headers=self.accepts), lambda a: a.status != OK
            )
        )
        self.attempt(check, not answer.ok, "no manifest after its deletion", deletion, answer)

    def _gone_head(self, check: Check, reference: str, deletion: Response) -> None:
        answer = self.attempt.answered(self.repo.head_manifest(reference, None, headers=self.accepts))
        self.attempt(check, not answer.ok, "no manifest after its deletion", deletion, answer)

    def _unlisted(self, check: Check, deletion: Response) -> None:
        tags = self._tags(self.attempt)
        shown = f"the list had {listing(tags)}"
        held = self.push.tag not in tags
        self.attempt(check, held, f"a list without {self.push.tag}", deletion, *tags.pages, actual=shown)

    def _beside(self) -> tuple[str, Manifest] | None:
        """Return a manifest that stays, by its tag: what has none may be collected, such as children of an index."""
        place = self.attempt.place
        if place.kept is None:
            tag, manifest = self.attempt.make.tag(), self.push.shelf.another(self.attempt.make)
            if not self.attempt.answered(self.repo.put_manifest(tag, manifest.body, manifest.media_type)).ok:
                return None
            place.kept, place.tags[tag] = (tag, manifest), self.row
        return place.kept

    def _deleted_by_digest(self) -> bool:
        beside = self._beside()
        answer = self.attempt.answered(self.repo.delete_manifest(self.push.digest))
        if answer.status != ACCEPTED:
            return False
        self.attempt.place.deleted = True
        for digest in self.digests - {self.push.digest}:
            # By its other digest it may be a manifest of its own, and the tag may be that one's.
            self.attempt.answered(self.repo.delete_manifest(digest))
        self.attempt.place.tags.pop(self.push.tag, None)
        self._gone(checks.M_GONE, self.push.digest, answer)
        self._gone(checks.M_GONE_TAG, self.push.tag, answer)
        self._gone_head(checks.M_GONE_HEAD, self.push.digest, answer)
        self._unlisted(checks.M_UNLISTED, answer)
        if self.push.made.subject and self.attempt.has("referrers"):
            digests = [str(entry.get("digest")) for entry in self._referrers()]
            held = not self.digests & {*digests}
            shown = f"the list had {listing(digests)}"
            self.attempt(checks.M_UNREFERRED, held, "a list without it", answer, actual=shown)
        if beside is not None:
            tag, manifest = beside
            kept = self.attempt.answered(self.repo.get_manifest(tag, manifest.media_type))
            held = kept.ok and kept.body == manifest.body
            self.attempt(checks.M_BESIDE_KEPT, held, "the other manifest as before", answer, kept)
        return True

    def _deleted_tag(self) -> bool:
        """Delete one of two tags: the other, the manifest, and its place among the referrers stay."""
        second = self.attempt.make.tag()
        put = self.repo.put_manifest(second, self.manifest.body, self.manifest.media_type)
        answer = self.attempt.answered(self.repo.delete_manifest(self.push.tag))
        if answer.status != ACCEPTED or not put.ok:
            return False
        self.attempt.place.tags.pop(self.push.tag, None)
        self.attempt.place.tags[second] = self.row
        self._gone(checks.T_GONE, self.push.tag, answer)
        self._gone_head(checks.T_GONE_HEAD, self.push.tag, answer)
        self._unlisted(checks.T_UNLISTED, answer)
        kept = self.attempt.answered(self.repo.get_manifest(second, None, headers=self.accepts))
        held = kept.ok and kept.body == self.manifest.body
        self.attempt(checks.T_OTHER_KEPT, held, "the manifest by its other tag", answer, kept)
        if self.push.made.subject and self.attempt.has("referrers"):
            self._referred(checks.T_REFERRED)
        return True
