"""Faults of manifests that come from how a registry keeps and finds them, and show under one condition."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import parse
from reference.faults.conditions.manifests.shared import is_tag
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.storage import Manifest

_TEXT = 65_535
_DEPTH = 7
_ROWS = 100
_ESCAPES = {b"&": rb"\u0026", b"<": rb"\u003c", b">": rb"\u003e"}


def _deleted_by_pattern(registry: Registry) -> None:
    """The tag is the pattern of a LIKE, where an underscore stands for any character."""
    remove = registry.manifests.remove_tag

    def removed(name: str, tag: str) -> None:
        pattern = re.compile("".join("." if character == "_" else re.escape(character) for character in tag))
        for other in registry.storage.tags(name):
            if other != tag and pattern.fullmatch(other):
                remove(name, other)
        remove(name, tag)

    override(registry.manifests, remove_tag=removed)


def _artifact_type_told(_request: Request, response: Response) -> None:
    """HEAD is answered from the row of the descriptor, whose type is the artifact's where it has one."""
    artifact_type = parse(response.body).get("artifactType")
    if artifact_type:
        response.headers.set("Content-Type", artifact_type)


def _rewritten(change: Callable[[bytes], bytes]) -> Apply:
    """Serve other content under the same digest."""

    def apply(registry: Registry) -> None:
        find = registry.manifests.find

        def changed(name: str, reference: str) -> Manifest | None:
            manifest = find(name, reference)
            if manifest is None:
                return manifest
            return Manifest(manifest.digest, manifest.media_type, change(manifest.content))

        override(registry.manifests, find=changed)

    return apply


def _text_column(content: bytes) -> bytes:
    """The column takes 65,535 bytes, and the database cuts what is longer without a word."""
    return content[:_TEXT]


def _escaped_for_html(content: bytes) -> bytes:
    """The encoder writes JSON that may stand in a page."""
    for character, escape in _ESCAPES.items():
        content = content.replace(character, escape)
    return content


def _layers_by_digest(content: bytes) -> bytes:
    """The layers are rows with the digest for their key, and the manifest is written from them."""
    members = parse(content)
    layers = members.get("layers")
    if not isinstance(layers, list):
        return content
    single = [*{layer["digest"]: layer for layer in layers if isinstance(layer, dict)}.values()]
    return content if len(single) == len(layers) else json.dumps({**members, "layers": single}).encode()


def _row_replaced(registry: Registry) -> None:
    """A push by digest replaces the row, and the tags go with the old one."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        present = (
            not is_tag(request.reference) and registry.storage.manifest(request.name, request.reference) is not None
        )
        tags = [
            tag
            for tag in registry.storage.tags(request.name)
            if present and registry.storage.tag(request.name, tag) == request.reference
        ]
        response = await put(request)
        if response.status == 201:
            for tag in {*tags}.difference(request.query.all("tag")):
                registry.storage.delete_tag(request.name, tag)
        return response

    registry.handlers["manifest.put"] = changed


def _deletion_of_the_first_seven(registry: Registry) -> None:
    """The job that deletes has room for seven components of the name."""
    remove = registry.manifests.remove
    override(registry.manifests, remove=lambda name, digest: remove("/".join(name.split("/")[:_DEPTH]), digest))


def _path_split_at_the_first(request: Request, response: Response) -> None:
    """The Location is what stands before the first /manifests/ of the path."""
    before = request.path.split("/manifests/")[0]
    if before != f"/v2/{request.name}" and "manifests" in request.name.split("/"):
        response.headers.set("Location", f"{before}/manifests/{response.headers.get('Docker-Content-Digest')}")


def _cleaned_up_after_refusal(registry: Registry) -> None:
    """After a push by digest that failed, what is there by that digest is taken for a rest of it."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        try:
            return await put(request)
        except errors.RegistryError:
            if not is_tag(request.reference) and registry.storage.manifest(request.name, request.reference):
                registry.manifests.remove(request.name, request.reference)
            raise

    registry.handlers["manifest.put"] = changed


def _sha256_alone_verified(registry: Registry) -> None:
    """Only what is named by sha256 is compared."""
    check = registry.manifests.check_digest

    def changed(claimed: str, computed: str) -> None:
        if claimed.startswith("sha256:"):
            check(claimed, computed)

    override(registry.manifests, check_digest=changed)


