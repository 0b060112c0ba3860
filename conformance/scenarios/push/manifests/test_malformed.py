"""Bodies that are no manifest of the type that they are pushed as, for each type."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.client.http.exchange import Response
from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Repository
from conformance.target.capabilities import Capabilities
from conformance.target.content import ANY_MANIFEST, DOCKER_CONFIG, OCI_CONFIG, Blob
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, describe, verifies

MALFORMED = "PUSH-MANIFEST-MALFORMED-REJECTED"
NOT_STORED = "PUSH-MANIFEST-REFUSED-NOT-STORED"
#: Besides null, an empty object and a malformed digest, which each type is tried with.
ODD = {OCI_MANIFEST: b"[]", OCI_INDEX: b"7", DOCKER_MANIFEST: b'"manifest"', DOCKER_LIST: b""}
CONFIGS = {OCI_MANIFEST: OCI_CONFIG, DOCKER_MANIFEST: DOCKER_CONFIG}


@verifies(MALFORMED, NOT_STORED)
def test_put_of_what_is_no_manifest(repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities) -> None:
    """Images and indexes of either kind are refused where they are none, and leave no tag."""
    config = setup.blob(repo, setup.make.config())
    kinds = ODD if capabilities.has("docker-manifests") else (OCI_MANIFEST, OCI_INDEX)
    wrong: list[tuple[str, Response]] = []
    for kind in kinds:
        tag = setup.make.tag()
        answers = [(what, repo.put_manifest(tag, body, kind)) for what, body in _bodies(kind, config)]
        wrong += [(f"{what} as {kind}", answer) for what, answer in answers if not answer.refused]
        if all(answer.refused for _, answer in answers):
            got = repo.get_manifest(tag, ANY_MANIFEST)
            judge(NOT_STORED, not got.ok, "no tag on a refused document", answers[-1][1], got)
    actual = "; ".join(f"{describe([answer])} to {what}" for what, answer in wrong)
    judge(
        MALFORMED, not wrong, "a refusal (4xx) of a document that is no manifest", *(a for _, a in wrong), actual=actual
    )
    if NOT_STORED not in judge.judgements:
        judge.unsupported(NOT_STORED, "some documents that are no manifests are accepted")


def _bodies(kind: str, config: Blob) -> Iterator[tuple[str, bytes]]:
    yield "null", b"null"
    yield "{}", b"{}"
    yield ODD[kind].decode() or "nothing", ODD[kind]
    entry = {"mediaType": CONFIGS.get(kind, OCI_MANIFEST), "digest": config.digest, "size": len(config.content)}
    wrong = entry | {"digest": config.digest[:-1] + "!", "platform": {"architecture": "amd64", "os": "linux"}}
    parts = {"config": entry, "layers": [wrong]} if kind in CONFIGS else {"manifests": [wrong]}
    yield "a malformed digest", json.dumps({"schemaVersion": 2, "mediaType": kind, **parts}).encode()
