"""Blobs that are large, and blobs whose content looks like something else."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator

from conformance.client.registry import OCI_INDEX, Repository
from conformance.settings import Settings
from conformance.target.content import Blob, Maker
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, content_of, status_of, verifies
from conformance.verdict.presence import served

LARGE = "PUSH-BLOB-LARGE-EXACT"
ODD = "PUSH-BLOB-ODD-CONTENT-EXACT"
NO_MANIFEST = "PULL-MANIFEST-NOT-A-BLOB"
KEPT = "PUSH-MANIFEST-KEPT"
_MANIFEST = "the text of a manifest"
_PIECE = 1024 * 1024
#: How many pieces of a mebibyte a blob has that every target is given, and one for targets that are
#: fast enough.
_SOME, _MANY = 4, 64
#: Seconds in which a fast target takes some pieces and gives them back, and in which it takes many.
_FAST, _PATIENCE = 0.1, 2.0


@verifies("PUSH-BLOB-LARGE-EXACT")
def test_large_blob(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A blob of 4 MiB, and of 64 MiB if the target is fast enough, is pulled byte for byte."""
    times = []
    for _ in range(2):
        started = time.monotonic()
        _judge_large(repo, setup, judge, _Pieces(setup.make.bytes(_PIECE), _SOME))
        times.append(time.monotonic() - started)
    if settings.effort == "thorough":
        _judge_large(repo, setup, judge, _Pieces(setup.make.bytes(_PIECE), _MANY))
    elif settings.effort == "default" and min(times) < _FAST:
        _judge_large(repo, setup, judge, _Pieces(setup.make.bytes(_PIECE), _MANY, _PATIENCE))


class _Pieces:
    """A body of distinct pieces, so that a lost, repeated or exchanged piece shows.

    It breaks off where sending it takes more than ``patience`` seconds.
    """

    def __init__(self, block: bytes, number: int, patience: float | None = None) -> None:
        self._block = block
        self._number = number
        self._patience = patience
        self.size = number * len(block)
        digest = hashlib.sha256()
        for piece in self._all():
            digest.update(piece)
        self.digest = f"sha256:{digest.hexdigest()}"
        self.broke_off = False

    def _all(self) -> Iterator[bytes]:
        for number in range(self._number):
            yield number.to_bytes(8, "big") + self._block[8:]

    def __call__(self) -> Iterator[bytes]:
        """Give the pieces."""
        started = time.monotonic()
        for piece in self._all():
            if self._patience is not None and time.monotonic() - started > self._patience:
                self.broke_off = True
                raise OSError("the target is too slow for so large a blob")
            yield piece


def _judge_large(repo: Repository, setup: SetUp, judge: Judge, body: _Pieces) -> None:
    """Push and pull a blob; one that is not accepted is left alone."""
    put = repo.put_upload(setup.upload(repo), body.digest, body, headers=(("Content-Length", str(body.size)),))
    if body.broke_off:
        return
    if put.status != 201:
        if LARGE not in judge.judgements:
            raise Undecided(f"the push of {body.size} bytes was answered with {status_of(put)}", put)
        return
    got = repo.get_blob(body.digest, stream=True)
    held = got.status == 200 and got.digest == body.digest and got.size == body.size
    actual = f"{got.size} bytes of digest {got.digest} came" if got.status == 200 else None
    judge(LARGE, held, f"the {body.size} bytes that were pushed", put, got, actual=actual)


@verifies(ODD, NO_MANIFEST)
def test_contents_that_look_like_something_else(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Content that looks like another format is pulled byte for byte."""
    for name, content in _contents(setup.make):
        blob = Blob.of(content)
        put = repo.put_upload(setup.upload(repo), blob.digest, content)
        if not judge.status(ODD, put, 201, when=f"to a blob that is {name}"):
            continue
        got = setup.read_blob(repo, blob.digest)
        judge(
            ODD,
            served(got, content),
            f"the {len(content)} bytes of a blob that is {name}",
            put,
            got,
            actual=content_of(got),
        )
        if name == _MANIFEST:
            answer = repo.get_manifest(blob.digest, OCI_INDEX)
            judge.refused(NO_MANIFEST, answer, f"to a manifest by the digest of a blob that is {name}")
    if NO_MANIFEST not in judge.judgements:
        judge.inconclusive(NO_MANIFEST, f"no blob that is {_MANIFEST} was accepted")


@verifies(ODD, KEPT)
def test_blob_of_the_bytes_of_a_manifest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob may have the bytes of a manifest that is there; both are pulled, each as what it is."""
    manifest = setup.image(repo)
    before = repo.get_manifest(manifest.digest, manifest.media_type)
    put = repo.put_upload(setup.upload(repo), manifest.digest, manifest.body)
    if not judge.status(ODD, put, 201, when="to a blob that has the bytes of a manifest"):
        judge.stop(ODD)
    got = setup.read_blob(repo, manifest.digest)
    expected = "the bytes of a blob that has those of a manifest"
    judge(ODD, served(got, manifest.body), expected, put, got, actual=content_of(got))
    pulled = repo.get_manifest(manifest.digest, manifest.media_type)
    held = (pulled.status, pulled.body, pulled.media_type) == (before.status, before.body, before.media_type)
    expected = "the manifest as before a blob of its bytes was pushed"
    judge(KEPT, held or bool(before.excuse), expected, before, put, pulled, actual=content_of(pulled))


#: A page that a server may change on its way.
_PAGE = '<!DOCTYPE html><html><head></head><body>{}<esi:include src="/a"/></body></html>'


def _contents(make: Maker) -> list[tuple[str, bytes]]:
    noise = make.bytes(512)
    text = f"# {noise.hex()}\r\nline\r\n\r\n\n\r".encode()
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}
    return [
        ("noise behind the first bytes of a gzip file", b"\x1f\x8b\x08\x00" + noise),
        ("noise behind the first bytes of a Zstandard file", b"\x28\xb5\x2f\xfd" + noise),
        ("blocks that end in zeros, as those of a tar file do", noise + bytes(1024)),
        # Blocks that are alike, and a part of one.
        ("zeros alone", bytes(3 * 4096 + noise[0])),
        ("text with several kinds of line ends", b"\xef\xbb\xbf" + text),
        ("an HTML page", _PAGE.format(noise.hex()).encode()),
        (_MANIFEST, json.dumps(manifest | {"annotations": {"n": noise.hex()}}).encode()),
        ("in the form of HTTP chunks", b"5\r\nhello\r\n0\r\n\r\n" + noise.hex().encode()),
    ]
