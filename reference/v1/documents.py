"""The config and the manifest of schema 2 of an image, from the JSON of the images of its ancestry."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from reference.documents import DOCKER_MANIFEST
from reference.v1.layers import Blob
from reference.v1.layout import Image

_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_TEXTS = ("author", "comment", "container", "docker_version")
_OBJECTS = ("config", "container_config")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def config(images: Sequence[Image], empty: Sequence[bool], diff_ids: Sequence[str]) -> bytes:
    """The config of the last of some images.

    ``empty`` says of each whether it has no layer, and ``diff_ids`` are those of the others. Source: OCI image 1.1.1,
    Image Configuration; what says where an image stands among others is left out, as Docker 1.10 did when it went over.
    """
    top = images[-1].members
    made = {key: top[key] for key in _TEXTS if isinstance(top.get(key), str) and top[key]}
    made |= {key: top[key] for key in _OBJECTS if isinstance(top.get(key), dict)}
    made |= _created(top)
    made["architecture"] = _text(top, "architecture") or "amd64"
    made["os"] = _text(top, "os") or "linux"
    made["history"] = [_history(image.members, is_empty) for image, is_empty in zip(images, empty, strict=True)]
    made["rootfs"] = {"type": "layers", "diff_ids": list(diff_ids)}
    return json.dumps(made, separators=(",", ":"), sort_keys=True).encode()


def _text(members: dict[str, Any], key: str) -> str:
    value = members.get(key)
    return value if isinstance(value, str) else ""


def _created(members: dict[str, Any]) -> dict[str, str]:
    """The time, unless it is one that clients would stumble over."""
    value = _text(members, "created")
    return {"created": value} if _TIME.fullmatch(value) else {}


def _history(members: dict[str, Any], is_empty: bool) -> dict[str, Any]:
    container = members.get("container_config")
    command = container.get("Cmd") if isinstance(container, dict) else None
    entry: dict[str, Any] = _created(members)
    if isinstance(command, list) and command:
        entry["created_by"] = " ".join(str(word) for word in command)
    entry |= {key: members[key] for key in ("author", "comment") if _text(members, key)}
    return entry | ({"empty_layer": True} if is_empty else {})


def manifest(of_config: Blob, layers: Sequence[Blob]) -> bytes:
    """The manifest of schema 2 of a config and its layers."""
    made = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": _descriptor(of_config, _CONFIG),
        "layers": [_descriptor(layer, _LAYER) for layer in layers],
    }
    return json.dumps(made, separators=(",", ":")).encode()


def _descriptor(blob: Blob, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "size": blob.size, "digest": blob.digest}
