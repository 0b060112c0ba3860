"""Pushing manifests by tag and by digest."""

from __future__ import annotations

import json

from conformance.client.registry import OCI_INDEX, OCI_MANIFEST, Repository
from conformance.scenarios.shared.manifest_variants import served, unpushed, variant
from conformance.scenarios.shared.partial_content import judge_digest
from conformance.scenarios.shared.pull_answers import DIGEST
from conformance.scenarios.shared.upload_steps import leads_to
from conformance.target.content import Blob, Manifest, index
from conformance.target.lists import all_tags
from conformance.target.policy import is_immutable
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, listing, told, verifies

STATUS = "PUSH-MANIFEST-STATUS-201"
VALUE = "PUSH-MANIFEST-DIGEST-HEADER-VALUE"
TRUE = "PUSH-MANIFEST-DIGEST-HEADER-TRUE"


@verifies(
    "PUSH-MANIFEST-STATUS-201",
    "PUSH-MANIFEST-LOCATION-PULLABLE",
    "PUSH-MANIFEST-DIGEST-HEADER-PRESENT",
    TRUE,
    "PUSH-MANIFEST-BODY-EMPTY",
    "PUSH-MANIFEST-BY-TAG-PULLABLE",
    "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",
)
def test_put_manifest_by_tag(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest pushed by tag is answered 201 and can be pulled by tag, digest and Location."""
    manifest, tag = unpushed(repo, setup), setup.make.tag()
    answer = repo.put_manifest(tag, manifest.body)
    judge.require_status(STATUS, answer, 201, when="to the PUT of a manifest by tag")
    judge(
        "PUSH-MANIFEST-BODY-EMPTY",
        not answer.body,
        "a 201 without body",
        answer,
        actual=f"the body has {len(answer.body)} bytes",
    )
    judge(
        "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",
        "OCI-Subject" not in answer.headers,
        "no OCI-Subject, as the manifest has no subject,",
        answer,
        actual=f"it is {answer.header('OCI-Subject')}",
    )
    judge.header("PUSH-MANIFEST-DIGEST-HEADER-PRESENT", answer, DIGEST)
    judge_digest(judge, TRUE, answer, answer.headers.all(DIGEST), manifest.body)
    leads_to(judge, "PUSH-MANIFEST-LOCATION-PULLABLE", answer, manifest, repo=repo)
    for reference in (tag, manifest.digest):
        got = setup.read_manifest(repo, reference, OCI_MANIFEST)
        expected = f"the pushed manifest under {reference}"
        judge.gives("PUSH-MANIFEST-BY-TAG-PULLABLE", got, manifest.body, expected, answer)


@verifies(
    "PUSH-MANIFEST-STATUS-201",
    TRUE,
    VALUE,
    "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
    "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
)
def test_put_manifest_by_digest(fresh_repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest pushed by digest is answered 201, can be pulled by it, and has no tag."""
    tagged = setup.image(fresh_repo)
    before = set(all_tags(fresh_repo)) if setup.shared else set()
    manifest = variant(tagged, layers=tagged.document["layers"] * 2)
    answer = fresh_repo.put_manifest(manifest.digest, manifest.body)
    judge.require_status(STATUS, answer, 201, when="to the PUT of a manifest by digest")
    judge_digest(judge, TRUE, answer, answer.headers.all(DIGEST), manifest.body)
    if DIGEST in answer.headers:
        judge.header(VALUE, answer, DIGEST, manifest.digest)
    else:
        judge.unsupported(VALUE, f"the 201 has no {DIGEST}")
    served(setup, judge, "PUSH-MANIFEST-BY-DIGEST-PULLABLE", fresh_repo, manifest, answer)
    tags = all_tags(fresh_repo)
    judge(
        "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
        set(tags) <= {tagged.tag, *before},
        "no tag for a manifest pushed by digest",
        answer,
        *tags.pages,
        actual=f"the tags are {listing(tags)}",
    )


@verifies(
    "PUSH-MANIFEST-BYTES-EXACT",
    "PUSH-MANIFEST-ANNOTATIONS-KEPT",
    "PUSH-MANIFEST-DATA-FIELD-KEPT",
    "PUSH-MANIFEST-UNKNOWN-MEMBER",
)
def test_put_manifest_in_odd_spelling(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest is stored byte for byte: odd spelling, annotations and data members included."""
    small = setup.blob(repo, b'{"a": 1}')
    plain = setup.unpushed_image([setup.blob(repo, setup.make.config()), small])
    backwards = {"annotations": {"org.example.\u00e9": "\u2028"}, **dict(reversed(plain.document.items()))}
    # White space may stand in front, too, and a slash may be escaped (RFC 8259, 2 and 7).
    spaced = "\n " + json.dumps(backwards, indent="\t ") + "\n"
    odd = spaced.replace("\n", "\r\n").replace("/", "\\/").encode()
    unknown = plain.document | {"x-unknown": {"\u00e9": [1.50, None, True]}}
    unknown["config"] = unknown["config"] | {"xUnknown": "1"}
    annotated = plain.document | {"annotations": {"org.example.empty": "", "org.example.\u00fc": "\u6f22\u5b57"}}
    annotated["layers"][0]["annotations"] = {"org.example.layer": "1"}
    embedded = plain.document
    embedded["layers"][0]["data"] = "eyJhIjogMX0="
    exact = "PUSH-MANIFEST-BYTES-EXACT"
    for requirement, body, what in (
        (exact, odd, "spaces, escapes and another order of members"),
        ("PUSH-MANIFEST-UNKNOWN-MEMBER", json.dumps(unknown).encode(), "unknown members"),
        ("PUSH-MANIFEST-ANNOTATIONS-KEPT", json.dumps(annotated, ensure_ascii=False).encode(), "annotations"),
        ("PUSH-MANIFEST-DATA-FIELD-KEPT", json.dumps(embedded).encode(), "the data member of a descriptor"),
        ("PUSH-MANIFEST-DATA-FIELD-KEPT", plain.body, "no data member"),
    ):
        manifest = Manifest.of(body, OCI_MANIFEST, plain.blobs)
        answer = repo.put_manifest(setup.make.tag(), body)
        if judge.status(requirement, answer, 201, when=f"to a manifest with {what}"):
            # Members that nobody knows may be refused; what was accepted is owed back whole.
            kept = exact if requirement == "PUSH-MANIFEST-UNKNOWN-MEMBER" else requirement
            served(setup, judge, kept, repo, manifest, answer)
    # A member that comes twice may be refused (RFC 8259, 4).
    twice = Manifest.of(plain.body.replace(b"{", b'{"schemaVersion": 2,', 1), OCI_MANIFEST, plain.blobs)
    answer = repo.put_manifest(setup.make.tag(), twice.body)
    if answer.status == 201:
        served(setup, judge, exact, repo, twice, answer)
    # Types have no case (RFC 9110, 8.3.1).
    cased = variant(plain, annotations={"org.example.case": "1"})
    pushed = repo.put_manifest(setup.make.tag(), cased.body, OCI_MANIFEST.replace("oci.image", "OCI.Image"))
    if pushed.status == 201:
        got = setup.read_manifest(repo, cased.digest, OCI_MANIFEST)
        held = got.status != 200 or got.media_type.lower() == OCI_MANIFEST
        expected = f"Content-Type: {OCI_MANIFEST} for what was pushed with capitals in it"
        judge.beside("PULL-MANIFEST-GET-CONTENT-TYPE", held, expected, pushed, got, actual=told(got, "Content-Type"))


@verifies(
    "PUSH-MANIFEST-RETAG-MOVES",
    "PUSH-MANIFEST-RETAG-KEEPS-OLD",
    "PUSH-MANIFEST-IDEMPOTENT",
    "PUSH-MANIFEST-KEPT",
    "PUSH-MANIFEST-MULTIPLE-TAGS",
)
def test_put_manifest_under_tags_again(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Tags share a manifest, take it again, and move one by one to another."""
    first = unpushed(repo, setup)
    second = variant(first, layers=first.document["layers"] * 2)
    one, two = setup.make.tag(), setup.make.tag()
    for tag in (one, two):
        setup.manifest(repo, first, tag)
    for reference in (one, first.digest):
        again = repo.put_manifest(reference, first.body)
        judge.status("PUSH-MANIFEST-IDEMPOTENT", again, 201, when=f"to the same manifest again under {reference}")
    for reference in (one, first.digest):
        got = setup.read_manifest(repo, reference)
        judge.gives("PUSH-MANIFEST-KEPT", got, first.body, f"the manifest that was pushed again under {reference}")
    got = setup.read_manifest(repo, two)
    judge.gives("PUSH-MANIFEST-MULTIPLE-TAGS", got, first.body, "one manifest under two tags")
    move = repo.put_manifest(two, second.body)
    if is_immutable(move):
        for requirement in ("PUSH-MANIFEST-RETAG-MOVES", "PUSH-MANIFEST-RETAG-KEEPS-OLD"):
            judge.unsupported(requirement, f"the target does not move tags (status {move.status})")
        return
    expected = "the new manifest under a tag that was pushed again"
    moved = setup.read_manifest(repo, two, body=second.body)
    kept = setup.read_manifest(repo, one)
    judge("PUSH-MANIFEST-RETAG-MOVES", move.status == 201, expected, move)
    judge.gives("PUSH-MANIFEST-RETAG-MOVES", moved, second.body, expected, move)
    expected = "the other tag of the former manifest where it was"
    judge.gives("PUSH-MANIFEST-MULTIPLE-TAGS", kept, first.body, expected, move)
    setup.manifest(repo, second, one, "PUSH-MANIFEST-RETAG-MOVES")
    old = setup.read_manifest(repo, first.digest)
    expected = "the former manifest under its digest after its tags moved"
    judge.gives("PUSH-MANIFEST-RETAG-KEEPS-OLD", old, first.body, expected, move)


@verifies("PUSH-MANIFEST-REPO-UNKNOWN-404")
def test_put_manifest_in_an_unknown_repository(unknown_repo: Repository, judge: Judge) -> None:
    """A manifest PUT in a repository that is not known makes it, or is answered 404."""
    manifest = Manifest.of(
        b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
        "application/vnd.oci.image.index.v1+json",
    )
    answer = unknown_repo.put_manifest("unknown", manifest.body, manifest.media_type)
    requirement = "PUSH-MANIFEST-REPO-UNKNOWN-404"
    if answer.status in {401, 403}:
        judge.unsupported(requirement, f"access control hides unknown repositories (status {answer.status})")
    elif answer.refused and answer.status != 404:
        judge.inconclusive(requirement, f"the manifest was refused for another reason (status {answer.status})")
    else:
        judge.status(requirement, answer, 201, 404, when="to a manifest in a repository that is not known")


@verifies("PUSH-MANIFEST-NAME-INVALID")
def test_put_manifest_with_an_invalid_name(repository: Repositories, setup: SetUp, judge: Judge) -> None:
    """A manifest is not taken into a repository whose name breaks the grammar."""
    repo = repository.named(f"{repository.prefix}/UPPER")
    # Of the two, the index lacks nothing: it is refused for its name or not at all.
    for manifest in (setup.unpushed_image([Blob.of(b"{}")]), Manifest.of(index([]), OCI_INDEX)):
        answer = repo.put_manifest(setup.make.tag(), manifest.body, manifest.media_type)
        judge("PUSH-MANIFEST-NAME-INVALID", not answer.ok, "no 2xx to a name with upper-case letters", answer)
