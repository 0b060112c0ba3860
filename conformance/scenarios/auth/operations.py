"""The operations of a repository as data: each in words, and how a caller asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.auth.callers import Caller
from conformance.target.capabilities import Capabilities
from conformance.target.content import ANY_MANIFEST, Manifest
from conformance.target.setup import SetUp

Ask = Callable[[Repository], Response]
#: Operations by what they are in words.
Operations = dict[str, Ask]
#: Method Not Allowed, Not Implemented: what the target does not do for anybody.
_NOT_DONE = frozenset({405, 501})


def asked(operations: Operations, caller: Caller, repo: Repository) -> Iterator[tuple[str, Response]]:
    """Let a caller ask for each operation; what the target does for nobody is left out."""
    seen = caller.at(repo)
    for what, ask in operations.items():
        answer = ask(seen)
        if answer.status not in _NOT_DONE:
            yield what, answer


def reads(image: Manifest, capabilities: Capabilities) -> Operations:
    """Return the reads of an image in a repository; of a redirect, the answer itself is given."""
    digest = image.digest
    found: Operations = {"the list of tags": lambda r: r.list_tags(follow=False)}
    if capabilities.has("referrers"):
        found["the list of referrers"] = lambda r: r.referrers(digest, follow=False)
    found |= _reads_of_manifest("digest", digest)
    if image.tag:
        found |= _reads_of_manifest("tag", image.tag)
    if image.blobs:
        blob = image.blobs[0].digest
        found["the GET of a blob"] = lambda r: r.get_blob(blob, follow=False)
        found["the HEAD of a blob"] = lambda r: r.head_blob(blob, follow=False)
    return found


def _reads_of_manifest(how: str, reference: str) -> Operations:
    return {
        f"the GET of a manifest by {how}": lambda r: r.get_manifest(reference, ANY_MANIFEST, follow=False),
        f"the HEAD of a manifest by {how}": lambda r: r.head_manifest(reference, ANY_MANIFEST, follow=False),
    }


def basic_pushes(setup: SetUp, image: Manifest) -> Operations:
    """Return the pushes that every registry knows."""
    fresh = _another(setup, image)
    return {
        "the start of an upload": lambda r: r.start_upload(tried=True),
        "the push of a manifest by tag": lambda r: r.put_manifest(
            setup.make.tag(), fresh.body, fresh.media_type, tried=True
        ),
    }


def more_pushes(setup: SetUp, repo: Repository, image: Manifest) -> Operations:
    """Return the other pushes to a repository: of a manifest by digest, of a blob in one request, by a mount."""
    blob = setup.make.blob()
    other = _another(setup, image)
    found: Operations = {
        "the push of a manifest by digest": lambda r: r.put_manifest(
            other.digest, other.body, other.media_type, tried=True
        ),
        "a blob in a single POST": lambda r: r.upload_single(blob.digest, blob.content, tried=True),
    }
    if image.blobs:
        known, elsewhere = image.blobs[0].digest, f"{repo.name}-elsewhere"
        found["a mount"] = lambda r: r.mount(known, elsewhere, tried=True)
        found["a mount without from"] = lambda r: r.mount(known, None, tried=True)
    return found


def chunks(setup: SetUp, repo: Repository) -> Operations:
    """Return what goes on with an open upload; nothing where that is at another host.

    The URL of another host may be its own credential.
    """
    location, blob = setup.upload(repo), setup.make.blob()
    if not at_home(repo, location):
        return {}
    return {
        "a chunk": lambda r: r.patch_upload(location, blob.content, f"0-{len(blob.content) - 1}"),
        "the end of an upload": lambda r: r.put_upload(location, blob.digest, blob.content),
    }


def deletions(setup: SetUp, repo: Repository, image: Manifest, capabilities: Capabilities) -> Operations:
    """Return the deletions that the target does for its owner: of a tag, a manifest and a blob that nothing needs."""
    found: Operations = {}
    if setup.read_only:
        return found
    if capabilities.has("delete-tag") or capabilities.has("delete-manifest"):
        doomed = setup.another(repo, image, setup.make.tag())
        if capabilities.has("delete-tag"):
            found["the deletion of a tag"] = lambda r: r.delete_manifest(doomed.tag or "")
        if capabilities.has("delete-manifest"):
            found["the deletion of a manifest"] = lambda r: r.delete_manifest(doomed.digest)
    if capabilities.has("delete-blob"):
        spare = setup.blob(repo)
        found["the deletion of a blob"] = lambda r: r.delete_blob(spare.digest)
    return found


def referrer(setup: SetUp, repo: Repository, image: Manifest) -> str:
    """Push a manifest that refers to an image; return its digest, empty where the target takes none."""
    if setup.read_only:
        return ""
    manifest = setup.unpushed_image(image.blobs, subject=image.descriptor())
    return manifest.digest if repo.put_manifest(manifest.digest, manifest.body, manifest.media_type).ok else ""


def _another(setup: SetUp, image: Manifest) -> Manifest:
    """Make, not push, another image of the same blobs."""
    return setup.unpushed_image(image.blobs, annotations={"org.example.number": setup.make.tag()})


def at_home(repo: Repository, location: str) -> bool:
    """Whether an upload goes on at the target itself."""
    return urlsplit(location)[:2] == urlsplit(repo.registry.url)[:2]
