"""Which operation a path and a method mean."""

from __future__ import annotations

from dataclasses import dataclass

from reference import errors
from reference.messages import Request, decode_segment

_READ = ("GET", "HEAD")
_METHODS: dict[str, tuple[str, ...]] = {
    "base": _READ,
    "catalog": _READ,
    "tags": _READ,
    "referrers": _READ,
    "ext": _READ,
    "manifest": (*_READ, "PUT", "DELETE"),
    "blob": (*_READ, "DELETE"),
    "uploads": ("POST",),
    "upload": ("GET", "HEAD", "PATCH", "PUT", "DELETE"),
}
_OPERATIONS = {
    "base": "base.get",
    "catalog": "catalog.list",
    "tags": "tags.list",
    "referrers": "referrers.list",
    "ext": "ext.discover",
}
_DISCOVER = ["_oci", "ext", "discover"]


@dataclass(frozen=True, slots=True)
class Route:
    """A resource, the repository it is in, and the last part of its path."""

    resource: str
    name: str = ""
    reference: str = ""


def find(path: str) -> Route | None:
    """The resource of a raw path; None outside the API. The repository name is not checked here."""
    if path in ("/v2", "/v2/"):
        return Route("base")
    if not path.startswith("/v2/"):
        return None
    parts = [decode_segment(part) for part in path[len("/v2/") :].split("/")]
    if parts == ["_catalog"]:
        return Route("catalog")
    if parts[-3:] == _DISCOVER:
        return Route("ext", "/".join(parts[:-3]))
    return _in_repository(parts)


def _in_repository(parts: list[str]) -> Route | None:
    match parts:
        case [_, *_, "tags", "list"]:
            return Route("tags", "/".join(parts[:-2]))
        case [_, *_, "manifests", last]:
            return Route("manifest", "/".join(parts[:-2]), last)
        case [_, *_, "referrers", last]:
            return Route("referrers", "/".join(parts[:-2]), last)
        case [_, *_, "blobs", "uploads", ""]:
            return Route("uploads", "/".join(parts[:-3]))
        case [_, *_, "blobs", "uploads"]:
            return Route("uploads", "/".join(parts[:-2]))
        case [_, *_, "blobs", "uploads", last]:
            return Route("upload", "/".join(parts[:-3]), last)
        case [_, *_, "blobs", last]:
            return Route("blob", "/".join(parts[:-2]), last)
    return None


def methods_of(resource: str) -> list[str]:
    """The methods that a resource takes."""
    return list(_METHODS[resource])


def resolve(request: Request) -> None:
    """Fill in the operation, the name and the reference of a request, or refuse it; the name is not checked."""
    route = find(request.path)
    if route is None:
        raise errors.no_such_endpoint(request.path)
    if request.method not in _METHODS[route.resource]:
        raise errors.unsupported(methods_of(route.resource))
    request.name, request.reference = route.name, route.reference
    request.operation = _operation(request, route.resource)


def is_nameless(request: Request) -> bool:
    """Whether the operation is not about a repository."""
    return request.operation in ("base.get", "catalog.list") or (
        request.operation == "ext.discover" and not request.name
    )


def _operation(request: Request, resource: str) -> str:
    if resource in _OPERATIONS:
        return _OPERATIONS[resource]
    if resource == "uploads":
        if request.query.get("mount") is not None:
            return "upload.mount"
        return "upload.start-digest" if request.query.get("digest") is not None else "upload.start"
    method = "get" if resource == "upload" and request.method == "HEAD" else request.method.lower()
    return f"{resource}.{method}"
