"""The errors of the API: a status, one or more codes, and what goes into the body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

_MESSAGES = {
    "BLOB_UNKNOWN": "blob unknown to the registry",
    "BLOB_UPLOAD_INVALID": "blob upload invalid",
    "BLOB_UPLOAD_UNKNOWN": "blob upload unknown to the registry",
    "DENIED": "requested access to the resource is denied",
    "DIGEST_INVALID": "provided digest did not match the content or is malformed",
    "MANIFEST_BLOB_UNKNOWN": "manifest references a blob or manifest unknown to the repository",
    "MANIFEST_INVALID": "manifest invalid",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "NAME_INVALID": "invalid repository name or reference",
    "NAME_UNKNOWN": "repository name not known to the registry",
    "MANIFEST_UNVERIFIED": "manifest failed signature verification",
    "SIZE_INVALID": "provided length did not match the content",
    "TAG_INVALID": "manifest tag did not match the URI",
    "TOOMANYREQUESTS": "too many requests",
    "UNAUTHORIZED": "authentication required",
    "UNSUPPORTED": "the operation is unsupported",
}


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One element of the ``errors`` array."""

    code: str
    message: str = ""
    detail: object = None

    def as_json(self) -> dict[str, object]:
        """The entry as it goes into the body."""
        entry: dict[str, object] = {"code": self.code, "message": self.message or _MESSAGES.get(self.code, "")}
        if self.detail is not None:
            entry["detail"] = self.detail
        return entry


@dataclass(slots=True)
class RegistryError(Exception):
    """A request that is refused: raised by the resources, made a response in one place."""

    status: int
    entries: tuple[ErrorEntry, ...] = ()
    headers: list[tuple[str, str]] = field(default_factory=list)

    def body(self) -> bytes:
        """The JSON body; empty where the specification shows none."""
        if not self.entries:
            return b""
        return json.dumps({"errors": [entry.as_json() for entry in self.entries]}).encode()


def _error(status: int, code: str, message: str = "", detail: object = None) -> RegistryError:
    return RegistryError(status, (ErrorEntry(code, message, detail),))


def name_invalid(name: str) -> RegistryError:
    """A repository name outside the grammar."""
    return _error(400, "NAME_INVALID", detail={"name": name})


def tag_invalid(tag: str) -> RegistryError:
    """A manifest that names another tag than the one that it is pushed to."""
    return _error(400, "TAG_INVALID", detail={"tag": tag})


def manifest_unverified(message: str) -> RegistryError:
    """A signed manifest whose signatures do not show what they should."""
    return _error(400, "MANIFEST_UNVERIFIED", message)


def name_unknown(name: str) -> RegistryError:
    """A repository that does not exist."""
    return _error(404, "NAME_UNKNOWN", detail={"name": name})


def reference_invalid(reference: str) -> RegistryError:
    """A reference that is neither a tag nor a digest."""
    return _error(400, "NAME_INVALID", "invalid reference: neither a tag nor a digest", {"reference": reference})


def digest_invalid(digest: str, message: str = "") -> RegistryError:
    """A digest that is malformed, of an unsupported algorithm, or not that of the content."""
    return _error(400, "DIGEST_INVALID", message, {"digest": digest})


def blob_unknown(digest: str) -> RegistryError:
    """A blob that the repository does not hold."""
    return _error(404, "BLOB_UNKNOWN", detail={"digest": digest})


def manifest_unknown(reference: str) -> RegistryError:
    """A manifest that the repository does not hold."""
    return _error(404, "MANIFEST_UNKNOWN", detail={"reference": reference})


def manifest_invalid(message: str, status: int = 400) -> RegistryError:
    """A manifest that cannot be accepted."""
    return _error(status, "MANIFEST_INVALID", message)


def manifest_too_large(limit: int) -> RegistryError:
    """A manifest above the size limit, in bytes."""
    return _error(413, "MANIFEST_INVALID", f"manifest larger than {limit} bytes", {"limit": limit})


