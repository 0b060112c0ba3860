"""Variants of which repositories there are, and who may write."""

from __future__ import annotations

import json
from dataclasses import replace

from reference import errors
from reference.app import Registry
from reference.documents import OCI_MANIFEST
from reference.grammar import digest_of
from reference.messages import Request
from reference.modifications import Apply, Variant, override
from reference.storage import Manifest


def _listed_repositories(*names: str) -> Apply:
    def apply(registry: Registry) -> None:
        check = registry.check_allowed

        def changed(request: Request) -> None:
            check(request)
            if request.name and request.name not in names:
                raise errors.name_unknown(request.name)

        override(registry, check_allowed=changed)

    return apply


def _given(registry: Registry) -> None:
    """An administrator makes repositories: only those below team/ may be pushed to."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        check(request)
        if request.name and not request.name.startswith("team/"):
            raise errors.name_unknown(request.name)

    override(registry, check_allowed=changed)


def _preloaded(registry: Registry) -> None:
    """One image is there, and nothing can be written."""
    name, digests = "preloaded/image", []
    blobs = [b"{}", b"layer" * 100]
    for blob in blobs:
        upload = registry.storage.start_upload(name)
        upload._store(blob)
        digests.append(digest_of(blob))
        registry.storage.commit_upload(upload, digests[-1:])
    kinds = ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar")
    config, layer = (
        {"mediaType": kind, "digest": digest, "size": len(blob)}
        for kind, digest, blob in zip(kinds, digests, blobs, strict=True)
    )
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    body = json.dumps(document).encode()
    registry.storage.put_manifest(name, Manifest(digest_of(body), OCI_MANIFEST, body), None)
    registry.storage.set_tag(name, "latest", digest_of(body))
    registry.options = replace(registry.options, read_only=True)


VARIANTS = (
    Variant(
        name="repositories-listed",
        title="Two repositories are there, and no other can be made.",
        latitude=("REPOSITORY-NOT-CREATED-ON-PUSH",),
        options=("--repository", "given/one", "--repository", "given/two"),
        apply=_listed_repositories("given/one", "given/two"),
    ),
    Variant(
        name="repositories-given",
        title="Repositories are only there below a prefix, with content of others.",
        latitude=("REPOSITORY-NOT-CREATED-ON-PUSH",),
        options=("--repository", "team/one", "--repository", "team/two"),
        apply=_given,
    ),
    Variant(
        name="read-only",
        title="One image can be pulled, and nothing written.",
        latitude=("WRITES-UNSUPPORTED", "PROXY-AND-EXTENSION-FEATURES"),
        options=("--read-only", "--existing", "preloaded/image:latest"),
        apply=_preloaded,
    ),
    Variant(
        name="writes-refused",
        title="One image can be pulled, and writes are refused.",
        latitude=("WRITES-UNSUPPORTED",),
        lacks=("push",),
        options=("--existing", "preloaded/image:latest"),
        apply=_preloaded,
    ),
)