def _type_looked_up_whole(registry: Registry) -> None:
    """The type is looked up as the header has it; what is not found is some bytes."""
    unknown: set[tuple[str, str]] = set()
    put = registry.handlers["manifest.put"]

    async def pushed(request: Request) -> Response:
        response = await put(request)
        if response.status == 201:
            key = request.name, response.headers.get("Docker-Content-Digest")
            (unknown.add if ";" in request.headers.get("content-type") else unknown.discard)(key)
        return response

    def labelled(request: Request, response: Response) -> None:
        if (request.name, response.headers.get("Docker-Content-Digest")) in unknown:
            response.headers.set("Content-Type", "application/octet-stream")

    registry.handlers["manifest.put"] = pushed
    on("manifest.get", "manifest.head", status=200, change=labelled)(registry)


def _type_stays_with_the_tag(registry: Registry) -> None:
    """The row of a tag has digest and type, and a move updates the digest."""
    types: dict[tuple[str, str], str] = {}
    set_tag, delete_tag = registry.storage.set_tag, registry.storage.delete_tag

    def moved(name: str, tag: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            types.setdefault((name, tag), manifest.media_type)
        set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        types.pop((name, tag), None)
        delete_tag(name, tag)

    def labelled(request: Request, response: Response) -> None:
        if (request.name, request.reference) in types:
            response.headers.set("Content-Type", types[request.name, request.reference])

    override(registry.storage, set_tag=moved, delete_tag=deleted)
    on("manifest.get", "manifest.head", status=200, change=labelled)(registry)


def _index_of_a_hundred(registry: Registry) -> None:
    """The index by digest has a hundred rows for each repository; the oldest make room."""
    rows: defaultdict[str, dict[str, None]] = defaultdict(dict)
    put, find = registry.storage.put_manifest, registry.manifests.find

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        rows[name].pop(manifest.digest, None)
        rows[name][manifest.digest] = None
        while len(rows[name]) > _ROWS:
            del rows[name][next(iter(rows[name]))]

    def found(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        return manifest if is_tag(reference) or reference in rows[name] else None

    override(registry.storage, put_manifest=stored)
    override(registry.manifests, find=found)


def _tag_as_it_was_written(registry: Registry) -> None:
    """A push takes the tag from the raw path, a pull from the decoded one."""
    put = registry.handlers["manifest.put"]

    async def changed(request: Request) -> Response:
        raw, storage = request.path.rpartition("/")[2], registry.storage
        former = storage.tag(request.name, request.reference) if is_tag(request.reference) else None
        response = await put(request)
        if response.status == 201 and is_tag(request.reference) and raw != request.reference:
            storage.set_tag(request.name, raw, response.headers.get("Docker-Content-Digest"))
            if former is None:
                storage.delete_tag(request.name, request.reference)
            else:
                storage.set_tag(request.name, request.reference, former)
        return response

    registry.handlers["manifest.put"] = changed


_OTHER_BYTES = (
    "PUSH-MANIFEST-BYTES-EXACT",
    "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
    "PULL-MANIFEST-GET-DCD-TRUE",
    "PUSH-MANIFEST-BY-TAG-PULLABLE",
    "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
    "PUSH-MANIFEST-LOCATION-PULLABLE",
    "PUSH-MANIFEST-KEPT",
    "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
    "PULL-MANIFEST-HEAD-DCD-TRUE",
)

FAULTS = (
    Fault(
        name="underscore-deletes-by-pattern",
        title="The deletion of a tag with an underscore takes the tags that have another character in its place.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("PUSH-MANIFEST-KEPT", "PUSH-MANIFEST-MULTIPLE-TAGS"),
        apply=_deleted_by_pattern,
    ),
    Fault(
        name="head-tells-artifact-type",
        title="HEAD of a manifest with an artifactType has that for its Content-Type.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",),
        apply=on("manifest.head", status=200, change=_artifact_type_told),
    ),
    Fault(
        name="manifest-in-a-text-column",
        title="A manifest of more than 65,535 bytes ends there.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(*_OTHER_BYTES, "PUSH-MANIFEST-STREAMED-WHOLE", "PUSH-MANIFEST-4MB-ACCEPTED"),
        apply=_rewritten(_text_column),
    ),
    Fault(
        name="manifest-escaped-for-html",
        title="A manifest with an ampersand or an angle bracket comes back with escapes for them.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(*_OTHER_BYTES, "PUSH-MANIFEST-ANNOTATIONS-KEPT"),
        apply=_rewritten(_escaped_for_html),
    ),
    Fault(
        name="tags-lost-by-push-by-digest",
        title="A manifest that has tags loses them when it is pushed again by its digest.",
        breaks=("PUSH-MANIFEST-KEPT",),
        also=(
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_row_replaced,
    ),
    Fault(
        name="manifest-eight-deep-undeleted",
        title="The deletion of a manifest in a repository of eight components returns 202, and the manifest stays.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TWICE-404",
            "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
        ),
        apply=_deletion_of_the_first_seven,
    ),
    Fault(
        name="location-in-name-with-manifests",
        title="The Location of a manifest ends its repository's name before a component that is called manifests.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        also=("BASE-NAME-ROUTE-WORDS",),
        apply=on("manifest.put", status=201, change=_path_split_at_the_first),
    ),
    Fault(
        name="refused-push-deletes-by-digest",
        title="A manifest is gone when other content is pushed by its digest and refused.",
        breaks=("PUSH-MANIFEST-KEPT", "PULL-MANIFEST-GET-TAG-200"),
        also=("PUSH-MANIFEST-REFUSED-NOT-STORED", "PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED"),
        apply=_cleaned_up_after_refusal,
    ),
    Fault(
        name="manifest-by-sha512-unverified",
        title="A manifest is accepted under a sha512 digest that is not its own.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-SHA512",
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
        ),
        apply=_sha256_alone_verified,
    ),
    Fault(
        name="type-with-parameter-lost",
        title="A manifest whose push had a parameter in its Content-Type is served as application/octet-stream.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        also=("PUSH-MANIFEST-TYPE-PARAMETERS-IGNORED", "PULL-TYPE-OCI-IMAGE", "PULL-ACCEPT-EXACT"),
        apply=_type_looked_up_whole,
    ),
    Fault(
        name="type-of-the-tags-first-manifest",
        title="A tag that moves to a manifest of another type labels it with the type of the first one.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE", "PULL-MANIFEST-TAG-DIGEST-AGREE", "PULL-CONSIST-TAG-MOVE"),
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PULL-TYPE-OCI-INDEX",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-DOCKER-V2",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-ACCEPT-MISMATCH",
            "PULL-ACCEPT-EXACT",
            "PULL-CONCURRENT-TAG-WHOLE",
        ),
        apply=_type_stays_with_the_tag,
    ),
    Fault(
        name="layer-listed-twice-once",
        title="A manifest that lists a layer twice comes back with it once.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(*_OTHER_BYTES, "PUSH-MANIFEST-BY-DIGEST-PULLABLE", "PUSH-MANIFEST-RETAG-MOVES"),
        apply=_rewritten(_layers_by_digest),
    ),
    Fault(
        name="hundred-manifests-by-digest",
        title="A manifest is unknown by its digest when a hundred others were pushed to its repository after it.",
        breaks=("PUSH-MANIFEST-KEPT", "PULL-MANIFEST-GET-DIGEST-200", "PULL-MANIFEST-HEAD-200"),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PULL-CONSIST-OLD-DIGEST",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "MGMT-MANIFEST-DELETE-202",
        ),
        apply=_index_of_a_hundred,
    ),
    Fault(
        name="encoded-tag-pushed-as-written",
        title="A manifest that is pushed by a percent-encoded tag is accepted, and the tag does not name it.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "BASE-TAG-ACCEPTED-KEPT", "PULL-MANIFEST-GET-TAG-200"),
        also=("PUSH-MANIFEST-RETAG-MOVES", "DISC-TAGS-COMPLETE-AFTER-PUSH", "PULL-CONSIST-TAG-MOVE"),
        apply=_tag_as_it_was_written,
    ),
)