def references_unknown(digests: list[str]) -> RegistryError:
    """A manifest that names content which the repository lacks: one entry for each digest."""
    entries = tuple(ErrorEntry("MANIFEST_BLOB_UNKNOWN", detail={"digest": digest}) for digest in digests)
    return RegistryError(400, entries)


def upload_unknown(identifier: str) -> RegistryError:
    """An upload session that does not exist, or no longer."""
    return _error(404, "BLOB_UPLOAD_UNKNOWN", detail={"upload": identifier})


def upload_interrupted() -> RegistryError:
    """A body that broke off; nobody is left to read the answer."""
    return _error(400, "BLOB_UPLOAD_INVALID", "the request body broke off")


def upload_busy(identifier: str) -> RegistryError:
    """A session that another request works on, and goes on doing so."""
    error = _error(429, "TOOMANYREQUESTS", "another request has the upload", {"upload": identifier})
    error.headers.append(("Retry-After", "1"))
    return error


def too_many_logins() -> RegistryError:
    """More logins at once than are tried."""
    error = _error(429, "TOOMANYREQUESTS", "too many logins at once")
    error.headers.append(("Retry-After", "1"))
    return error


def silent() -> RegistryError:
    """A request whose body did not go on; the connection ends with the answer."""
    error = _error(408, "BLOB_UPLOAD_INVALID", "the request body did not go on")
    error.headers.append(("Connection", "close"))
    return error


def storage_failed(full: bool, request: str) -> RegistryError:
    """A storage that fails, or that is full; what it was is in the log, under the id of the request."""
    message = "the storage is full" if full else "the storage failed"
    return _error(507 if full else 500, "UNKNOWN", message, {"request": request})


def internal(request: str) -> RegistryError:
    """A mistake of the registry itself; what it was is in the log, under the id of the request."""
    return _error(500, "UNKNOWN", "internal error", {"request": request})


def unavailable() -> RegistryError:
    """A registry that is out of order, or that somebody took out of service; why is for its owner alone."""
    return _error(503, "UNAVAILABLE", "the registry is unavailable", "a check failed: see /debug/health")


def upstream_failed() -> RegistryError:
    """Content that is not in a cache, while the registry behind it gives no answer."""
    return _error(503, "UNAVAILABLE", "the registry behind this cache does not answer")


def upstream_refused() -> RegistryError:
    """Content that the registry behind a cache does not give to it."""
    return _error(403, "DENIED", "the registry behind this cache refuses it")


def size_invalid(expected: int, received: int) -> RegistryError:
    """A body whose length is not the announced one, in bytes."""
    return _error(400, "SIZE_INVALID", detail={"expected": expected, "received": received})


def page_invalid() -> RegistryError:
    """A page size that is no non-negative integer; without a body, as OCI's tables lack Docker's code for it."""
    return RegistryError(400)


def unsupported(allow: list[str], message: str = "") -> RegistryError:
    """A method that the endpoint does not take, or not in this configuration."""
    error = _error(405, "UNSUPPORTED", message)
    error.headers.append(("Allow", ", ".join(allow)))
    return error


def condition_failed() -> RegistryError:
    """A push on the condition of an ETag that is not that of what is there."""
    return _error(412, "DENIED", "the condition of If-Match does not hold")


def too_many_tags(limit: int) -> RegistryError:
    """More tag parameters than one request may carry."""
    return _error(414, "UNSUPPORTED", f"more than {limit} tags in one request")


def no_such_endpoint(path: str) -> RegistryError:
    """A path outside the API."""
    return _error(404, "UNSUPPORTED", "no such endpoint", {"path": path})


def unauthorized(challenge: str) -> RegistryError:
    """A request without sufficient credentials, with the challenge to answer."""
    error = _error(401, "UNAUTHORIZED")
    error.headers.append(("WWW-Authenticate", challenge))
    return error
