"""The laws of manifests, tried on one row: the lists that show a manifest."""

from __future__ import annotations

import re
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, next_link
from conformance.scenarios.conditions.manifests import checks, fate_checks
from conformance.scenarios.conditions.manifests.push import Push
from conformance.scenarios.conditions.rows.attempt import Attempt, Check, Unclear
from conformance.scenarios.conditions.rows.places import encoded, links
from conformance.target.content import ANY_MANIFEST
from conformance.target.lists import (
    Listed,
    all_referrers,
    all_tags,
    descriptors_of,
    is_ours,
    settled_tags,
    tags_of,
    walk,
)
from conformance.verdict.judge import Blocked, Judgement, listing

Entry = dict[str, Any]
#: A digest, or a tag made of one.
DIGEST = re.compile(r"sha(256|512)[:-][0-9a-f]{64,128}")
#: Characters of an annotation that is told as it is.
TOLD = 60


class ListLook:
    """What lists of tags and of referrers have to say of a manifest."""

    def __init__(self, attempt: Attempt, push: Push, created: Response) -> None:
        self.attempt = attempt
        self.repo = attempt.repo
        self.push = push
        self.created = created
        self.manifest = push.manifest
        #: The digests by which it was pushed: of two algorithms, where the row says so.
        self.digests = {push.digest, push.manifest.digest}
        #: The other manifests that refer to the same subject, and those that a list of one type had.
        self.others: frozenset[str] = frozenset()
        self.alike: frozenset[str] = frozenset()

    def run(self) -> None:
        """Look at the list of the row, and at the referrers of the subject, if it has one."""
        if self.push.made.subject and self.attempt.has("referrers"):
            self.referred(checks.REFERRED)
        looks = {
            "pages": self._pages,
            "behind": self._behind,
            "filtered": self._filtered,
            "own": self._own,
            "there": self._there,
        }
        look = looks.get(self.attempt.row["listed"])
        if look is not None:
            look()
        else:
            self.listed(self.attempt)

    # -- tags

    def unlisted(self, without: Check, others: Check, deletion: Response) -> None:
        """Judge that the tag of the row is listed no more after a deletion, and that all others still are."""
        tags = self._tags(self.attempt, frozenset({self.push.tag}))
        held, shown = self.push.tag not in tags, f"the list had {listing(tags)}"
        if not held and self.push.tag in self.attempt.place.elsewhere:
            # It may come from the list of another repository.
            self._no_others(self.attempt, tags)
        expected = f"a list without {self.push.tag}"
        self.attempt(without, held, expected, deletion, *tags.pages, actual=shown)
        missing = sorted(self.attempt.place.shown & set(self.attempt.place.tags) - set(tags))
        expected = f"the tag {', '.join(missing[:1])}, as before"
        self.attempt(others, not missing, expected, deletion, *tags.pages, actual=shown)

    def listed_there(self, check: Check, other: Repository) -> None:
        """Judge that another repository, which has the tag as well, still lists it."""
        tags = self._tags(self.attempt, other=other)
        held, shown = self.push.tag in tags, f"the list had {listing(tags)}"
        self.attempt(check, held, f"the tag {self.push.tag} as before", *tags.pages, actual=shown)

    def listed(self, attempt: Attempt) -> None:
        """Judge that the tags of a place are listed, each once, and no others where nobody else pushes."""
        tags = self._tags(attempt)
        self._complete(attempt, tags, checks.LISTED, checks.LISTED_ONCE)
        self._named(attempt, tags)
        self._no_others(attempt, tags)

    def _named(self, attempt: Attempt, tags: Listed) -> None:
        """Judge that each page of a list names the repository."""
        for page in tags.pages:
            name = page.json.get("name") if isinstance(page.json, dict) else None
            shown = f"name was {name}" if isinstance(name, str) else "there was no such name"
            attempt(checks.TAGS_NAME, name == self.repo.name, f"the name {self.repo.name}", page, actual=shown)

    def _no_others(self, attempt: Attempt, tags: Listed) -> None:
        """Judge that a list has no tags that nobody pushed there."""
        if attempt.session.settings.repositories or attempt.place.controlled:
            return
        known = {*attempt.place.tags, *attempt.place.gone, *self.push.shelf.tags.values()}
        more = sorted(set(tags) - known)
        shown = f"the list had {listing(tags)}"
        for refused in [tag for tag in more if tag in attempt.place.refused]:
            expected = f"a list without {refused}"
            attempt(checks.REFUSED_LISTED, False, expected, *tags.pages, actual=shown, subject=refused)
            more.remove(refused)
        expected = f"a list without {', '.join(more[:1])}"
        digests = [tag for tag in more if DIGEST.fullmatch(tag)]
        attempt(checks.LISTED_DIGEST, not digests, expected, *tags.pages, actual=shown)
        attempt(checks.LISTED_MORE, not more, expected, *tags.pages, actual=shown)

    def _complete(self, attempt: Attempt, tags: Listed, there: Check, once: Check) -> None:
        missing = sorted(set(attempt.place.tags) - set(tags))
        if missing and attempt.place.deleted and not self._is_there(missing[0]):
            # The list is true: the tag went with a manifest that was deleted, which looks at deletion judge.
            raise Unclear(there, f"the list had {listing(tags)}")
        first, shown = ", ".join(missing[:1]), f"the list had {listing(tags)}"
        attempt(there, not missing, f"the tag {first}", *tags.pages, actual=shown, subject=first)
        attempt(once, len(tags) == len(set(tags)), "each tag once", *tags.pages, actual=shown)

    def _is_there(self, tag: str) -> bool:
        return self.repo.get_manifest(tag, ANY_MANIFEST).ok

    def _pages(self) -> None:
        """Walk the list in pages of which the last has one tag."""
        known = len(self.attempt.place.tags) + len(self.push.shelf.tags)
        session = self.attempt.session
        if known < 3 or session.settings.repositories or not links(self.repo, session):
            return
        if session.settings.settle:
            # Until the list has what was pushed, its pages have not.
            self._tags(self.attempt)
        first = self.attempt.answered(self.repo.list_tags(n=known - 1))
        try:
            pages = walk(
                first,
                lambda page: self.repo.follow_link(page, "tags.list"),
                "DISC-TAGS-LINK-WALK-COMPLETE",
                ours=is_ours(self.repo),
            )
            tags = Listed((tag for page in pages for tag in tags_of(page)), tuple(pages))
        except Blocked as blocked:
            _broken(self.attempt, checks.PAGES, blocked)
            return
        if next_link(first) is None and len(tags) < known and len(tags) != known - 1:
            # A shorter page than was asked for is judged by scenarios of its own.
            return
        self._complete(self.attempt, tags, checks.PAGES, checks.PAGES)
        self._named(self.attempt, tags)
        if len(tags_of(first)) < known:
            held, shown = in_order(tags), f"the list had {listing(tags)}"
            self.attempt(checks.ORDER, held, "tags in lexical order", *pages, actual=shown)

    def _behind(self) -> None:
        """Ask for what follows the tag: what follows it in the whole list."""
        if self.attempt.session.settings.repositories:
            return
        whole = self._tags(self.attempt)
        self._complete(self.attempt, whole, checks.LISTED, checks.LISTED_ONCE)
        place = whole.index(self.push.tag)
        answer = self.attempt.answered(self.repo.list_tags(n=2, last=self.push.tag))
        try:
            found = tags_of(answer, "DISC-TAGS-LAST-EXCLUSIVE")
        except Blocked as blocked:
            _broken(self.attempt, checks.BEHIND, blocked)
            return
        held = found == whole[place + 1 : place + 1 + len(found)] and bool(found) == (place + 1 < len(whole))
        expected = f"what follows {self.push.tag}: {listing(whole[place + 1 : place + 3])}"
        self.attempt(checks.BEHIND, held, expected, *whole.pages, answer, actual=f"it was {listing(found)}")

    def _there(self) -> None:
        """Look at the lists of another repository: neither has the manifest."""
        place, other = self.attempt.place, self.attempt.neighbour
        if other is None:
            return
        place.shelf_of(other, self.attempt.session)
        try:
            tags = all_tags(other)
        except Blocked as blocked:
            _broken(self.attempt, checks.TAGS, blocked)
            return
        # In repositories that the owner fixed, other scenarios may have pushed it there.
        known = self.push.tag in place.elsewhere or self.attempt.session.settings.repositories
        held, shown = known or self.push.tag not in tags, f"the list had {listing(tags)}"
        expected = f"a list without {self.push.tag}, which is in another repository"
        self.attempt(checks.LISTED_THERE, held, expected, self.created, *tags.pages, actual=shown)
        if self.push.made.subject and self.attempt.has("referrers"):
            found = {str(entry.get("digest")) for entry in self.referrers(self.push.made.subject, other)}
            held, shown = not found & self.digests, f"the list had {listing(sorted(found))}"
            expected = "a list without it, which is in another repository"
            self.attempt(checks.REFERRED_THERE, held, expected, self.created, actual=shown)

    def _tags(
        self, attempt: Attempt, unwanted: frozenset[str] = frozenset(), other: Repository | None = None
    ) -> Listed:
        """Return the tags of the row's repository, or of another one that has the row's tag as well."""
        settings = attempt.session.settings
        try:
            if settings.settle:
                wanted = {self.push.tag} if other else set(attempt.place.tags)
                return settled_tags(other or self.repo, settings, wanted, unwanted)
            tags = all_tags(other or self.repo)
        except Blocked as blocked:
            _broken(attempt, checks.TAGS, blocked)
            return Listed(())
        if other is None:
            attempt.place.shown |= set(tags)
        return tags

    # -- referrers

    def referrers(self, digest: str, repo: Repository | None = None) -> list[Entry]:
        """Return what the list of referrers of a digest has."""
        try:
            return all_referrers(repo or self.repo, digest)
        except Blocked as blocked:
            _broken(self.attempt, checks.REFERRERS, blocked)
            return []

    def referred(self, check: Check) -> None:
        """Judge that the manifest is in the list of its subject's referrers, once and as it is."""
        listed: list[Entry] = []

        def there() -> bool:
            subject = self.push.made.subject
            # The form of the request is that of the row.
            asked = (
                encoded(subject, self.attempt.number) if self.attempt.row["manifest-asked"] == "encoded" else subject
            )
            listed[:] = self.referrers(asked)
            return any(str(entry.get("digest")) in self.digests for entry in listed)

        self.attempt.session.settings.wait(there)
        entries = [e for e in listed if str(e.get("digest")) in self.digests]
        before, self.others = self.others, frozenset(str(e.get("digest")) for e in listed) - self.digests
        # What was pushed by two digests may be there as two manifests.
        held = entries and len({str(entry["digest"]) for entry in entries}) == len(entries)
        actual = f"the list had it {len(entries)} times"
        self.attempt(check, held, f"{self.manifest.digest} among the referrers, once", self.created, actual=actual)
        missing = sorted(before - self.others)
        shown = f"{len(missing)} of {len(before)} were missing"
        self.attempt(check, not missing, "the other referrers as before", self.created, actual=shown)
        self._described(entries[0])

    def unreferred(self, deletion: Response) -> None:
        """Judge that the deleted manifest is no more in the list of its subject's referrers, and the others are."""
        digests: set[str] = set()

        def gone() -> bool:
            digests.clear()
            digests.update(str(entry.get("digest")) for entry in self.referrers(self.push.made.subject))
            return not self.digests & digests

        self.attempt.session.settings.wait(gone)
        shown = f"the list had {listing(sorted(digests))}"
        held = not self.digests & digests
        self.attempt(fate_checks.UNREFERRED, held, "a list without it", deletion, actual=shown)
        missing = len(self.others - digests)
        shown = f"{missing} of {len(self.others)} others were missing"
        self.attempt(fate_checks.REFERRERS_KEPT, not missing, "the other referrers as before", deletion, actual=shown)
        found = self._of_type(deleted=True) if self.alike else None
        if found is not None:
            missing = len(self.alike - found[1])
            shown = f"{missing} of {len(self.alike)} others of its type were missing"
            expected = "the other referrers of its type as before"
            self.attempt(checks.FILTERED, not missing, expected, deletion, found[0], actual=shown)

    def _described(self, entry: Entry) -> None:
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
        self.attempt(checks.DESCRIBED_NOTES, held, "the annotations of the manifest", actual=_noted(notes))

    def _of_type(self, *, deleted: bool = False) -> tuple[Response, frozenset[str]] | None:
        """Return the referrers of the manifest's type, as one answer has them; nothing where there are more."""
        made = self.push.made
        digest = self.push.manifest.digest.encode()
        answer = self.attempt.answered(
            self.attempt.ask(
                lambda: self.repo.referrers(made.subject, made.artifact_type),
                lambda a: deleted != (digest in a.body),
            )
        )
        if next_link(answer) is not None:
            return None
        try:
            return answer, frozenset(str(entry.get("digest")) for entry in descriptors_of(answer))
        except Blocked as blocked:
            _broken(self.attempt, checks.REFERRERS, blocked)
            return None

    def _filtered(self) -> None:
        """Ask for the referrers of the manifest's type: it is among them, whether they were filtered or not."""
        found = self._of_type() if self.push.made.subject else None
        if found is None:
            return
        answer, digests = found
        self.alike = digests - self.digests
        shown = f"the list had {listing(sorted(digests))}"
        expected = f"{self.manifest.digest} among the referrers of its type"
        self.attempt(checks.FILTERED, digests & self.digests, expected, self.created, answer, actual=shown)

    def _own(self) -> None:
        """Ask for what refers to the manifest: nothing does."""
        found = [str(entry.get("digest")) for entry in self.referrers(self.push.digest)]
        shown = f"the list had {listing(found)}"
        self.attempt(checks.UNRELATED, not found, "no referrers of what nothing refers to", self.created, actual=shown)


def in_order(tags: list[str]) -> bool:
    """Return whether the tags of one case and without signs, on whose order all agree, are in lexical order."""
    plain = [tag for tag in tags if tag.isascii() and tag.isalnum() and tag == tag.lower()]
    return plain == sorted(plain)


def _noted(notes: object) -> str:
    """Return the annotations of a descriptor in words; long ones are not told whole."""
    if isinstance(notes, dict):
        notes = {key: value if len(str(value)) <= TOLD else f"{len(value)} characters" for key, value in notes.items()}
    return f"annotations {str(notes)[:300]}"


def _broken(attempt: Attempt, check: Check, blocked: Blocked) -> None:
    """Judge a list that is none.

    Raises:
        Broke: it does not hold.
        Unclear: the target need not answer so.
    """
    judgement: Judgement = blocked.judgement
    if not blocked.accuses:
        raise Unclear(check, judgement.actual) from None
    shapes = (checks.REFERRERS_SHAPE, checks.TAGS_SHAPE)
    told = next((shape for shape in shapes if shape.requirement == judgement.requirement), check)
    attempt(told, False, judgement.expected, actual=judgement.actual)
