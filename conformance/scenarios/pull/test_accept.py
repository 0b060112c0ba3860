"""Negotiation: which Accept header gets which manifest."""

from __future__ import annotations

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Response
from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Repository
from conformance.scenarios.shared.pull_answers import DIGEST, differences
from conformance.target.content import Manifest
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, content_of, told, verifies
from conformance.verdict.presence import served
from spec.model import Withheld

AGREE = "PULL-MANIFEST-HEAD-GET-AGREE"
LISTED = "PULL-MANIFEST-GET-DIGEST-200"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


def _gives(judge: Judge, requirement: str, answer: Response, manifest: Manifest) -> None:
    """Judge that an answer is the stored manifest under its own type."""
    held = served(answer, manifest.body) and answer.media_type == manifest.media_type
    actual = f"{told(answer, 'Content-Type')}, a body of digest {answer.content_digest()}"
    judge(requirement, held, f"status 200 and the stored manifest as {manifest.media_type}", answer, actual=actual)


def _stored(repo: Repository, setup: SetUp) -> tuple[Manifest, str]:
    manifest = setup.image(repo)
    return manifest, manifest.tag or manifest.digest


@verifies("PULL-ACCEPT-LIST", "PULL-ACCEPT-REPEATED-FIELD", "PULL-ACCEPT-QVALUE", "PULL-ACCEPT-CASE")
def test_accept_with_several_types(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A type among others in Accept counts, at any place and with any weight."""
    manifest, tag = _stored(repo, setup)
    own = manifest.media_type
    others = [t for t in (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST) if t != own]
    first, second, third = others
    for listed in (f"{first},{own},{third}", f"{first} , {second} ,{own}"):
        _gives(judge, "PULL-ACCEPT-LIST", repo.get_manifest(tag, listed), manifest)
    _gives(judge, "PULL-ACCEPT-REPEATED-FIELD", repo.get_manifest(tag, (first, second, own)), manifest)
    _gives(judge, "PULL-ACCEPT-QVALUE", repo.get_manifest(tag, f"{own};q=0.9, */*;q=0.1"), manifest)
    _gives(judge, "PULL-ACCEPT-CASE", repo.get_manifest(tag, own.upper()), manifest)


@verifies("PULL-ACCEPT-ABSENT", "PULL-ACCEPT-WILDCARD")
def test_accept_that_admits_everything(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Without Accept, or with a wildcard, the stored manifest is given."""
    manifest, tag = _stored(repo, setup)
    setup.pulled_manifest(repo, manifest.digest, manifest.media_type)
    for reference in (tag, manifest.digest):
        _gives(judge, "PULL-ACCEPT-ABSENT", repo.get_manifest(reference), manifest)
    for wildcard in ("*/*", "application/*"):
        _gives(judge, "PULL-ACCEPT-WILDCARD", repo.get_manifest(tag, wildcard), manifest)


@verifies("PULL-ACCEPT-MISMATCH")
def test_accept_that_excludes_the_stored_type(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A client that does not accept the stored type gets it under its true type, or a refusal."""
    manifest, tag = _stored(repo, setup)
    other = DOCKER_LIST if manifest.media_type != DOCKER_LIST else OCI_INDEX
    answer = repo.get_manifest(tag, other)
    held = answer.refused or (answer.status == 200 and _labelled_truly(answer, manifest))
    judge(
        "PULL-ACCEPT-MISMATCH",
        held,
        "a 4xx, or a manifest under its own type and digest",
        answer,
        actual=told(answer, "Content-Type", DIGEST),
    )


def _labelled_truly(answer: Response, manifest: Manifest) -> bool:
    document = answer.json if isinstance(answer.json, dict) else {}
    own = manifest.media_type if answer.body == manifest.body else document.get("mediaType", answer.media_type)
    digest = answer.header(DIGEST)
    return answer.media_type == own and (digest is None or is_digest_of(digest, answer.body) is not False)


def _judge_head_alike(judge: Judge, repo: Repository, tag: str) -> None:
    """Judge that HEAD and GET of an index by a client that takes images alone tell of the same, whatever that is."""
    get, head = (ask(tag, OCI_MANIFEST) for ask in (repo.get_manifest, repo.head_manifest))
    different = differences(head, get, (DIGEST, "Content-Length")) if get.ok and head.ok else ""
    held = not different and head.ok == get.ok
    expected = "the same status, digest and length as on the GET, of an index to a client that takes images"
    judge(AGREE, held or bool(get.excuse or head.excuse), expected, get, head, actual=different or None)


@verifies(
    "PULL-ACCEPT-EXACT",
    "PULL-ACCEPT-INDEX-INTACT",
    "PULL-TYPE-OCI-INDEX",
    "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
    LISTED,
    AGREE,
)
def test_pull_of_an_index(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """An index is pulled as the index that it is."""
    image = setup.image(repo)
    platform = {"architecture": "amd64", "os": "linux"}
    entries = [image.descriptor(platform=platform)]
    if not setup.read_only:
        # Builders list beside an image what they say of it.
        said = setup.another(repo, image)
        entries.append(said.descriptor(platform={"architecture": "unknown", "os": "unknown"}))
    index = setup.index(repo, entries)
    tag = index.tag or index.digest
    if not setup.read_only:
        expected = "what an index lists for an unknown platform"
        judge.gives(LISTED, repo.get_manifest(said.digest, said.media_type), said.body, expected)
    else:
        judge.not_tested(LISTED, "the target is read-only", Withheld.WRITING)
    _judge_head_alike(judge, repo, tag)
    by_tag, by_digest = (repo.get_manifest(reference, OCI_INDEX) for reference in (tag, index.digest))
    for answer in (by_tag, by_digest):
        _gives(judge, "PULL-TYPE-OCI-INDEX", answer, index)
        if answer.status == 200 and isinstance(answer.json, dict) and "mediaType" in answer.json:
            judge(
                "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
                answer.media_type == answer.json["mediaType"],
                f"Content-Type: {answer.json['mediaType']}",
                answer,
                actual=told(answer, "Content-Type"),
            )
        else:
            judge.inconclusive("PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE", "the index could not be pulled")
    _gives(judge, "PULL-ACCEPT-INDEX-INTACT", repo.get_manifest(tag, f"{OCI_INDEX}, {OCI_MANIFEST}"), index)
    judge.status("PULL-ACCEPT-EXACT", repo.head_manifest(tag, OCI_INDEX), 200)
    _gives(judge, "PULL-ACCEPT-EXACT", by_tag, index)
    _gives(judge, "PULL-ACCEPT-EXACT", repo.get_manifest(image.tag or image.digest, image.media_type), image)


@verifies("PULL-ACCEPT-DIGEST-NOT-CONVERTED")
def test_pull_by_digest_under_any_accept(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """By digest no Accept header leads to other content."""
    image = setup.image(repo)
    manifests = [item.manifest for item in setup.existing.of(repo.name)] if setup.read_only else [image]
    if not setup.read_only:
        manifests.append(setup.index(repo, [image.descriptor(platform={"architecture": "amd64", "os": "linux"})]))
    for manifest in manifests:
        other = OCI_INDEX if manifest.media_type == OCI_MANIFEST else OCI_MANIFEST
        for accept in (None, "*/*", SCHEMA_1, other):
            answer = repo.get_manifest(manifest.digest, accept)
            judge(
                "PULL-ACCEPT-DIGEST-NOT-CONVERTED",
                answer.status != 200 or answer.content_digest() == manifest.digest,
                f"content of the digest {manifest.digest}, or no 200",
                answer,
                actual=content_of(answer),
            )
