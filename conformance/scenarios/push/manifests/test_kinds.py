"""Pushing manifests of all kinds: unknown media types, indexes, Docker types."""

from __future__ import annotations

from conformance.client.registry import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Repository
from conformance.scenarios.shared.manifest_variants import served
from conformance.target.content import EMPTY_TYPE, OCI_CONFIG, OCI_LAYER, Manifest, docker_image, image, index
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, verifies

EXAMPLE = "application/vnd.example"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
#: Bytes that a number of 32 bits does not count.
LARGE = 5_000_000_000
#: The type of what signatures sign.
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


def _accepted(judge: Judge, requirement: str, repo: Repository, manifest: Manifest, what: str) -> bool:
    answer = repo.put_manifest(f"kind-{manifest.digest[-12:]}", manifest.body, manifest.media_type)
    return judge.accepted(requirement, answer, f"to {what}")


@verifies(
    "PUSH-MANIFEST-CONFIG-TYPE-UNKNOWN",
    "PUSH-MANIFEST-LAYER-TYPE-UNKNOWN",
    "PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN",
    "PUSH-MANIFEST-EMPTY-LAYERS",
)
def test_put_artifact_manifests(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Manifests with unknown types of config, layer, artifact, or without layers, are accepted."""
    config, layer = setup.blob(repo, setup.make.config()), setup.blob(repo)
    binary = setup.unpushed_image([layer, config], config_type=f"{EXAMPLE}.conf.v1+json", layer_type=DOCKER_LAYER)
    unknown = "PUSH-MANIFEST-CONFIG-TYPE-UNKNOWN"
    if _accepted(judge, unknown, repo, binary, "a manifest with an unknown type of configuration"):
        served(setup, judge, unknown, repo, binary)
    layered = setup.unpushed_image([config, layer], layer_type=SIGNATURE)
    if _accepted(
        judge, "PUSH-MANIFEST-LAYER-TYPE-UNKNOWN", repo, layered, "a manifest with a type of layer that is no archive"
    ):
        served(setup, judge, "PUSH-MANIFEST-LAYER-TYPE-UNKNOWN", repo, layered)
    none = Manifest.of(image(config.descriptor(OCI_CONFIG), []), OCI_MANIFEST)
    if _accepted(judge, "PUSH-MANIFEST-EMPTY-LAYERS", repo, none, "a manifest without layers"):
        served(setup, judge, "PUSH-MANIFEST-EMPTY-LAYERS", repo, none)
    empty = setup.blob(repo, b"{}").descriptor(EMPTY_TYPE)
    artifact = Manifest.of(image(empty, [empty], artifactType=f"{EXAMPLE}+type"), OCI_MANIFEST)
    requirement = "PUSH-MANIFEST-ARTIFACT-TYPE-UNKNOWN"
    if _accepted(judge, requirement, repo, artifact, "a manifest with an unknown artifactType"):
        served(setup, judge, requirement, repo, artifact)


@verifies(
    "PUSH-MANIFEST-INDEX-ACCEPTED",
    "PUSH-MANIFEST-INDEX-EMPTY",
    "PUSH-MANIFEST-INDEX-NO-PLATFORM",
    "PUSH-MANIFEST-INDEX-NESTED",
    "PUSH-MANIFEST-INDEX-CHILD-TYPE-UNKNOWN",
)
def test_put_indexes(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Indexes are accepted: of images with or without platform, empty, nested, of unknown types."""
    child = setup.image(repo, None)
    plain = Manifest.of(index([child.descriptor()]), OCI_INDEX)
    bare = Manifest.of(index([child.descriptor()], platform=None), OCI_INDEX)
    if not _accepted(judge, "PUSH-MANIFEST-INDEX-ACCEPTED", repo, plain, "an index of an image"):
        judge.stop("PUSH-MANIFEST-INDEX-ACCEPTED")
    served(setup, judge, "PUSH-MANIFEST-INDEX-ACCEPTED", repo, plain)
    nested = Manifest.of(index([plain.descriptor()]), OCI_INDEX)
    none = Manifest.of(index([]), OCI_INDEX)
    for requirement, pushed, what in (
        ("PUSH-MANIFEST-INDEX-NO-PLATFORM", bare, "an index whose entry has no platform"),
        ("PUSH-MANIFEST-INDEX-NESTED", nested, "an index of an index"),
        ("PUSH-MANIFEST-INDEX-EMPTY", none, "an index of nothing"),
    ):
        if _accepted(judge, requirement, repo, pushed, what):
            served(setup, judge, requirement, repo, pushed)
    odd = Manifest.of(index([child.descriptor() | {"mediaType": f"{EXAMPLE}.thing"}]), OCI_INDEX)
    answer = repo.put_manifest(setup.make.tag(), odd.body, OCI_INDEX)
    requirement = "PUSH-MANIFEST-INDEX-CHILD-TYPE-UNKNOWN"
    if set(answer.error_codes or ()) & {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"}:
        judge.inconclusive(requirement, "the target looks for the entry elsewhere and refuses it as missing")
    else:
        judge.status(requirement, answer, 201, when="to an index with an entry of an unknown type")
    # Builders keep their caches so.
    cache = Manifest.of(index([setup.blob(repo).descriptor(OCI_LAYER)]), OCI_INDEX)
    answer = repo.put_manifest(setup.make.tag(), cache.body, OCI_INDEX)
    # Whether it is looked for among the blobs or the manifests is open.
    if not set(answer.error_codes or ()) & {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"}:
        judge.beside(requirement, answer.status == 201, "status 201 to an index of layers", answer)


@verifies("PUSH-MANIFEST-FOREIGN-LAYER")
def test_put_a_manifest_with_a_foreign_layer(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A layer that may not be pushed is taken, or the manifest refused; it is no server error."""
    config = setup.blob(repo, setup.make.config())
    document = Manifest.of(docker_image(config, [config]), DOCKER_MANIFEST).document
    foreign = setup.make.blob().descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    document["layers"].insert(0, foreign | {"urls": ["https://example.com/layer"], "size": LARGE})
    manifest = Manifest.of(document, DOCKER_MANIFEST)
    answer = repo.put_manifest(setup.make.tag(), manifest.body, DOCKER_MANIFEST)
    if answer.refused:
        raise Unsupported(f"the target allows no layers from elsewhere (status {answer.status})")
    expected = "status 201, or a refusal (4xx), to a manifest with a layer from elsewhere"
    judge("PUSH-MANIFEST-FOREIGN-LAYER", answer.status == 201, expected, answer)
    got = setup.read_manifest(repo, manifest.digest, DOCKER_MANIFEST)
    expected = "the manifest as it was pushed, with the addresses of its layer"
    held = got.status != 200 or got.body == manifest.body
    judge.beside("PULL-MANIFEST-GET-BODY-EXACT", held, expected, answer, got)
