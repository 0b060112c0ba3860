"""Manifests read as JSON: what they are, what they refer to, and whether they may be stored."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from reference import errors
from reference.grammar import is_digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGES = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_LIST)
_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+"
SIGNED = f"{_SCHEMA1}prettyjws"
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")
_VAGUE = ("", "application/json", "application/octet-stream", "text/plain")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest that was read: its type and its members."""

    media_type: str
    members: Json

    @property
    def blobs(self) -> list[str]:
        """The digests of config and layers; layers that are fetched from elsewhere excepted."""
        if self.media_type == SIGNED:
            return list(dict.fromkeys(layer["blobSum"] for layer in self.members["fsLayers"]))
        if self.media_type not in IMAGES:
            return []
        layers = [layer for layer in self.members["layers"] if not layer.get("urls")]
        return list(dict.fromkeys(part["digest"] for part in [self.members["config"], *layers]))

    @property
    def children(self) -> list[str]:
        """The digests of the manifests of an index."""
        if self.media_type not in INDEXES:
            return []
        return list(dict.fromkeys(child["digest"] for child in self.members["manifests"]))

    @property
    def subject(self) -> str | None:
        """The digest of the subject, for the types that have one."""
        subject = self.members.get("subject")
        if self.media_type not in (OCI_MANIFEST, OCI_INDEX) or not isinstance(subject, dict):
            return None
        digest = subject.get("digest")
        return digest if isinstance(digest, str) else None

    @property
    def artifact_type(self) -> str | None:
        """The type by which referrers are filtered; for an image the one of its config, failing its own."""
        own = self.members.get("artifactType")
        if own or self.media_type not in IMAGES:
            return own or None
        config_type: str | None = self.members["config"].get("mediaType")
        return config_type


def parse(content: bytes) -> Json:
    """The members of a JSON object; refused where it is none."""
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise errors.manifest_invalid("the manifest is not JSON") from error
    if not isinstance(value, dict):
        raise errors.manifest_invalid("the manifest is not a JSON object")
    return value


def read(content: bytes, content_type: str, *, schema1: bool = False) -> Document:
    """Read and validate a pushed manifest, with ``schema1`` also of that kind; parameters of the type are ignored."""
    members = parse(content)
    declared = content_type.partition(";")[0].strip().lower()
    inner = members.get("mediaType")
    if inner is not None and not isinstance(inner, str):
        raise errors.manifest_invalid("mediaType is not a string")
    media_type = (inner or _guess(members)) if declared in _VAGUE else declared
    if inner and inner.lower() != media_type.lower():
        raise errors.manifest_invalid(f"the content type {media_type} contradicts the media type {inner}")
    if schema1 and media_type == SIGNED:
        _validate_schema1(members)
        return Document(media_type, members)
    if media_type.startswith(_SCHEMA1):
        raise errors.manifest_invalid("schema 1 manifests are not supported")
    if _MEDIA_TYPE.fullmatch(media_type) is None:
        raise errors.manifest_invalid("the content type is not a media type")
    if not media_type.lower().endswith("+json"):
        raise errors.manifest_invalid(f"{media_type} is no type of manifest")
    if media_type in (DOCKER_MANIFEST, DOCKER_LIST) and not inner:
        raise errors.manifest_invalid("the manifest has no mediaType, which Docker's formats require")
    document = Document(media_type, members)
    _validate(document)
    return document


def told_type(content: bytes) -> str:
    """The type that a stored manifest tells of itself, by its mediaType or else by its members; empty for none."""
    try:
        members = parse(content)
    except errors.RegistryError:
        return ""
    inner = members.get("mediaType")
    if isinstance(inner, str) and inner:
        return inner
    if members.get("schemaVersion") == 1:
        return SIGNED if "signatures" in members else f"{_SCHEMA1}json"
    if "manifests" in members:
        return OCI_INDEX
    return OCI_MANIFEST if "config" in members else ""


def _validate_schema1(members: Json) -> None:
    layers, history = members.get("fsLayers"), members.get("history")
    if members.get("schemaVersion") != 1:
        raise errors.manifest_invalid("schemaVersion is not 1")
    if not isinstance(layers, list) or not isinstance(history, list) or len(layers) != len(history):
        raise errors.manifest_invalid("fsLayers and history are not arrays of the same length")
    for layer in layers:
        if not isinstance(layer, dict) or not isinstance(layer.get("blobSum"), str) or not is_digest(layer["blobSum"]):
            raise errors.manifest_invalid("a layer has no valid blobSum")


def _guess(members: Json) -> str:
    if "manifests" in members:
        return OCI_INDEX
    if "config" in members:
        return OCI_MANIFEST
    raise errors.manifest_invalid("the manifest has no type")


def _validate(document: Document) -> None:
    members = document.members
    if document.media_type not in (*IMAGES, *INDEXES):
        return
    version = members.get("schemaVersion")
    if isinstance(version, bool) or version != 2:
        raise errors.manifest_invalid("schemaVersion is not 2")
    if document.media_type in IMAGES:
        _check_descriptor(members.get("config"), "config")
        _check_list(members.get("layers"), "layers")
    else:
        _check_list(members.get("manifests"), "manifests")
    if members.get("subject") is not None:
        _check_descriptor(members["subject"], "subject")
    if not isinstance(members.get("artifactType", ""), str):
        raise errors.manifest_invalid("artifactType is not a string")
    annotations = members.get("annotations") or {}
    if not isinstance(annotations, dict) or not all(isinstance(value, str) for value in annotations.values()):
        raise errors.manifest_invalid("annotations are not a map of strings")


def _check_list(value: object, where: str) -> None:
    if not isinstance(value, list):
        raise errors.manifest_invalid(f"{where} is not an array")
    for number, entry in enumerate(value):
        _check_descriptor(entry, f"{where}[{number}]")


def _check_descriptor(value: object, where: str) -> None:
    if not isinstance(value, dict):
        raise errors.manifest_invalid(f"{where} is not a descriptor")
    media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
    if not isinstance(media_type, str) or not media_type:
        raise errors.manifest_invalid(f"{where} has no mediaType")
    if not isinstance(digest, str) or not is_digest(digest):
        raise errors.manifest_invalid(f"{where} has no valid digest")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise errors.manifest_invalid(f"{where} has no valid size")
