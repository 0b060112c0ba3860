"""Docker schema 2 images and manifest lists, and manifests under a sha512 digest."""

from __future__ import annotations

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Response
from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST, Repository
from conformance.scenarios.shared.pull_answers import DIGEST
from conformance.target.content import Manifest, digest_of, docker_image, docker_list
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Undecided, clip, declined, told, verifies
from conformance.verdict.presence import served
from spec.model import Withheld

OK = 200
NOT_FOUND = 404
NO_PLATFORM = "PULL-DOCKER-LIST-NO-PLATFORM-404"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"


def _pushed(repo: Repository, setup: SetUp, manifest: Manifest) -> str:
    """Push a Docker manifest under a fresh tag; another requirement judges the push."""
    if setup.read_only:
        return manifest.tag or manifest.digest
    tag = setup.make.tag()
    answer = repo.put_manifest(tag, manifest.body, manifest.media_type)
    if answer.status != 201:
        raise Undecided(f"the Docker manifest was not accepted (status {answer.status})", answer)
    return tag


def _image(repo: Repository, setup: SetUp) -> Manifest:
    if setup.read_only:
        return setup.existing.manifest(repo.name, DOCKER_MANIFEST, what="Docker image of schema 2")
    config = setup.blob(repo, setup.make.config())
    return Manifest.of(docker_image(config, [config]), DOCKER_MANIFEST)


def _list(*children: Manifest, architecture: str = "amd64") -> Manifest:
    platform = {"architecture": architecture, "os": "linux"}
    return Manifest.of(docker_list([child.descriptor(platform=platform) for child in children]), DOCKER_LIST)


def _judge_pull(judge: Judge, requirement: str, repo: Repository, manifest: Manifest, tag: str) -> None:
    for reference in (tag, manifest.digest):
        answer = repo.get_manifest(reference, manifest.media_type)
        judge(
            requirement,
            served(answer, manifest.body) and answer.media_type == manifest.media_type,
            f"status 200 and the pushed bytes under {manifest.media_type}",
            answer,
            actual=f"{told(answer, 'Content-Type')}, a body of digest {answer.content_digest()}",
        )


@verifies("PULL-TYPE-DOCKER-V2", "PULL-DOCKER-REWRITE")
def test_pull_of_a_schema_2_image(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A schema 2 image is pulled unchanged by a client that accepts its type."""
    manifest = _image(repo, setup)
    tag = _pushed(repo, setup, manifest)
    _judge_pull(judge, "PULL-TYPE-DOCKER-V2", repo, manifest, tag)
    answer = repo.get_manifest(tag)
    if answer.status == 200 and answer.media_type.startswith(SCHEMA_1):
        document = answer.json if isinstance(answer.json, dict) else {}
        version = document.get("schemaVersion")
        expected = "a manifest of schema 1 under its type"
        judge("PULL-DOCKER-REWRITE", version == 1, expected, answer, actual=f"the schemaVersion was {clip(version)}")
    else:
        came = told(answer, "Content-Type")
        judge.unsupported("PULL-DOCKER-REWRITE", f"a client without Accept gets no rewrite into schema 1 but {came}")


@verifies("PULL-TYPE-DOCKER-LIST", NO_PLATFORM, "PULL-ACCEPT-DOCKER-LIST")
def test_pull_of_a_manifest_list(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest list is pulled unchanged by a client that accepts its type."""
    if setup.read_only:
        manifest = setup.existing.manifest(repo.name, DOCKER_LIST, what="Docker manifest list")
    else:
        child = _image(repo, setup)
        _pushed(repo, setup, child)
        manifest = _list(child, architecture="arm64")
    tag = _pushed(repo, setup, manifest)
    _judge_pull(judge, "PULL-TYPE-DOCKER-LIST", repo, manifest, tag)
    _judge_platform(judge, repo.get_manifest(tag, DOCKER_MANIFEST), manifest, {})
    for accept in (None, "*/*"):
        answer = repo.get_manifest(tag, accept)
        rewritten = answer.status == OK and answer.media_type.startswith(SCHEMA_1)
        whole = answer.status == OK and answer.body == manifest.body and answer.media_type == DOCKER_LIST
        actual = f"{told(answer, 'Content-Type')} to Accept: {accept or 'none'}"
        judge("PULL-ACCEPT-DOCKER-LIST", whole or rewritten, "status 200 and the list", answer, actual=actual)


@verifies(NO_PLATFORM)
def test_pull_of_one_platform_of_a_list(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A client that accepts no lists gets the entry of linux/amd64, at any place, and no other."""
    if setup.read_only:
        raise NotTested("the target is read-only", Withheld.WRITING)
    children = {architecture: _image(repo, setup) for architecture in ("arm64", "amd64")}
    for child in children.values():
        _pushed(repo, setup, child)
    entries = [
        child.descriptor(platform={"architecture": architecture, "os": "linux"})
        for architecture, child in children.items()
    ]
    manifest = Manifest.of(docker_list(entries), DOCKER_LIST)
    answer = repo.get_manifest(_pushed(repo, setup, manifest), DOCKER_MANIFEST)
    _judge_platform(judge, answer, manifest, children)


def _judge_platform(judge: Judge, answer: Response, manifest: Manifest, children: dict[str, Manifest]) -> None:
    """Judge what a client that takes images alone gets for the tag of a list."""
    found = {child.body: f"the image of linux/{name}" for name, child in children.items()}
    fitting = [manifest, *(child for name, child in children.items() if name == "amd64")]
    truly = any(answer.body == each.body and answer.media_type == each.media_type for each in fitting)
    held = answer.status == NOT_FOUND or (answer.status == OK and (truly or answer.media_type.startswith(SCHEMA_1)))
    wanted = "the image of linux/amd64, " if children else ""
    came = found.get(answer.body, f"a body of digest {answer.content_digest()}")
    judge(
        NO_PLATFORM,
        held,
        f"{wanted}status 404, or the list as what it is",
        answer,
        actual=f"{told(answer, 'Content-Type')}, {came}",
    )


@verifies("PULL-MANIFEST-SHA512")
def test_pull_of_a_manifest_by_sha512(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest that was accepted under a sha512 digest is pulled by it."""
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    digest = digest_of(manifest.body, "sha512")
    pushed = repo.put_manifest(digest, manifest.body, OCI_MANIFEST)
    if pushed.status != 201:
        raise declined(pushed, "the push under a sha512 digest was not accepted")
    answer = repo.get_manifest(digest, OCI_MANIFEST)
    value = answer.header(DIGEST)
    true = value is None or is_digest_of(value, answer.body) is not False
    judge(
        "PULL-MANIFEST-SHA512",
        served(answer, manifest.body) and true,
        "status 200, the pushed bytes and a digest header that is true of them",
        answer,
        actual=f"{told(answer, DIGEST)}, a body of digest {answer.content_digest()}",
    )
    judge.status("PULL-MANIFEST-SHA512", repo.head_manifest(digest, OCI_MANIFEST), 200)
