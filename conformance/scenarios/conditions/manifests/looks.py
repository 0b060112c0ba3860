"""The laws of manifests, tried on one row: what is asked once a manifest is there."""

from __future__ import annotations

from functools import partial

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.conditions.manifests import checks, fate_checks
from conformance.scenarios.conditions.manifests.fates import Fate
from conformance.scenarios.conditions.manifests.lists import ListLook
from conformance.scenarios.conditions.manifests.push import Push
from conformance.scenarios.conditions.rows.attempt import NOT_FOUND, OK, PACKED, Attempt, Check, is_coded, longer
from conformance.scenarios.conditions.rows.places import near, other_length, sibling_of
from conformance.verdict.judge import content_of, status_of, told

NOT_MODIFIED = 304
_DOCKER = "docker/27.3.1 go/go1.22.7 kernel/6.1.0 os/linux arch/amd64 UpstreamClient(Docker-Client/27.3.1)"
#: How clients name themselves.
AGENTS = (_DOCKER, _DOCKER, "containerd/1.7.22", _DOCKER, "containers/5.32.2 (github.com/containers/image)")


class ManifestLook:
    """What is asked for once a manifest is there."""

    def __init__(self, attempt: Attempt, push: Push, created: Response) -> None:
        self.attempt = attempt
        self.row = attempt.row
        self.repo = attempt.repo
        self.push = push
        self.created = created
        self.manifest = push.manifest
        self.accepts = push.accepts()
        #: The types that GET has given.
        self._types: list[str] = []

    def run(self) -> None:
        """Try each law."""
        # What came first is judged when it is known whether GET works.
        head = self._ask_head(self.push.tag) if self.row["manifest-head"] == "first" else None
        pulls = [(checks.GOT_TAG, checks.SAME_TAG, self.push.tag), (checks.GOT, checks.SAME, self.push.digest)]
        # A client asks by HEAD of a tag which digest it is to pull.
        for got, same, reference in pulls if head is None or self.attempt.number % 2 else reversed(pulls):
            self._get(got, same, reference)
        if head is not None:
            self._judge_head(checks.HEADED_TAG, head)
        else:
            self._headed()
        self._asked()
        self._elsewhere()
        lists = ListLook(self.attempt, self.push, self.created)
        lists.run()
        self.attempt.place.listed = lists.listed
        kept = Fate(self.attempt, self.push, lists).run()
        if kept:
            self.attempt.place.later.append((self.row, self.still))
        if self.attempt.closely:
            lists.listed(self.attempt)
            if kept:
                self.still(self.attempt)

    def still(self, attempt: Attempt) -> None:
        """Judge that the manifest is there when other rows are done; one that lost its tag to them may be collected."""
        if self.attempt.place.tags.get(self.push.tag) is not self.row:
            return
        answer = attempt.answered(self.repo.get_manifest(self.push.tag, self.manifest.media_type))
        held = answer.status == OK and answer.body == self.manifest.body
        attempt(fate_checks.STILL, held, "the manifest", answer, actual=content_of(answer))

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
        if answer.status != OK:
            # That is known, and an answer without the manifest says nothing of it.
            return
        self._types.append(answer.media_type)
        self._says(answer, checks.TYPE, checks.GOT_DIGEST)
        self.push.etag = (answer.header("ETag") or "").strip()

    def _says(self, answer: Response, type_check: Check, digest_check: Check) -> None:
        shown = told(answer, "Content-Type")
        wanted = self.manifest.media_type
        there = type_check is checks.TYPE or "Content-Type" in answer.headers
        # HEAD has to say what GET says, of which another look judges whether it is true.
        held = not there or answer.media_type in {wanted, *(self._types if type_check is checks.HEAD_TYPE else ())}
        self.attempt(type_check, held, f"Content-Type: {wanted}", answer, actual=shown)
        named = (answer.header("Docker-Content-Digest") or "").strip()
        held = not named or is_digest_of(named, self.manifest.body) is not False
        shown = told(answer, "Docker-Content-Digest")
        self.attempt(digest_check, held, f"Docker-Content-Digest: {self.push.digest}", answer, actual=shown)

    def _head(self, check: Check, reference: str) -> None:
        self._judge_head(check, self._ask_head(reference))

    def _ask_head(self, reference: str) -> Response:
        headers = (*self.accepts, PACKED) if self.attempt.number % 4 == 1 else self.accepts
        return self.attempt.ask(
            lambda: self.repo.head_manifest(reference, None, headers=headers), lambda a: a.status != NOT_FOUND
        )

    def _judge_head(self, check: Check, head: Response) -> None:
        answer = self.attempt.answered(head)
        self.attempt(check, answer.status == OK, "status 200", self.created, answer)
        size = len(self.manifest.body)
        length = answer.header("Content-Length")
        held = length is None or length.strip() == str(size) or is_coded(answer)
        shown = told(answer, "Content-Length")
        self.attempt(checks.LENGTH, held, f"Content-Length: {size}", answer, actual=shown)
        self._says(answer, checks.HEAD_TYPE, checks.HEAD_DIGEST)

    def _headed(self) -> None:
        if self.row["manifest-head"] == "digest":
            self._head(checks.HEADED, self.push.digest)
        else:
            self._head(checks.HEADED_TAG, self.push.tag)

    def _asked(self) -> None:
        asked = self.row["manifest-asked"]
        again = checks.AGAIN
        if asked == "location":
            self._located()
        elif asked == "condition":
            self._on_condition()
        elif asked == "connection":
            self._get(again, again, self.push.tag, self.push.form(self.push.tag).repo)
        elif asked == "encoded":
            by_tag = self.row["manifest-head"] != "digest"
            reference = self.push.form(self.push.tag if by_tag else self.push.digest).reference
            self._get(again, again, reference)
            self._head(checks.HEADED_TAG if by_tag else checks.HEADED, reference)
        elif asked == "again":
            by_tag = not self.attempt.number % 2
            self._get(again, again, self.push.tag if by_tag else self.push.digest)
            self._by_name(self.push.digest if by_tag else self.push.tag)

    def _by_name(self, reference: str) -> None:
        """Ask as other clients do, by their names: what they accept they get."""
        agent = AGENTS[self.attempt.number % len(AGENTS)]
        self.attempt.notes.append(f"by {agent}")
        headers = (("Accept", self.manifest.media_type), ("User-Agent", agent))
        answer = self.attempt.ask(lambda: self.repo.get_manifest(reference, None, headers=headers), lambda a: a.ok)
        self._whole(checks.NAMED_CLIENT, checks.NAMED_CLIENT, self.attempt.answered(answer))

    def _on_condition(self) -> None:
        """Ask with ETags of something else: the manifest comes. With its own it may be said not to have changed."""
        unlike = [f'"{self.push.shelf.child().digest}"', longer(self.push.etag, self.push.digest)]
        other = ", ".join([*unlike, *self.push.stale])
        answer = self._ask(self.repo, self.push.tag, ("If-None-Match", other))
        self._whole(checks.CONDITION, checks.CONDITION, answer)
        etag = (answer.header("ETag") or "").strip()
        if etag:
            again = self._ask(self.repo, self.push.tag, ("If-None-Match", etag))
            if again.status == NOT_MODIFIED:
                # What had no body is no answer to the next request.
                again = self._ask(self.repo, self.push.tag)
            self._whole(checks.AGAIN, checks.AGAIN, again)

    def _located(self) -> None:
        """Follow the Location of each push of the manifest."""
        for created in self.push.created:
            url = upload_location(created)
            if url is None:
                continue
            parameters = {"name": self.repo.name, "reference": self.push.digest}
            answer = self.attempt.answered(self.attempt.ask(partial(self._at, url, parameters), lambda a: a.ok))
            held = answer.status == OK and answer.body == self.manifest.body
            expected = "the manifest at the Location of its push"
            self.attempt(checks.LOCATED, held, expected, created, answer, actual=content_of(answer))

    def _at(self, url: str, parameters: dict[str, str]) -> Response:
        registry = self.repo.registry
        return registry.request("GET", url, operation="manifest.get", parameters=parameters, headers=self.accepts)

    # -- what must not be found

    def _elsewhere(self) -> None:
        where = self.row["manifest-elsewhere"]
        if where == "blob":
            self._as_blob()
        elif where.startswith("other-"):
            self._other_repository(where == "other-tag")
        elif where == "digest-tag":
            tag = self.push.digest.replace(":", "-")
            if tag not in self.attempt.place.tags:
                self._not_this(checks.DIGEST_TAG, tag)
        elif where == "malformed":
            number, kind = divmod(self.attempt.number, 3)
            digest = self.push.digest
            like, check = (
                (near(digest, number), checks.NEAR) if kind else (other_length(digest, number), checks.MALFORMED)
            )
            answer = self.attempt.answered(self.repo.get_manifest(like, None, headers=self.accepts))
            self.attempt(check, not answer.ok, f"no manifest by {like}", self.created, answer)
        else:
            other = sibling_of(self.push.tag, self.attempt.number)
            if other not in self.attempt.place.tags:
                same = other.lower() == self.push.tag.lower()
                self._not_this(checks.CASE if same else checks.ALIKE, other)

    def _not_this(self, check: Check, reference: str) -> None:
        """Judge that a tag that nobody pushed does not lead to the manifest; what a registry makes of it is its own."""
        answer = self.attempt.answered(self.repo.get_manifest(reference, None, headers=self.accepts))
        held = not answer.ok or answer.body != self.manifest.body
        self.attempt(check, held, "not this manifest", self.created, answer)

    def _as_blob(self) -> None:
        """A manifest may be there as a blob, too; then by HEAD and GET alike, and byte for byte."""
        head = self.attempt.answered(self.repo.head_blob(self.push.digest))
        got = self.attempt.answered(self.repo.get_blob(self.push.digest))
        held = got.body == self.manifest.body if got.ok else not head.ok
        shown = f"{status_of(got)} to GET and {status_of(head)} to HEAD"
        expected = "the manifest, or no blob by HEAD and GET"
        self.attempt(checks.AS_BLOB, held and got.ok == head.ok, expected, head, got, actual=shown)

    def _is_this(self, head: Response) -> bool:
        """Tell whether the answer to a HEAD tells of this manifest, and of no other."""
        named = (head.header("Docker-Content-Digest") or "").strip()
        length = (head.header("Content-Length") or "").strip()
        same = length in {"", str(len(self.manifest.body))} and (named or length)
        return bool(same) and (not named or is_digest_of(named, self.manifest.body) is not False)

    def _other_repository(self, by_tag: bool) -> None:
        other = self.attempt.neighbour
        if other is None:
            return
        if self.attempt.number % 3 == 0 and self.attempt.place.alias is not None:
            other = self.attempt.place.alias
        else:
            self.attempt.place.shelf_of(other, self.attempt.session)
        form = self.push.form(self.push.tag if by_tag else self.push.digest)
        other, reference = Repository(form.repo.registry, other.name), form.reference
        if by_tag and self.attempt.number % 2:
            head = self.attempt.answered(other.head_manifest(reference, None, headers=self.accepts))
            held = not head.ok or not self._is_this(head)
            self.attempt(checks.OTHER_TAG, held, "no manifest of another repository", self.created, head)
            return
        answer = self.attempt.answered(other.get_manifest(reference, None, headers=self.accepts))
        check = checks.OTHER_TAG if by_tag else checks.OTHER
        # Another row may have pushed something else to the same tag there.
        held = not answer.ok or (by_tag and answer.body != self.manifest.body)
        self.attempt(check, held, "no manifest of another repository", self.created, answer)
        if not by_tag:
            head = self.attempt.answered(other.head_manifest(reference, None, headers=self.accepts))
            self.attempt(check, not head.ok, "no manifest of another repository", self.created, head)
