"""Set-up steps of examples: pushes that must succeed before something else is asked."""

from __future__ import annotations

import json
from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_MANIFEST, Repository, upload_location
from conformance.scenarios.search.trial import Trial, Unclear
from conformance.target.content import OCI_CONFIG, Blob, Manifest, image
from conformance.verdict.presence import served

CREATED = 201


def pushed(trial: Trial, repo: Repository, blob: Blob) -> Blob:
    """Push a blob; a target that refuses proves nothing here.

    Raises:
        Unclear: it is not accepted.
    """
    start = repo.start_upload()
    location = upload_location(start)
    if start.status != 202 or location is None:
        raise Unclear
    if repo.put_upload(location, blob.digest, blob.content).status != CREATED:
        raise Unclear
    return blob


def small_image(trial: Trial, repo: Repository, **members: Any) -> Manifest:
    """Push the blob of a small image; return the image, which is not yet pushed."""
    trial.step("push a blob for the manifests to name")
    config = pushed(trial, repo, trial.make.config())
    document = image(config.descriptor(OCI_CONFIG), [config.descriptor()], **members)
    return Manifest.of(json.dumps(document).encode(), OCI_MANIFEST, (config,))


def settled(trial: Trial, repo: Repository, reference: str, body: bytes, media_type: str) -> Response:
    """Pull a manifest that was pushed, as soon as the target has settled."""
    return trial.settings.ask(lambda: repo.get_manifest(reference, media_type), lambda answer: served(answer, body))
