"""Changes that several modules of faults of conditions have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import override

#: The methods of a storage whose first argument is the name of a repository.
_BY_NAME = (
    *("load_tags", "load_tags_of", "load_referrers"),
    *("exists", "blobs", "manifests", "open_blob", "has_blob", "delete_blob", "start_upload"),
    *("find_upload", "stored_at", "put_manifest", "manifest", "delete_manifest"),
    *("tags", "tags_of", "tag", "set_tag", "delete_tag", "referrers"),
)


def digest_as_written(request: Request, response: Response) -> None:
    """The digest header repeats the end of the path."""
    written = request.path.rpartition("/")[2]
    if "%" in written and ":" in request.reference and "Docker-Content-Digest" in response.headers:
        response.headers.set("Docker-Content-Digest", written)


def kept_under(registry: Registry, key: Callable[[str], str]) -> None:
    """Have the storage keep each repository under another name."""
    storage = registry.storage
    mount = storage.mount_blob

    def keyed(method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda name, *rest, **more: method(key(name), *rest, **more)

    override(storage, **{method: keyed(getattr(storage, method)) for method in _BY_NAME})
    override(storage, mount_blob=lambda source, name, digest: mount(key(source), key(name), digest))
    override(registry.tags, load=storage.load_tags)
