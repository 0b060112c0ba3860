"""Manifests of each kind, and what they are made of: one shelf of blobs and manifests in each repository."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Repository
from conformance.target.content import (
    OCI_CONFIG,
    Blob,
    Descriptor,
    Maker,
    Manifest,
    digest_of,
    docker_image,
    docker_list,
    image,
    index,
)
from conformance.target.setup import SetUp

NOT_FOUND = 404
#: The plus of a type has to be encoded in a query.
ARTIFACT = "application/vnd.example.sbom.v1+json"
#: A type of 127 characters, which is the longest (RFC 6838, 4.2).
LONG_ARTIFACT = f"application/vnd.example.{'x' * 98}+json"
PLATFORM = {"architecture": "amd64", "os": "linux"}
LAYERS = 1000
#: Bytes of a manifest that every registry has to take are 4 MiB; this is a little less.
NEARLY = 4 * 1024 * 1024 - 4096
#: What a careless registry writes in another way: letters and signs of other scripts, and what HTML escapes.
SIGNS = "ä → ü 😀 <b>&amp;</b> '\u2028' \\ +"
#: How many annotations more an image with a subject may have: lists of referrers repeat them.
NOTES = 101
#: Characters of an annotation that a careless registry cuts.
LONG = 1100
#: Kinds that a registry may convert for a client that does not name them.
DOCKER = frozenset({"docker-image", "docker-list"})
#: The kind of what a manifest of a kind lists.
CHILDREN = {"index": "image", "nested": "index", "docker-list": "docker-image"}
#: Kinds whose manifests have no artifactType: that of the configuration stands for it in a list of referrers.
UNTYPED = frozenset({"nameless", "many"})
#: How many parts a manifest of a kind has: the same one again and again. Others have a single one.
PARTS = {"docker-image": 4, "many": LAYERS, "index": 2, "docker-list": 21}
#: The kinds of what a manifest with a subject refers to, in turns.
SUBJECTS = ("image", "index", "docker-image", "docker-list")
#: What some rows have in place of an image without mediaType, and of an index of an index.
NAMELESS_INDEX, DEEPER = "nameless-index", "deeper"
#: How the text of a manifest is written, in turns: each in a way that a parser of JSON would not choose.
WRITTEN = ("", "with its slashes and letters escaped", "with blanks in front and its members in another order")
#: A type of subjects that OCI gave up: it says as much as any other of what nobody has.
GIVEN_UP = "application/vnd.oci.artifact.manifest.v1+json"


@dataclass(frozen=True, slots=True)
class Made:
    """A manifest of a row: its bytes and type, and what a list of referrers has to say of it."""

    manifest: Manifest
    #: The digest by which it names its subject, empty where it has none.
    subject: str = ""
    artifact_type: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    #: The kind of its subject, where that is on the shelf.
    about: str = ""


class Shelf:
    """What manifests of one repository are made of; pushed when it is first wanted.

    The same as in another repository, where ``like`` has what that holds.
    """

    def __init__(self, setup: SetUp, repo: Repository, like: Shelf | None = None) -> None:
        self._given = setup
        self._like = like
        self._repo = repo
        self._blobs: list[Blob] = []
        #: The tags of the manifests, by kind: what has none a registry may collect.
        self.tags: dict[str, str] = {}
        self._manifests: dict[str, Manifest] = {}

    @property
    def blobs(self) -> list[Blob]:
        """A configuration and a layer."""
        if not self._blobs:
            made = self._like.blobs if self._like else [self._given.make.config(), None]
            self._blobs = [self._given.blob(self._repo, each) for each in made]
        return self._blobs

    def child(self, kind: str = "image") -> Manifest:
        """Return a manifest that others list: an image, a Docker image, or an index."""
        if kind not in self._manifests:
            config, layer = self.blobs
            made = {
                "image": lambda: Manifest.of(image(config.descriptor(OCI_CONFIG), [layer.descriptor()]), OCI_MANIFEST),
                "docker-image": lambda: Manifest.of(docker_image(config, [layer]), DOCKER_MANIFEST),
                "docker-list": lambda: Manifest.of(docker_list(_listed(self.child("docker-image"), 1)), DOCKER_LIST),
                "index": lambda: Manifest.of(index([self.child().descriptor(platform=PLATFORM)]), OCI_INDEX),
                "nested": lambda: Manifest.of(index([self.child("index").descriptor()]), OCI_INDEX),
            }[kind]()
            self.tags.setdefault(kind, f"{'beside' if self._like else 'shelf'}-{kind}")
            self._given.manifest(self._repo, made, self.tags[kind])
            self._manifests[kind] = made
        return self._manifests[kind]

    def collected(self) -> bool:
        """Tell whether something on the shelf is gone: what no manifest has any longer a registry may remove."""
        asked = [self._repo.head_blob(blob.digest) for blob in self._blobs]
        asked += [self._repo.head_manifest(made.digest, made.media_type) for made in self._manifests.values()]
        return any(answer.status == NOT_FOUND for answer in asked)

    def forget(self, kind: str) -> None:
        """Push a manifest anew when it is wanted next: it was deleted."""
        del self._manifests[kind], self.tags[kind]

    def another(self, make: Maker) -> Manifest:
        """Return an image that is not pushed yet and like no other."""
        return self._image({"annotations": {"org.example.row": make.random.randbytes(8).hex()}})

    def lacking(self, make: Maker, subject: Descriptor | None) -> tuple[Manifest, Blob]:
        """Return an image one of whose layers is not there, with a subject or without, and that layer."""
        layer = make.blob()
        parts = [self.blobs[1].descriptor(), layer.descriptor()]
        members: dict[str, Any] = {"subject": subject} if subject else {}
        document = image(self.blobs[0].descriptor(OCI_CONFIG), parts, **members)
        return Manifest.of(document, OCI_MANIFEST), layer

    def push(self, blob: Blob) -> None:
        """Push a blob."""
        self._given.blob(self._repo, blob)

    def _image(self, members: dict[str, Any], layers: int = 1) -> Manifest:
        config, layer = self.blobs
        document = image(config.descriptor(OCI_CONFIG), [layer.descriptor()] * layers, **members)
        return _of(document, OCI_MANIFEST)

    def make(  # each is a dimension of its own, or chosen by the number of a row
        self,
        kind: str,
        subject: str,
        make: Maker,
        *,
        empty: bool = False,
        about: str = "image",
        noted: bool = False,
        told: bool = False,
        mixed: bool = False,
        written: str = "",
        foreign: bool = False,
    ) -> Made:
        """Return a manifest of a kind with a subject (values of these dimensions), not pushed and like no other.

        Where it has no artifactType, ``empty`` gives it an empty one, which says as much. ``about`` is the kind of a
        subject that is there, and ``noted`` gives an image many annotations. ``told`` says more of the subject than it
        needs, and ``mixed`` lists a Docker image in an index, too. ``written`` is one of `WRITTEN`, and ``foreign``
        gives a subject that is not there a type that no manifest has. The kind ``nameless-index`` is that of an index
        without mediaType, ``deeper`` that of an index of three levels.
        """
        mark = make.random.randbytes(8).hex()
        if kind in DOCKER:
            return Made(self._docker(kind, mark))
        annotations = {"org.example.row": mark, "org.example/sign": SIGNS}
        if subject != "none":
            annotations["org.example.long"] = mark * (LONG // len(mark))
            if kind == "image" and noted:
                annotations |= {f"org.example.n{number}": "" for number in range(NOTES)}
        members: dict[str, Any] = {"annotations": annotations}
        if subject == "none":
            return Made(_rewritten(self._of(kind, members, mixed=mixed), written))
        members["subject"] = named = self._subject(subject, make, about)
        if foreign and subject == "absent":
            named["mediaType"] = GIVEN_UP
        if told:
            named |= {"annotations": {"org.example.of": mark}, "artifactType": ARTIFACT}
        named_type = LONG_ARTIFACT if noted else ARTIFACT
        if kind not in UNTYPED:
            members["artifactType"] = named_type
        elif empty:
            members["artifactType"] = ""
        type_ = OCI_CONFIG if kind in UNTYPED else named_type
        there = about if subject != "absent" else ""
        manifest = _rewritten(self._of(kind, members, mixed=mixed), written)
        return Made(manifest, str(named["digest"]), type_, annotations, there)

    def _of(self, kind: str, members: dict[str, Any], *, mixed: bool) -> Manifest:
        """Return a manifest of an OCI kind."""
        if kind in {"index", "nested", NAMELESS_INDEX, DEEPER}:
            child = self.child("nested" if kind == DEEPER else CHILDREN.get(kind, "image"))
            entries = _listed(child, PARTS.get(kind, 1))
            if mixed and kind == "index":
                entries[-1] = self.child("docker-image").descriptor(platform=entries[-1]["platform"])
            document = index(entries, **members)
            if kind == NAMELESS_INDEX:
                del document["mediaType"]
            return _of(document, OCI_INDEX)
        manifest = self._image(members, PARTS.get(kind, 1))
        document = manifest.document
        if kind == "large":
            # The annotations of a manifest itself would come again in each list of referrers.
            document["layers"][0]["annotations"] = {"org.example.filler": "x" * NEARLY}
        elif kind == "nameless":
            del document["mediaType"]
        else:
            return manifest
        return _of(document, OCI_MANIFEST)

    def _subject(self, subject: str, make: Maker, kind: str) -> Descriptor:
        """Return the descriptor of a subject: one that is there, or nothing that anybody has."""
        child = self.another(make) if subject == "absent" else self.child(kind)
        named = child.descriptor()
        if subject == "sha512":
            named["digest"] = digest_of(child.body, "sha512")
        return named

    def _docker(self, kind: str, mark: str) -> Manifest:
        """Return a Docker manifest, which has no annotations: the white space behind it tells it from others."""
        config, layer = self.blobs
        if kind == "docker-image":
            document, media_type = docker_image(config, [layer] * PARTS[kind]), DOCKER_MANIFEST
        else:
            child = self.child("docker-image")
            document, media_type = docker_list(_listed(child, PARTS[kind])), DOCKER_LIST
        space = "".join(" " if digit == "0" else "\n" for digit in f"{int(mark, 16):064b}")
        return Manifest.of(json.dumps(document, indent=1).encode() + space.encode(), media_type)


def _listed(child: Manifest, count: int) -> list[Descriptor]:
    """Return so many descriptors of a manifest, each for another platform."""
    others = [{"architecture": "arm", "os": "linux", "variant": f"v{number}"} for number in range(1, count)]
    if others:
        # As builders list what they say of an image.
        others[-1] = {"architecture": "unknown", "os": "unknown"}
    return [child.descriptor(platform=platform) for platform in (PLATFORM, *others)]


def _of(document: dict[str, Any], media_type: str) -> Manifest:
    """Return a manifest whose text is sent as it is: it has more bytes than characters."""
    return Manifest.of(json.dumps(document, indent=1, ensure_ascii=False).encode(), media_type)


def _rewritten(manifest: Manifest, written: str) -> Manifest:
    """Return a manifest of the same members in another text."""
    if written == WRITTEN[1]:
        return Manifest.of(json.dumps(manifest.document).replace("/", "\\/").encode(), manifest.media_type)
    if written == WRITTEN[2]:
        backwards = json.dumps(dict(reversed(manifest.document.items())), indent="\t", ensure_ascii=False)
        return Manifest.of(f"\n {backwards}\n".replace("\n", "\r\n").encode(), manifest.media_type)
    return manifest


def doubtful(made: Made) -> bool:
    """Tell whether a registry may refuse a manifest: its artifactType is empty, or its subject of an unknown type."""
    document = made.manifest.document
    return document.get("artifactType") == "" or document.get("subject", {}).get("mediaType") == GIVEN_UP
