"""Starting an upload."""

from __future__ import annotations

import re

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.shared.upload_steps import UUID, judge_fresh
from conformance.settings import Settings
from conformance.target.content import digest_of
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, field_of, listing, status_of, verifies

#: Uploads that are open at the same time beside the first, by effort.
MORE = {"quick": 2, "default": 20, "thorough": 101}
#: No grammar of any version has upper-case letters.
INVALID_COMPONENT = "UPPER"


@verifies(
    "PUSH-START-STATUS-202",
    "PUSH-START-LOCATION-PRESENT",
    "PUSH-START-UPLOAD-UUID-HEADER",
    "PUSH-UPLOAD-UUID-TRUE",
    "PUSH-SESSION-FRESH-RANGE-TRUE",
    "PUSH-START-RANGE-HEADER",
    "PUSH-START-RANGE-FORM",
    "PUSH-START-BODY-EMPTY",
    "PUSH-CHUNK-MIN-LENGTH-SYNTAX",
    "PUSH-START-LOCATION-UNIQUE-ID",
)
def test_post_opens_an_upload(repo: Repository, judge: Judge, settings: Settings) -> None:
    """A POST to the uploads of a repository opens a session of its own and says where it is."""
    answer = repo.start_upload()
    judge.require_status("PUSH-START-STATUS-202", answer, 202)
    judge.header("PUSH-START-UPLOAD-UUID-HEADER", answer, "Docker-Upload-UUID")
    if judge.header("PUSH-START-RANGE-HEADER", answer, "Range"):
        judge.header("PUSH-START-RANGE-FORM", answer, "Range", _is_range, "a Range of the form 0-<offset>")
    else:
        judge.unsupported("PUSH-START-RANGE-FORM", "the answer has no Range")
    judge_fresh(judge, answer)
    judge(
        "PUSH-START-BODY-EMPTY",
        not answer.body,
        "a 202 without body",
        answer,
        actual=f"the body has {len(answer.body)} bytes",
    )
    _judge_minimum(judge, answer)
    if not judge.header("PUSH-START-LOCATION-PRESENT", answer, "Location"):
        judge.stop("PUSH-START-LOCATION-PRESENT")
    more = [repo.start_upload() for _ in range(MORE[settings.effort])]
    _judge_uuids(judge, answer, *more)
    locations = [upload_location(a) for a in (answer, *more)]
    if any(location is None for location in locations):
        raise Undecided("not every start of an upload was answered with a Location", answer, *more)
    judge(
        "PUSH-START-LOCATION-UNIQUE-ID",
        len(set(locations)) == len(locations),
        f"a Location of its own for each of {len(locations)} uploads",
        answer,
        *more,
        actual="two of them have the same",
    )


def _judge_uuids(judge: Judge, *starts: Response) -> None:
    """Judge that uploads do not share a Docker-Upload-UUID."""
    uuids = [uuid for uuid in (start.header("Docker-Upload-UUID") for start in starts) if uuid]
    if not uuids:
        judge.unsupported(UUID, "uploads have no Docker-Upload-UUID")
        return
    expected = "a Docker-Upload-UUID of its own for each upload"
    judge(UUID, len(set(uuids)) == len(uuids), expected, *starts, actual=f"they were {listing(uuids)}")


def _is_range(value: str) -> bool:
    return re.fullmatch("(?:bytes=)?0-[0-9]*", value.strip()) is not None


def _judge_minimum(judge: Judge, answer: Response) -> None:
    minimum = answer.header("OCI-Chunk-Min-Length")
    if minimum is None:
        judge.unsupported("PUSH-CHUNK-MIN-LENGTH-SYNTAX", "no minimum size of chunks is announced")
    else:
        judge(
            "PUSH-CHUNK-MIN-LENGTH-SYNTAX",
            re.fullmatch("[0-9]+", minimum.strip()),
            "a decimal number in OCI-Chunk-Min-Length",
            answer,
            actual=field_of(answer, "OCI-Chunk-Min-Length"),
        )


@verifies("PUSH-START-LOCATION-RESOLVABLE")
def test_upload_location_leads_to_the_upload(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The Location of a started upload, resolved against the request, completes the upload."""
    start = repo.start_upload()
    if start.status != 202 or not (start.header("Location") or "").strip():
        setup.upload(repo)
        raise Undecided("the target gave a Location only at the second try")
    shown = field_of(start, "Location")
    expected = "a Location that resolves to a usable upload URL"
    location = upload_location(start)
    if location is None:
        judge("PUSH-START-LOCATION-RESOLVABLE", False, expected, start, actual=shown)
        return
    content = setup.make.bytes()
    answer = repo.put_upload(location, digest_of(content), content)
    lost = answer.status in {0, 404, 405}
    if not lost and answer.status != 201:
        raise Undecided(f"the PUT to the Location was answered with status {answer.status}", answer)
    came = f"{shown}, and a PUT there was answered with " + status_of(answer)
    judge("PUSH-START-LOCATION-RESOLVABLE", not lost, expected, start, actual=came)


@verifies("PUSH-START-REPO-UNKNOWN-404", "PUSH-START-REPO-UNKNOWN-CODE")
def test_post_in_an_unknown_repository(unknown_repo: Repository, judge: Judge) -> None:
    """An upload start in an unknown repository makes it, or is answered 404 NAME_UNKNOWN."""
    answer = unknown_repo.start_upload()
    if answer.status in {401, 403}:
        raise Unsupported("access control answers for repositories that are not known")
    if answer.status in {404, 202}:
        judge.status("PUSH-START-REPO-UNKNOWN-404", answer, 202, 404)
    else:
        judge.require_status("PUSH-START-REPO-UNKNOWN-404", answer, 404, when="(or 202, which makes the repository)")
    if answer.status == 202:
        judge.unsupported("PUSH-START-REPO-UNKNOWN-CODE", "the target makes repositories on push")
    else:
        judge.code("PUSH-START-REPO-UNKNOWN-CODE", answer, "NAME_UNKNOWN")


@verifies("PUSH-START-NAME-INVALID-REJECTED", "PUSH-START-NAME-INVALID-400-CODE")
def test_post_with_an_invalid_name(repository: Repositories, judge: Judge) -> None:
    """An upload is not started in a repository whose name breaks the grammar."""
    answer = repository.named(f"{repository.prefix}/{INVALID_COMPONENT}").start_upload()
    judge.require(
        "PUSH-START-NAME-INVALID-REJECTED", not answer.ok, "no upload in a repository with an upper-case name", answer
    )
    if answer.status in {401, 403}:
        judge.unsupported("PUSH-START-NAME-INVALID-400-CODE", "access control answers before the name is looked at")
    else:
        judge.code("PUSH-START-NAME-INVALID-400-CODE", answer, "NAME_INVALID")
