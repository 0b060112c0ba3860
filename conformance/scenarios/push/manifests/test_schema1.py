"""Signed manifests of Docker's schema 1, which most registries no longer take."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.target.content import Manifest
from conformance.target.schema1 import SIGNED, signed_image, signed_text
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, status_of, told, verifies

TYPE = "PULL-TYPE-SCHEMA1"
PLACE = "PUSH-MANIFEST-DOCKER-SCHEMA1-NAME-TAG-MATCH"


@verifies("PULL-TYPE-SCHEMA1", "PUSH-MANIFEST-DOCKER-SCHEMA1-NAME-TAG-MATCH")
def test_signed_manifest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A signed manifest is pulled as signed; one for another name and tag is refused."""
    layers, tag = [setup.blob(repo)], setup.make.tag()
    manifest = signed_image(setup.make, repo.name, tag, layers)
    answer = _pushed(repo, tag, manifest)
    if answer.status != 201:
        raise Unsupported(f"the target takes no signed manifests of schema 1 ({status_of(answer)})")
    got = setup.read_manifest(repo, tag, SIGNED)
    held = got.status == 200 and got.media_type == SIGNED and signed_text(got.body) == signed_text(manifest.body)
    expected = f"the text that was signed, as Content-Type: {SIGNED}"
    judge(TYPE, held, expected, answer, got, actual=told(got, "Content-Type"))
    spoilt = Manifest(manifest.body.replace(b'"amd64"', b'"arm64"', 1), SIGNED, manifest.digest)
    if _pushed(repo, tag, spoilt).ok:
        judge.unsupported(PLACE, "the target does not check signed manifests")
        return
    for place, name, other, code in (
        ("another tag", repo.name, setup.make.tag(), "TAG_INVALID"),
        ("another repository", f"{repo.name}-other", tag, "NAME_INVALID"),
    ):
        stray = signed_image(setup.make, name, other, layers)
        answer = _pushed(repo, tag, stray)
        if judge.refused(PLACE, answer, f"of a manifest that names {place}"):
            judge.code(PLACE, answer, code, "MANIFEST_INVALID")


def _pushed(repo: Repository, tag: str, manifest: Manifest) -> Response:
    answer = repo.put_manifest(tag, manifest.body, manifest.media_type)
    if answer.ok:
        # Under this digest it is stored, and removed in the end.
        repo.registry.journal.manifest(repo.name, manifest.digest, b"")
    return answer
