"""Manifests that scenarios of pushing share."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.target.content import Manifest
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge


def unpushed(repo: Repository, setup: SetUp) -> Manifest:
    """Push the blob of an image, and make its manifest."""
    return setup.unpushed_image([setup.blob(repo, setup.make.config())])


def variant(manifest: Manifest, **members: object) -> Manifest:
    """Make another manifest of the same blobs."""
    return Manifest.of({**manifest.document, **members}, manifest.media_type, manifest.blobs)


def padded(manifest: Manifest, size: int) -> Manifest:
    """Bring a manifest to a size in bytes by an annotation."""
    empty = variant(manifest, annotations={"org.example.pad": ""})
    return variant(manifest, annotations={"org.example.pad": "x" * (size - len(empty.body))})


def served(
    setup: SetUp, judge: Judge, requirement: str, repo: Repository, manifest: Manifest, *before: Response
) -> bool:
    """Judge that a repository serves a manifest as pushed; it presumes that pulls work."""
    got = setup.read_manifest(repo, manifest.digest, manifest.media_type)
    return judge.gives(requirement, got, manifest.body, "the manifest under its digest, byte for byte", *before)
