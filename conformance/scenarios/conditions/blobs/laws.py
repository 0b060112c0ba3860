"""The laws of blobs, tried on one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.conditions.blobs import checks
from conformance.scenarios.conditions.blobs.arrivals import Arrival
from conformance.scenarios.conditions.blobs.contents import Content, make, names_another
from conformance.scenarios.conditions.blobs.possible import COMMON
from conformance.scenarios.conditions.blobs.ranges import range_of
from conformance.scenarios.conditions.blobs.uploads import UNSATISFIABLE
from conformance.scenarios.conditions.rows.attempt import (
    ACCEPTED,
    CLOSE,
    CREATED,
    NOT_FOUND,
    OK,
    PACKED,
    UNKNOWN,
    Attempt,
    Check,
    cached,
    is_coded,
    longer,
)
from conformance.scenarios.conditions.rows.places import Form, encoded, near, other_length
from conformance.scenarios.shared.partial_content import LABEL, TRUE, expected_of, false_of
from conformance.scenarios.shared.pull_answers import content_range
from conformance.verdict.judge import content_of, status_of, told

PART_OF = 206
NOT_MODIFIED = 304
#: What clients accept that pull a layer.
_ACCEPT = (
    "application/octet-stream, application/vnd.oci.image.layer.v1.tar;q=0.5",
    "application/vnd.oci.image.layer.v1.tar+gzip, */*",
    "application/vnd.oci.image.config.v1+json, application/vnd.docker.container.image.v1+json, */*",
)


def attempt_blob(attempt: Attempt) -> None:
    """Push a blob as a row says, and try the laws on it."""
    content = make(attempt.row["content"], attempt.make.random.randbytes(8).hex())
    arrival = Arrival(attempt, content)
    created = arrival.run()
    arrival.use()
    if attempt.row["refused"] == "later":
        arrival.refuse(present=True)
    Look(attempt, content, arrival, created).run()
    arrival.finish_other()


class Look:
    """What is asked for once a blob is there."""

    def __init__(self, attempt: Attempt, content: Content, arrival: Arrival, created: Response) -> None:
        self.attempt = attempt
        self.row = attempt.row
        self.repo = attempt.repo
        self.content = content
        self.digest = arrival.digest
        #: Whether another repository has it, too.
        self.beside = arrival.beside
        self.created = created
        #: The ETag of its last pull, if it had one.
        self.etag = ""
        self.form = self._form()

    def run(self) -> None:
        """Try each law; in each second row HEAD comes before GET."""
        self._said(checks.CREATED_DIGEST, self.created)
        packed = (PACKED,) if self.attempt.number % 4 == 3 else ()
        head = self.repo.head_blob(self.digest, headers=packed) if self.attempt.number % 2 else None
        self._get(checks.GOT, self.repo)
        self._headed(head or self.repo.head_blob(self.digest))
        if head is not None and is_coded(head):
            self._coded(head, packed)
        if self.content.size and self.attempt.has("ranges"):
            self._range(self.row["range"], Form(self.repo, self.digest))
            self._range(self.row["range-end"], self.form)
        self._asked()
        self._elsewhere()
        if self.row["fate"] == "deleted":
            self._deleted()
        elif self.row["fate"] == "deleted-there":
            self._deleted_there()
        elif self.row["content"] not in COMMON:
            self.attempt.place.later.append((self.row, self.still))
        if self.attempt.closely and self.row["fate"] != "deleted":
            self.still(self.attempt)

    def _form(self) -> Form:
        """Return how the row asks for the blob."""
        if (asked := self.row["asked"]) == "connection":
            return Form(self.attempt.elsewhere(), self.digest)
        if asked == "encoded":
            return Form(self.repo, encoded(self.digest, self.attempt.number))
        if asked == "accept":
            return Form(self.repo, self.digest, (("Accept", _ACCEPT[self.attempt.number % 3]),))
        return Form(self.repo, self.digest)

    def still(self, attempt: Attempt) -> None:
        """Judge that the blob is there when other rows are done."""
        answer = attempt.answered(self.repo.get_blob(self.digest, stream=self.content.large))
        attempt(checks.STILL, answer.status == OK and self._is_content(answer), "the blob", answer)

    def gone(self, attempt: Attempt) -> None:
        """Judge that a deleted blob is not there when others came, of which one comes here where nothing else does."""
        if attempt.closely:
            Arrival(attempt, make("config", f"{self.digest} afterwards"), self.repo).put()
        answer = attempt.answered(self.repo.get_blob(self.digest, stream=self.content.large))
        attempt(checks.GONE_LATER, answer.status in UNKNOWN, "status 404 after its deletion", answer)

    def _get_by(self, form: Form, check: Check) -> None:
        self._get(check, form.repo, form.reference, *form.headers)

    def _get(self, check: Check, repo: Repository, digest: str = "", *headers: tuple[str, str]) -> Response:
        answer = self._pull(lambda: repo.get_blob(digest or self.digest, headers=headers, stream=self.content.large))
        self._whole(check, answer)
        return answer

    def _pull(self, ask: Callable[[], Response]) -> Response:
        return self.attempt.answered(self.attempt.ask(ask, lambda answer: answer.status != NOT_FOUND))

    def _whole(self, check: Check, answer: Response) -> None:
        """Judge that an answer is the blob, and that what it says of it is true."""
        self.attempt(check, answer.status == OK, "status 200", self.created, answer)
        if answer.status != OK:
            # That is known, and an answer without the blob says nothing of it.
            return
        same = self._is_content(answer)
        same_check = checks.SAME if check is checks.GOT else check
        expected = f"the {self.content.size} bytes that were pushed"
        self.attempt(same_check, same, expected, self.created, answer, actual=content_of(answer))
        coding = (answer.header("Content-Encoding") or "identity").strip().lower()
        self.attempt(
            checks.CODING, coding == "identity", "no Content-Encoding", answer, actual=told(answer, "Content-Encoding")
        )
        self._said(checks.GOT_DIGEST, answer)
        self.etag = (answer.header("ETag") or "").strip()

    def _is_content(self, answer: Response) -> bool:
        size = answer.size or len(answer.body)
        return (
            not answer.failure
            and size == self.content.size
            and answer.content_digest() == self.content.digest("sha256")
        )

    def _said(self, check: Check, answer: Response) -> None:
        """Judge the digest that an answer names, if any: that of the content, by whichever algorithm."""
        named = (answer.header("Docker-Content-Digest") or "").strip()
        algorithm = named.partition(":")[0]
        held = not named or algorithm not in {"sha256", "sha512"} or named.lower() == self.content.digest(algorithm)
        self.attempt(
            check, held, f"Docker-Content-Digest: {self.digest}", answer, actual=told(answer, "Docker-Content-Digest")
        )

    def _headed(self, head: Response) -> None:
        answer = self.attempt.answered(head)
        self.attempt(checks.HEADED, answer.status == OK, "status 200", self.created, answer)
        length = answer.header("Content-Length")
        shown = told(answer, "Content-Length")
        held = length is None or length.strip() == str(self.content.size) or is_coded(answer)
        self.attempt(checks.HEADED_LENGTH, held, f"Content-Length: {self.content.size}", answer, actual=shown)
        self._said(checks.HEADED_DIGEST, answer)

    def _coded(self, head: Response, headers: tuple[tuple[str, str], ...]) -> None:
        """Judge that GET sends packed what HEAD says is: its length is that of what GET sends (RFC 9110, 8.6)."""
        answer = self.attempt.answered(self.repo.get_blob(self.digest, headers=headers, stream=self.content.large))
        held = answer.status != OK or is_coded(answer)
        self.attempt(checks.HEADED_LENGTH, held, "the length of what GET sends", head, answer)

    def _behind(self) -> None:
        """Ask for bytes behind the end, which there are none of, and then for the whole blob."""
        value = f"bytes={self.content.size + 10}-"
        answer = self.attempt.answered(self.repo.get_blob(self.digest, headers=(("Range", value),)))
        held = answer.status == UNSATISFIABLE or (answer.status == OK and self._is_content(answer))
        shown = f"{status_of(answer)}, {told(answer, 'Content-Range')}"
        expected = f"status 416 to Range: {value}, or the whole blob"
        if answer.status == PART_OF:
            self.attempt(checks.PART, False, expected, answer, actual=shown)
        self.attempt(checks.BEHIND, held, expected, answer, actual=shown)
        self._get(checks.AGAIN, self.repo)

    def _range(self, part: str, form: Form) -> None:
        if part == "behind":
            self._behind()
            return
        value, first, last = range_of(part, self.content.size, self.attempt.number)
        headers = (*form.headers, ("Range", value))
        if self.attempt.number % 4 == 1:
            headers += (PACKED,)
        answer = self.attempt.answered(form.repo.get_blob(form.reference, headers=headers))
        shown = f"{told(answer, 'Content-Range')}, {content_of(answer)}"
        if is_coded(answer):
            # It is a part of something else; as many bytes of that as it says (RFC 9110, 15.3.7).
            said = content_range(answer)
            held = answer.status != PART_OF or said is None or said.last - said.first + 1 == len(answer.body)
            self.attempt(checks.PART, held, "as many bytes as Content-Range names", answer, actual=shown)
            return
        served = answer.status in {OK, PART_OF}
        self.attempt(checks.SERVED, served, f"status 206 or 200 to Range: {value}", answer, actual=shown)
        if answer.status == OK:
            expected = f"the {self.content.size} bytes that were pushed"
            self.attempt(checks.WHOLE, self._is_content(answer), expected, answer, actual=shown)
            return
        # What is compared of it are its length and its parts.
        broken = false_of(answer, cast("bytes", self.content), (first, last))
        expected = expected_of(answer, self.content.size, (first, last))
        self.attempt(checks.PART, broken != TRUE, expected, answer, actual=shown)
        self.attempt(checks.PART_LABEL, broken != LABEL, expected, answer, actual=shown)

    def _asked(self) -> None:
        asked = self.row["asked"]
        if asked == "location":
            self._located()
        elif asked == "condition":
            self._on_condition()
        else:
            form = replace(self.form, headers=CLOSE) if asked == "connection" else self.form
            self._get_by(form, checks.AGAIN)
            if names_another(upload_location(self.created) or "", self.content):
                self._located()
            if asked in {"again", "encoded"} and self.attempt.number % 2:
                self._headed(self.repo.head_blob(self.form.reference))

    def _located(self) -> None:
        url = upload_location(self.created)
        if url is None:
            return
        parameters = {"name": self.repo.name, "digest": self.digest}
        answer = self._pull(
            lambda: self.repo.registry.request(
                "GET", url, operation="blob.get", parameters=parameters, stream=self.content.large
            )
        )
        held = answer.status == OK and self._is_content(answer)
        self.attempt(
            checks.LOCATED,
            held,
            "the blob at the Location of its push",
            self.created,
            answer,
            actual=content_of(answer),
        )

    def _on_condition(self) -> None:
        """Ask with ETags of something else: the blob comes whole. With its own it may be said not to have changed."""
        near = self.attempt.place.blob(self.attempt.session)
        other = f'"{near.digest}", {longer(self.etag, self.digest)}'
        if self.attempt.number % 2:
            head = self.attempt.answered(self.repo.head_blob(self.digest, headers=(("If-None-Match", other),)))
            self.attempt(checks.CONDITION, head.status == OK, "status 200 to HEAD", head)
        self._get(checks.CONDITION, self.repo, "", ("If-None-Match", other))
        if not self.etag:
            return
        headers = cached(self.etag)
        answer = self.attempt.answered(self.repo.get_blob(self.digest, headers=headers, stream=self.content.large))
        if answer.status == NOT_MODIFIED:
            # What had no body is no answer to the next request.
            self._get(checks.AGAIN, self.repo)
        else:
            self._whole(checks.AGAIN, answer)

    def _elsewhere(self) -> None:
        where = self.row["elsewhere"]
        other = self.attempt.neighbour
        if where == "manifest":
            ask = self.repo.head_manifest if self.attempt.number % 2 else self.repo.get_manifest
            answer = self.attempt.answered(ask(self.digest, "*/*"))
            shown = status_of(answer)
            self.attempt(checks.NO_MANIFEST, not answer.ok, "no manifest", self.created, answer, actual=shown)
            return
        if where == "malformed":
            number, kind = divmod(self.attempt.number, 3)
            like, check = (
                (near(self.digest, number), checks.NEAR)
                if kind
                else (other_length(self.digest, number), checks.MALFORMED)
            )
            answer = self.attempt.answered(self.repo.get_blob(like))
            self.attempt(check, not answer.ok, f"no blob by {like}", self.created, answer)
            return
        others = [other]
        if self.row["content"] in COMMON or self.beside:
            # What others may have pushed beside this is asked for where nobody pushes.
            others = [self.attempt.place.unused(self.attempt.session)]
        elif self.attempt.number % 3 < 2:
            named = self.attempt.place.above if self.attempt.number % 3 else self.attempt.place.alias
            # The name of the one beside such a repository is like its own.
            others = [named or other, *([other] if self.row.get("repository") in {"longest", "separators"} else [])]
        for other in dict.fromkeys(each for each in others if each is not None):
            head = where == "other-head"
            there = Repository(self.form.repo.registry, other.name)
            # What reads ranges may not look where it reads.
            headers = () if head or self.attempt.number % 2 else (("Range", "bytes=0-0"),)
            method = there.head_blob if head else there.get_blob
            answer = self.attempt.answered(method(self.form.reference, headers=headers))
            check = checks.NOT_HEADED if head else checks.NOT_THERE
            self.attempt(check, not answer.ok, "no blob in a repository that does not hold it", self.created, answer)

    def _deleted_there(self) -> None:
        """Delete the blob in another repository, which has it as well: it stays in this one."""
        other = self.attempt.neighbour
        if other is None:
            return
        if not self.beside:
            there = Arrival(self.attempt, self.content, other)
            # It comes there from here, if the target mounts.
            mounted = self.attempt.number % 2 and self.attempt.has("mount")
            if mounted and self.attempt.answered(other.mount(self.digest, self.repo.name)).status == CREATED:
                head = self.attempt.answered(other.head_blob(self.digest))
                self.attempt(checks.MOUNTED_THERE, head.status == OK, "status 200", head)
            else:
                there.put()
        answer = self.attempt.answered(other.delete_blob(self.digest))
        if answer.status == ACCEPTED:
            self._get(checks.THERE_KEPT, self.repo)

    def _deleted(self) -> None:
        other = self.attempt.neighbour if self.row["content"] not in COMMON else None
        # In each second row it comes to the other repository, if that is beside this one, when it was deleted here.
        after = self.attempt.number % 2 and not self.beside and self.row["neighbour"] == "beside"
        third = self.attempt.place.third if other is not None and not after and self.attempt.number % 4 == 0 else None
        source = self.repo
        for holder in filter(None, (None if after else other, third)):
            # Where there is a third one, it mounts what the other has mounted.
            mounts = third is not None and self.attempt.has("mount")
            if not (mounts and self.attempt.answered(holder.mount(self.digest, source.name)).status == CREATED):
                Arrival(self.attempt, self.content, holder).put()
            source = holder
        near = self.attempt.place.blob(self.attempt.session)
        answer = self.attempt.answered(self.form.repo.delete_blob(self.form.reference))
        if not self.attempt.deletes(checks.DELETED, answer, partial(self.repo.delete_blob, self.digest)):
            return
        still = self.attempt.answered(self.repo.head_blob(near.digest))
        self.attempt(checks.NEAR_KEPT, still.status != NOT_FOUND, "another blob of the repository", answer, still)
        gone = self.attempt.answered(
            self.attempt.ask(lambda: self.repo.get_blob(self.digest, stream=self.content.large), lambda a: not a.ok)
        )
        if gone.ok and self._shared():
            # A scenario of its own judges that; then what is deleted here may come from there.
            return
        self.attempt(checks.GONE, gone.status in UNKNOWN, "status 404 after its deletion", answer, gone)
        plain = Form(self.repo, self.digest)
        form = self.form if self.form != plain else replace(plain, headers=(("Range", "bytes=0-0"),))
        gone = self.attempt.answered(form.repo.get_blob(form.reference, headers=form.headers))
        self.attempt(checks.GONE, gone.status in UNKNOWN, "status 404 after its deletion", answer, gone)
        # The condition of a cache has no say where nothing is (RFC 9110, 13.2.1).
        head = self.attempt.answered(self.repo.head_blob(self.digest, headers=cached(self.etag)))
        self.attempt(checks.GONE_HEAD, head.status in UNKNOWN, "status 404 after its deletion", answer, head)
        twice = self.attempt.answered(self.repo.delete_blob(self.digest))
        self.attempt(checks.TWICE, twice.status in UNKNOWN, "status 404 to the second deletion", answer, twice)
        if other is not None:
            if after:
                self._come_again(other)
            self._kept_in(other, checks.THERE_LATER if after else checks.OTHER_KEPT, "the other", answer)
            if third is not None:
                self._deleted_twice(other, third)
        if self.row["content"] not in COMMON and not after:
            # Where all repositories share blobs, what came elsewhere since may be there again.
            self.attempt.place.lost.append((self.row, self.gone))
            if self.attempt.closely:
                self.gone(self.attempt)

    def _deleted_twice(self, other: Repository, third: Repository) -> None:
        """Delete the blob in a second of three repositories that had it: there it is, and in the third it stays."""
        answer = self.attempt.answered(other.delete_blob(self.digest))
        if self.attempt.deletes(checks.DELETED, answer):
            self._kept_in(third, checks.OTHER_KEPT, "a third", answer)

    def _kept_in(self, repo: Repository, check: Check, which: str, deletion: Response) -> None:
        kept = self.attempt.answered(repo.get_blob(self.digest, stream=self.content.large))
        there = f"the blob in {which} repository"
        self.attempt(check, kept.status == OK and self._is_content(kept), there, deletion, kept)

    def _come_again(self, other: Repository) -> None:
        """Bring the blob to another repository when it was deleted here: by a mount from here, if that claims to."""
        if self.attempt.has("mount"):
            answer = self.attempt.answered(other.mount(self.digest, self.repo.name))
            if answer.status == CREATED:
                head = self.attempt.answered(other.head_blob(self.digest))
                self.attempt(checks.MOUNTED_LATER, head.status == OK, "status 200", answer, head)
                return
        Arrival(self.attempt, self.content, other).put()

    def _shared(self) -> bool:
        """Tell whether a blob that only another repository holds is served here."""
        if self.attempt.neighbour is None:
            return False
        there = Arrival(self.attempt, make("config", f"{self.digest} elsewhere"), self.attempt.neighbour)
        there.put()
        return self.repo.get_blob(there.digest).ok
