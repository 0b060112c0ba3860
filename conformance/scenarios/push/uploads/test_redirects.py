"""Pushes that are redirected."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.manifest_variants import padded
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, verifies

ALLOWED = "PUSH-REDIRECT-ALLOWED"
#: Those that keep method and body.
_KEEPING = frozenset({307, 308})
#: Some send large bodies alone elsewhere.
_LARGE = 128 * 1024


@verifies("PUSH-REDIRECT-ALLOWED")
def test_pushes_that_are_redirected(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A push that is redirected is answered in the end as one that is not."""
    blob = setup.make.config()
    location = setup.upload(repo)
    image = setup.unpushed_image([blob])
    large = padded(image, _LARGE)
    pushes: list[tuple[str, int, Callable[..., Response]]] = [
        ("the start of an upload", 202, repo.start_upload),
        ("the close of an upload", 201, partial(repo.put_upload, location, blob.digest, blob.content)),
        ("a manifest", 201, partial(repo.put_manifest, image.digest, image.body)),
        ("a large manifest", 201, partial(repo.put_manifest, large.digest, large.body)),
    ]
    redirected = False
    for name, status, push in pushes:
        first = push(follow=False)
        if first.status in _KEEPING:
            redirected = True
            judge.status(ALLOWED, push(), status, when=f"in the end, to {name} that is redirected")
    if not redirected:
        raise Unsupported("no push is redirected")
