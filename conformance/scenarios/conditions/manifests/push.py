"""One push of one manifest to the repository of a row, and how it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Response
from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Repository
from conformance.scenarios.conditions.manifests import checks, fate_checks
from conformance.scenarios.conditions.rows.attempt import ACCEPTED, CREATED, UNKNOWN, Attempt, Declined
from conformance.scenarios.conditions.rows.kinds import CHILDREN, Made, Shelf, doubtful
from conformance.scenarios.conditions.rows.places import DOUBLED, Form, encoded, near, tag_of
from conformance.target.content import ANY_MANIFEST, Blob, Manifest, digest_of
from conformance.target.lists import descriptors_of
from conformance.target.policy import is_immutable, may_be
from conformance.verdict.judge import Blocked, content_of, listing, told

#: A server may want to know the length beforehand (RFC 9110, 15.5.12).
LENGTH_REQUIRED = 411


#: Types that no row pushes, one of which clients name beside those of manifests; together longer than a field of 1 KiB.
UNRELATED = ("application/json", *(f"application/vnd.example.{'x' * 99}.{number}.v1+json" for number in range(7)))


#: Kinds of which another manifest may take the place of one.
ALIKE = frozenset({"index", "nameless", "docker-image"})
TYPES = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)


class Push:
    """One push of one manifest to the repository of a row, and how it is asked for."""

    def __init__(self, attempt: Attempt, shelf: Shelf, made: Made) -> None:
        self.attempt = attempt
        self.shelf = shelf
        self.made = made
        self.manifest: Manifest = made.manifest
        self.repo: Repository = attempt.repo
        # Under such a tag clients keep an index, where there is no list of referrers.
        likened = self.manifest.digest if "manifests" not in self.manifest.document else ""
        self.tag = tag_of(attempt.row["tag"], attempt.make, attempt.number, likened)
        if DOUBLED in self.tag:
            attempt.notes.append("with doubled separators")
        self.algorithm = "sha512" if attempt.row["push"] == "by-sha512" else "sha256"
        self.digest = digest_of(self.manifest.body, self.algorithm)
        #: The answers to the pushes of the manifest itself.
        self.created: list[Response] = []
        #: The ETag of its last pull, if it had one.
        self.etag = ""
        #: The strong ETags of what had the tag before: they fit the manifest of the row not (RFC 9110, 8.8.1).
        self.stale: list[str] = []
        self._apart: Repository | None = None

    def run(self) -> Response:
        """Push as the row says; return the 201 to the push by tag."""
        before: dict[str, Callable[[], object]] = {
            "pushed": lambda: self._put(self.tag),
            "another": self._another,
            "deleted": self._and_delete,
            "asked": self._ask,
        }
        before.get(self.attempt.row["manifest-before"], lambda: None)()
        refuse = {"digest": self._mismatch, "earlier": self._refused_elsewhere}
        refuse.get(self.attempt.row["manifest-refused"], lambda: None)()
        if self.attempt.row["push"].startswith("by-") and self.attempt.row["push"] != "by-tag":
            back = self._put(self.digest)
            if self.attempt.row["manifest-before"] == "deleted":
                answer = self.attempt.answered(self.repo.get_manifest(self.tag, None, headers=self.accepts()))
                self.attempt(checks.TAG_BACK, answer.status in UNKNOWN, "status 404 to its former tag", back, answer)
        created = self._put(self.tag)
        if self.attempt.row["manifest-refused"] == "digest" and self.attempt.number % 2:
            other = self.shelf.another(self.attempt.make)
            refused = self.attempt.answered(self.repo.put_manifest(self.digest, other.body, other.media_type))
            self.attempt(checks.REFUSED, not refused.ok, "a refusal of other bytes under this digest", refused)
        if self.attempt.row["manifest-refused"] == "later":
            self._refuse(self.tag, self._lacking()[0] if self.attempt.number % 2 else None)
        if self.made.about and self.attempt.number % 3 == 0:
            # What refers to it does so still.
            self.attempt.notes.append("with its subject pushed again")
            subject = self.shelf.child(self.made.about)
            self.attempt.answered(self.repo.put_manifest(subject.digest, subject.body, subject.media_type))
        return created

    def accepts(self) -> tuple[tuple[str, str], ...]:
        """Return the Accept fields of the row's pulls."""
        own = self.manifest.media_type
        others = [name for name in TYPES if name != own]
        # White space may stand on both sides of the sign (RFC 9110, 5.6.6).
        mark = " ; q=" if self.attempt.number % 2 else ";q="
        forms: dict[str, Sequence[str]] = {
            "exact": [own],
            "list": [", ".join([*others, *UNRELATED, own])],
            # Docker sends a field for each type.
            "fields": [own, *others] if self.attempt.number % 2 else [*others, UNRELATED[0], own],
            "weights": [f"{UNRELATED[1]}{mark}0.9, {own}{mark}0.5, {others[0]}{mark}0.2"],
            "any": ["*/*"],
        }
        return tuple(("Accept", value) for value in forms[self.attempt.row["accept"]])

    def form(self, reference: str) -> Form:
        """Return how the row asks for a manifest."""
        asked = self.attempt.row["manifest-asked"]
        if asked == "connection":
            self._apart = self._apart or self.attempt.elsewhere()
            return Form(self._apart, reference)
        return Form(self.repo, encoded(reference, self.attempt.number) if asked == "encoded" else reference)

    def _put(self, reference: str, manifest: Manifest | None = None) -> Response:
        """Push a manifest under a reference, and judge what the answer says of it."""
        pushed = manifest or self.manifest
        streamed = self.attempt.row["push"] == "streamed"
        answer = self.repo.put_manifest(self._named(reference), pushed.body, pushed.media_type, streamed=streamed)
        if (streamed and answer.status == LENGTH_REQUIRED) or (answer.refused and reference.startswith("sha512:")):
            raise Declined("push")
        if streamed and answer.refused:
            # Refused in the ordinary way as well, it is judged as that: what a stream holds is not written down.
            plain = self.repo.put_manifest(reference, pushed.body, pushed.media_type)
            answer = plain if plain.refused else answer
        if dimension := self._declines(answer, reference):
            raise Declined(dimension)
        if answer.refused and self.shelf.collected():
            # It refers to what went with a manifest that was deleted; whether that was in use a scenario judges.
            self.attempt.place.gone.update(self.shelf.tags.values())
            self.attempt.place.shelf = None
            raise Declined
        self.attempt.taken(answer)
        self.attempt(checks.PUSHED, answer.status == CREATED, "status 201 to a push of a manifest", answer)
        if ":" not in reference:
            self.attempt.place.tags[reference] = self.attempt.row
        self._says(answer, pushed)
        if pushed is self.manifest:
            self.created.append(answer)
        return answer

    def _named(self, reference: str) -> str:
        """Return how a push names what it pushes: in each second row that pulls by an encoded tag, by that, too."""
        if self.attempt.row["manifest-asked"] != "encoded" or self.attempt.number % 2:
            return reference
        note = f"by an encoded {'digest' if ':' in reference else 'tag'}, too"
        if note not in self.attempt.notes:
            self.attempt.notes.append(note)
        return encoded(reference, self.attempt.number // 2)

    def _declines(self, answer: Response, reference: str) -> str:
        """Return the dimension whose value the target may want no more of, where a refusal may say so; or nothing."""
        before = self.attempt.row["manifest-before"]
        if reference in self.attempt.place.tags and is_immutable(answer):
            return "tag" if before == "nothing" else "manifest-before"
        if doubtful(self.made) and answer.refused:
            # Nothing is no type (RFC 6838, 4.2), and which types a subject has is nowhere said.
            return "subject"
        if not may_be(answer):
            return ""
        if before in {"deleted", "pushed"}:
            return "manifest-before"
        # How many layers and referrers there may be is nowhere said.
        return "kind" if self.attempt.row["kind"] == "many" else "subject" if self.made.subject else ""

    def _says(self, answer: Response, pushed: Manifest) -> None:
        named = (answer.header("Docker-Content-Digest") or "").strip()
        held = not named or is_digest_of(named, pushed.body) is not False
        shown = told(answer, "Docker-Content-Digest")
        self.attempt(checks.SAID, held, f"Docker-Content-Digest: {pushed.digest}", answer, actual=shown)
        said = (answer.header("OCI-Subject") or "").strip()
        shown = told(answer, "OCI-Subject")
        if not self.made.subject or pushed is not self.manifest:
            self.attempt(checks.NO_SUBJECT, not said, "no OCI-Subject", answer, actual=shown)
        elif self.attempt.has("referrers"):
            self.attempt(checks.SUBJECT_THERE, said, f"OCI-Subject: {self.made.subject}", answer, actual=shown)
            held = said in {"", self.made.subject}
            self.attempt(checks.SUBJECT, held, f"OCI-Subject: {self.made.subject}", answer, actual=shown)

    def _another(self) -> None:
        """Push another manifest to the tag, and pull it, so that a cache has it."""
        self._put(self.tag, self.other())
        self._pull()

    def other(self) -> Manifest:
        """Return another manifest for the tag: of the row's kind, where it has no mediaType and in each second row."""
        kind = self.attempt.row["kind"]
        alike = kind == "nameless" or (kind in ALIKE and self.attempt.number % 2)
        return (
            self.shelf.make(kind, "none", self.attempt.make).manifest
            if alike
            else self.shelf.another(self.attempt.make)
        )

    def _pull(self) -> None:
        """Pull what the tag leads to, so that a cache has it."""
        answer = self.attempt.answered(self.repo.get_manifest(self.tag, None, headers=self.accepts()))
        if (etag := (answer.header("ETag") or "").strip()) and not etag.startswith("W/"):
            self.stale.append(etag)

    def _and_delete(self) -> None:
        if self.attempt.row["manifest-asked"] == "condition":
            self._put(self.tag, self.shelf.another(self.attempt.make))
            self._pull()
        self._put(self.tag)
        self.may_be_gone()
        answer = self.attempt.answered(self.repo.delete_manifest(self.manifest.digest))
        if answer.status != ACCEPTED:
            self.is_there(answer)
            raise Declined("manifest-before")
        for reference in (self.manifest.digest, self.tag):
            self.attempt.gone(partial(self.repo.head_manifest, reference, self.manifest.media_type))
        if kind := CHILDREN.get(self.attempt.row["kind"]):
            child = self.shelf.child(kind)
            kept = self.attempt.answered(self.repo.get_manifest(self.shelf.tags[kind], child.media_type))
            self.attempt(fate_checks.CHILD_KEPT, kept.ok, "the manifest that it lists as before", answer, kept)

    def may_be_gone(self, *, deleted: bool = True) -> None:
        """Expect nothing more of the tag: a deletion is sent, which may be done whatever is answered.

        What ``deleted`` takes along are manifests.
        """
        place = self.attempt.place
        place.deleted = place.deleted or deleted
        place.tags.pop(self.tag, None)
        place.gone.add(self.tag)

    def is_there(self, deletion: Response) -> None:
        """Expect the tag again where its deletion was refused."""
        if deletion.refused:
            self.attempt.place.tags[self.tag] = self.attempt.row

    def _ask(self) -> None:
        """Ask for the manifest by its digest and by its tag, by HEAD and by GET in turns: it is not there."""
        known = {*self.attempt.place.tags, *self.attempt.place.gone}
        references = [self.manifest.digest] + ([] if self.tag in known else [self.tag])
        if self.attempt.session.settings.repositories:
            references = references[:1]
        asks = ((checks.UNPUSHED_HEAD, self.repo.head_manifest), (checks.UNPUSHED, self.repo.get_manifest))
        for number, reference in enumerate(references, self.attempt.number):
            check, ask = asks[number % 2]
            answer = self.attempt.answered(ask(reference, ANY_MANIFEST))
            held = answer.status in UNKNOWN
            self.attempt(check, held, "status 404 where no manifest was pushed", answer)

    def _refuse(self, tag: str, lacking: Manifest | None = None) -> Response:
        """Push what is no manifest under a tag, or one that lacks a layer: it is refused.

        Raises:
            Declined: it is taken, which scenarios of their own judge.
        """
        body = lacking.body if lacking else self.manifest.body[: len(self.manifest.body) // 2]
        media_type = (lacking or self.manifest).media_type
        refused = self.attempt.answered(self.repo.put_manifest(tag, body, media_type))
        if refused.ok:
            self.attempt.place.tags.pop(tag, None)
            self.attempt.place.gone.add(tag)
            raise Declined("manifest-refused")
        if lacking:
            self._unreferred(refused, {lacking.digest})
        return refused

    def _lacking(self) -> tuple[Manifest, Blob]:
        """Return an image one of whose layers is not there, with the subject of the row, and that layer."""
        return self.shelf.lacking(self.attempt.make, self.manifest.document.get("subject"))

    def _unreferred(self, refused: Response, digests: set[str]) -> None:
        """Judge that none of the manifests that were refused is among the referrers of the row's subject."""
        if not self.made.subject or not self.attempt.has("referrers"):
            return
        listed = self.attempt.answered(self.repo.referrers(self.made.subject))
        found = digests_of(listed) & digests
        shown = f"{listing(sorted(found))} was there"
        self.attempt(checks.ABSENT_REFERRED, not found, "a list without it", refused, listed, actual=shown)

    def _refused_elsewhere(self) -> None:
        """Have a push under another tag refused: nothing is there by that, nor when what it lacked has come."""
        tag = self.attempt.make.tag()
        self.attempt.place.refused[tag] = self.attempt.row
        lacking, late = self._lacking() if self.attempt.number % 2 else (None, None)
        refused = self._refuse(tag, lacking)
        if lacking is not None and late is not None:
            head = self.attempt.answered(self.repo.head_blob(late.digest))
            self.attempt(checks.ABSENT_PART, not head.ok, "no blob where none was pushed", refused, head)
            self.shelf.push(late)
            again = self.repo.put_manifest(lacking.digest, lacking.body, lacking.media_type)
            self.attempt.taken(again)
            expected = "status 201 once the layer that it had lacked is there"
            self.attempt(checks.PUSHED, again.status == CREATED, expected, refused, again)
            got = self.attempt.answered(self.repo.get_manifest(lacking.digest, lacking.media_type))
            held = got.body == lacking.body
            self.attempt(checks.SAME, held, "the manifest once it is accepted", again, got, actual=content_of(got))
            return
        got = self.attempt.answered(self.repo.get_manifest(lacking.digest if lacking else tag, ANY_MANIFEST))
        self.attempt(checks.ABSENT, not got.ok, "no manifest where none was accepted", refused, got)

    def _mismatch(self) -> None:
        """Push the manifest under the digest of another, or of nothing: it is refused, and neither is there."""
        other = self.shelf.another(self.attempt.make)
        number, kind = divmod(self.attempt.number, 2)
        wrong = near(self.digest, number) if kind else digest_of(other.body, self.algorithm)
        streamed = self.attempt.row["push"] == "streamed"
        refused = self.repo.put_manifest(wrong, self.manifest.body, self.manifest.media_type, streamed=streamed)
        self.attempt.answered(refused)
        self.attempt(checks.REFUSED, not refused.ok, "a refusal of other bytes under this digest", refused)
        # What was deleted may be there still, which looks at deletion judge.
        own = set() if self.attempt.row["manifest-before"] in {"pushed", "deleted"} else {self.manifest.digest}
        for digest in (wrong, *own):
            got = self.attempt.answered(self.repo.get_manifest(digest, ANY_MANIFEST))
            self.attempt(checks.ABSENT, not got.ok, "no manifest where none was accepted", refused, got)
        self._unreferred(refused, {wrong, *own})


def digests_of(answer: Response) -> set[str]:
    """Return the digests that a page of referrers names, none where it is no such page."""
    try:
        return {str(entry.get("digest")) for entry in descriptors_of(answer)}
    except Blocked:
        return set()
