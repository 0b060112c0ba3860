"""Variants of the status of an upload."""

from __future__ import annotations

from reference.modifications import Variant
from reference.variants.push.uploads.shared import refusing

VARIANTS = (
    Variant(
        name="upload-status-405",
        title="A session cannot be asked how far it is: 405.",
        latitude=("UPLOAD-STATUS-UNSUPPORTED",),
        profiles=("oci-1.0",),
        lacks=("upload-status",),
        warns=("PUSH-STATUS-204",),
        apply=refusing("upload.get", status=405, allow="PATCH, PUT"),
    ),
    Variant(
        name="upload-status-404",
        title="A session cannot be asked how far it is: 404.",
        latitude=("UPLOAD-STATUS-UNSUPPORTED",),
        profiles=("oci-1.0",),
        warns=("PUSH-STATUS-204",),
        apply=refusing("upload.get", status=404),
    ),
)
