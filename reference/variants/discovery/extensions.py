"""Variants of the discovery of extensions."""

from __future__ import annotations

import json

from reference.messages import Request, Response
from reference.modifications import Variant, on
from reference.variants.discovery.shared import unsupported_operation


def _more_extensions(_request: Request, response: Response) -> None:
    document = json.loads(response.body)
    more = {"name": "_acme.search-v2", "url": "https://example.com/search", "endpoints": [], "since": 3}
    document["extensions"].append(more)
    response.body = json.dumps(document).encode()


VARIANTS = (
    Variant(
        name="extensions-unsupported",
        title="There is no discovery of extensions.",
        lacks=("extensions",),
        apply=unsupported_operation("ext.discover"),
    ),
    Variant(
        name="extensions-several",
        title="There is an extension of the registry's own, without endpoints so far.",
        latitude=("PROXY-AND-EXTENSION-FEATURES", "JSON-EXTRA-MEMBERS"),
        apply=on("ext.discover", status=200, change=_more_extensions),
    ),
)
