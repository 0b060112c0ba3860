"""The operations of the registry API, a method each; names and references are sent as they are given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from conformance.client import locations
from conformance.client.client import Call, Client
from conformance.client.control import Control
from conformance.client.guard import Guard
from conformance.client.http.exchange import Response
from conformance.client.http.transport import Payload
from conformance.client.journal import Journal
from conformance.client.settling import Settling, ask_until

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

#: The answers of an upload that say that it is no more: it was completed, or is not known.
_ENDED = frozenset({201, 404})
#: Accepted: an upload is open, or goes on.
_OPENED = 202
_ANY = ", ".join((OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST))

#: Where an upload goes on, and how a parameter is put to its URL.
upload_location, with_query = locations.upload_location, locations.with_query
query_of, content_range_of = locations.query_of, locations.content_range_of

Field = tuple[str, str]  # name and value of a header field


class Registry:
    """The target as a whole."""

    def __init__(self, client: Client, settle: float = 0.0, min_chunk: int = 1) -> None:
        self.client = client
        self.min_chunk = min_chunk
        self.settling = Settling(settle)
        self.guard = Guard()
        self.journal = Journal()
        self.control = Control(self.journal)
        #: What was looked at in part, as it is long and of others, in words.
        self.sampled: set[str] = set()

    @property
    def url(self) -> str:
        """The address of the target, without a final slash."""
        return self.client.url

    @property
    def ours(self) -> bool:
        """Whether nobody else can have put anything into the repositories of the run."""
        return not (self.guard.fixed or self.client.read_only or self.client.pull_only)

    def request(  # the one general door; scenarios use the operations below
        self,
        method: str,
        path: str,
        *,
        operation: str = "",
        parameters: dict[str, str] | None = None,
        headers: tuple[Field, ...] = (),
        payload: Payload = None,
        **options: Any,
    ) -> Response:
        """Send any request to a path below the target, or to an absolute URL; ``options`` as in `Call`."""
        url = path if "://" in path else self.url + path
        foreign = operation == "catalog.list" or (operation.endswith(".list") and not self.ours)
        call = Call(method, url, operation, parameters or {}, headers, payload, foreign=foreign, **options)
        response = self.client.send(call)
        self.control.look(self.client, call, response)
        return response

    def base(self, method: str = "GET", **options: Any) -> Response:
        """Ask for ``/v2/``."""
        return self.request(method, "/v2/", operation="base.get", **options)

    def catalog(self, *, n: int | str | None = None, last: str | None = None, **options: Any) -> Response:
        """List repositories."""
        return self.request("GET", "/v2/_catalog" + query_of(n=n, last=last), operation="catalog.list", **options)

    def follow_link(self, response: Response, operation: str, name: str = "") -> Response | None:
        """Follow the ``rel=next`` Link of a page; ``None`` where it has none."""
        target = next_link(response)
        if target is None:
            return None
        return self.request("GET", target, operation=operation, parameters={"name": name} if name else {})


class Repository:
    """One repository of the target."""

    def __init__(self, registry: Registry, name: str) -> None:
        self.registry = registry
        self.name = name

    def least_chunk(self, start: Response) -> int:
        """Return the bytes of the least chunk that an upload takes, as it announces or the owner tells; 1 for any."""
        return max(locations.announced_minimum(start), self.registry.min_chunk)

    # -- manifests

    def get_manifest(
        self, reference: str, accept: str | tuple[str, ...] | None = None, *, headers: tuple[Field, ...] = (), **o: Any
    ) -> Response:
        """Pull a manifest; ``accept`` is one Accept field, several, or ``None`` for no such header."""
        return self._manifest("GET", reference, (*_accept(accept), *headers), **o)

    def head_manifest(
        self, reference: str, accept: str | tuple[str, ...] | None = None, *, headers: tuple[Field, ...] = (), **o: Any
    ) -> Response:
        """Ask for a manifest's headers."""
        return self._manifest("HEAD", reference, (*_accept(accept), *headers), **o)

    def put_manifest(
        self,
        reference: str,
        body: bytes,
        media_type: str | None = OCI_MANIFEST,
        *,
        query: str = "",
        headers: tuple[Field, ...] = (),
        streamed: bool = False,
        **o: Any,
    ) -> Response:
        """Push a manifest by tag or digest, its length told or not; ``query`` is appended as it is, ``?`` included.

        A reference may be percent-encoded: it is sent as it is, and known by what it means.
        """
        written, reference = reference, unquote(reference)
        fields = ((("Content-Type", media_type),) if media_type else ()) + headers
        own = "sha256:" + hashlib.sha256(body).hexdigest()
        for known in dict.fromkeys((reference, own)):
            self._look("manifest", known)
        noted = self._note_manifest(reference, own, body)
        response = self._manifest(
            "PUT", written, fields, query=query, payload=(lambda: iter((body,))) if streamed else body, **o
        )
        if response.ok:
            more = [tag.strip() for tag in ",".join(response.headers.all("OCI-Tag")).split(",") if tag.strip()]
            for tag in more:
                self.registry.journal.tag(self.name, tag, own)
            self.registry.settling.pushed(self.name, reference, own, *more)
        elif response.refused:
            self.registry.journal.refused(self.name, *noted)
        return response

    def _look(self, kind: str, reference: str) -> None:
        """Look, in a repository that the owner fixed, whether others have there what is about to be pushed."""
        parameters = {"name": self.name, "reference" if kind == "manifest" else "digest": reference}
        headers = _accept(_ANY) if kind == "manifest" else ()
        path = f"/v2/{self.name}/{kind}s/{reference}"

        def there() -> bool:
            return self._once("HEAD", path, f"{kind}.head", parameters, headers=headers).ok

        self.registry.guard.look(self.name, reference, there)

    def _note_manifest(self, reference: str, own: str, body: bytes) -> list[str]:
        """Note for clean-up a manifest that is pushed, unless it was there before; return the references noted."""
        digest = reference if ":" in reference else own
        noted = []
        foreign = self.registry.guard.is_foreign
        if not foreign(self.name, digest):
            self.registry.journal.manifest(self.name, digest, body)
            noted.append(digest)
        # What is noted is removed, also by a process that has never looked whether others have it.
        if digest != reference and not foreign(self.name, reference):
            self.registry.journal.tag(self.name, reference, digest)
            noted.append(reference)
        return noted

    def _blob(self, digests: list[str], push: Callable[[], Response]) -> Response:
        """Push a blob under some digests, and note it for clean-up, unless it was there before."""
        for digest in digests:
            self._look("blob", digest)
        noted = [digest for digest in digests if not self.registry.guard.is_foreign(self.name, digest)]
        for digest in noted:
            self.registry.journal.blob(self.name, digest)
        response = push()
        if response.ok and response.status != _OPENED:
            self.registry.settling.pushed(self.name, *digests)
        elif response.refused or response.status == _OPENED:  # an upload in place of the blob
            self.registry.journal.refused(self.name, *noted)
        return response

    def delete_manifest(self, reference: str, *, headers: tuple[Field, ...] = (), **o: Any) -> Response:
        """Delete a manifest by digest, or a tag."""
        self.registry.settling.deleted(self.name, unquote(reference))
        return self._manifest("DELETE", reference, headers, **o)

    def _manifest(
        self, method: str, reference: str, headers: tuple[Field, ...], *, query: str = "", **o: Any
    ) -> Response:
        return self._send(
            method,
            f"manifests/{reference}{query}",
            f"manifest.{method.lower()}",
            {"reference": unquote(reference)},
            headers=headers,
            **o,
        )

    # -- blobs

    def get_blob(self, digest: str, *, headers: tuple[Field, ...] = (), **o: Any) -> Response:
        """Pull a blob; ``stream=True`` digests it without keeping it."""
        return self._send("GET", f"blobs/{digest}", "blob.get", {"digest": digest}, headers=headers, **o)

    def head_blob(self, digest: str, *, headers: tuple[Field, ...] = (), **o: Any) -> Response:
        """Ask for a blob's headers."""
        return self._send("HEAD", f"blobs/{digest}", "blob.head", {"digest": digest}, headers=headers, **o)

    def delete_blob(self, digest: str, **o: Any) -> Response:
        """Delete a blob."""
        self.registry.settling.deleted(self.name, digest)
        return self._send("DELETE", f"blobs/{digest}", "blob.delete", {"digest": digest}, **o)

    # -- uploads

    def start_upload(self, *, query: str = "", headers: tuple[Field, ...] = (), **o: Any) -> Response:
        """Open an upload session."""
        return self._upload("upload.start", query, headers=headers, **o)

    def upload_single(self, digest: str, body: Payload, *, headers: tuple[Field, ...] = (), **o: Any) -> Response:
        """Push a whole blob with one POST."""
        query = "?digest=" + quote(digest, safe="")
        fields = (("Content-Type", "application/octet-stream"), *headers)
        return self._blob(
            [digest], lambda: self._upload("upload.start-digest", query, headers=fields, payload=body, **o)
        )

    def mount(self, digest: str, source: str | None, *, safe: str = "", turned: bool = False, **o: Any) -> Response:
        """Ask for a blob of another repository (``locations.mount_query``)."""
        query = locations.mount_query(digest, source, safe=safe, turned=turned)
        return self._blob([digest], lambda: self._upload("upload.mount", query, **o))

    def patch_upload(
        self,
        location: str,
        body: Payload,
        content_range: str | None = None,
        *,
        media_type: str = "application/octet-stream",
        headers: tuple[Field, ...] = (),
        **o: Any,
    ) -> Response:
        """Send a chunk to an upload's absolute location; no Content-Range where it is ``None``."""
        fields = (("Content-Type", media_type), *content_range_of(content_range), *headers)
        return self._session("PATCH", location, headers=fields, payload=body, **o)

    def put_upload(  # each is a part of the request that some scenario varies
        self,
        location: str,
        digest: str | None,
        body: Payload = b"",
        content_range: str | None = None,
        *,
        typed: bool = True,
        headers: tuple[Field, ...] = (),
        **o: Any,
    ) -> Response:
        """Close an upload at its absolute location with a digest (none where it is ``None``), typed as bytes or not."""
        kind = (("Content-Type", "application/octet-stream"),) if typed else ()
        fields = (*kind, *content_range_of(content_range), *headers)
        url = with_query(location, "digest=" + quote(digest, safe="")) if digest is not None else location
        named = [d for d in (digest, *parse_qs(urlsplit(url).query).get("digest", ())) if d]
        return self._blob(
            list(dict.fromkeys(named)),
            lambda: self._session("PUT", location, url=url, headers=fields, payload=body, **o),
        )

    def get_upload(self, location: str, **o: Any) -> Response:
        """Ask for an upload's status."""
        return self._session("GET", location, **o)

    def cancel_upload(self, location: str, **o: Any) -> Response:
        """Cancel an upload."""
        return self._session("DELETE", location, **o)

    # -- discovery

    def list_tags(
        self, *, n: int | str | None = None, last: str | None = None, turned: bool = False, **o: Any
    ) -> Response:
        """List tags; ``turned`` puts ``last`` ahead of ``n``."""
        query = query_of(last=last, n=n) if turned else query_of(n=n, last=last)
        return self._send("GET", f"tags/list{query}", "tags.list", {}, **o)

    def referrers(self, digest: str, artifact_type: str | None = None, **o: Any) -> Response:
        """List the manifests whose subject is a digest."""
        path = f"referrers/{digest}" + query_of(artifactType=artifact_type)
        return self._send("GET", path, "referrers.list", {"digest": digest}, **o)

    def follow_link(self, response: Response, operation: str) -> Response | None:
        """Follow the ``rel=next`` Link of a page of this repository."""
        return self.registry.follow_link(response, operation, self.name)

    # -- how requests are made

    def _upload(self, operation: str, query: str, **o: Any) -> Response:
        response = self._send("POST", "blobs/uploads/" + query, operation, {}, **o)
        opened = response.ok if operation == "upload.start" else response.status == _OPENED
        if opened and (location := upload_location(response)):
            self.registry.journal.opened(self.name, location)
        return response

    def _session(self, method: str, location: str, **o: Any) -> Response:
        operation = f"upload.{method.lower()}"
        self.registry.guard.check(method, self.name, "")
        url = o.pop("url", location)
        response = self.registry.request(method, url, operation=operation, parameters={"name": self.name}, **o)
        ended = method == "DELETE" or (method == "PUT" and response.status != _OPENED)
        if response.status in _ENDED or (ended and response.ok):
            self.registry.journal.closed(location)
        elif response.ok and (following := upload_location(response)):
            self.registry.journal.moved(location, following)
        return response

    def _send(
        self, method: str, rest: str, operation: str, parameters: dict[str, str], *, at_once: bool = False, **o: Any
    ) -> Response:
        """Send a request; a 404 to what was just pushed is asked again as long as that may take, but ``at_once``."""
        path = f"/v2/{self.name}/{rest}"
        reference = parameters.get("reference") or parameters.get("digest", "")
        self.registry.guard.check(method, self.name, reference)
        reads = method in {"GET", "HEAD"} and not at_once
        return ask_until(
            self.registry.settling.left(self.name, reference) if reads else 0.0,
            lambda: self._once(method, path, operation, parameters, **o),
            lambda answer: answer.status != 404,  # Not Found
        )

    def _once(self, method: str, path: str, operation: str, parameters: dict[str, str], **o: Any) -> Response:
        return self.registry.request(
            method, path, operation=operation, parameters={"name": self.name, **parameters}, **o
        )


def next_link(response: Response) -> str | None:
    """Return the absolute target of the Link with ``rel=next`` (RFC 8288); ``None`` where there is none."""
    for value in response.headers.all("Link"):
        for target, parameters in parse_link(value) or []:
            if "next" in parameters.get("rel", "").lower().split():
                return _joined(response.url, target)
    return None


def _joined(base: str, target: str) -> str | None:
    try:
        return urljoin(base, target)
    except ValueError:  # a host that is none
        return None


def parse_link(value: str) -> list[tuple[str, dict[str, str]]] | None:
    """Parse a Link header into targets and parameters; ``None`` where its syntax is wrong (RFC 8288, 3)."""
    found: list[tuple[str, dict[str, str]]] = []
    rest = value.strip()
    while rest:
        if not rest.startswith("<") or ">" not in rest:
            return None
        target, _, rest = rest[1:].partition(">")
        parameters: dict[str, str] = {}
        rest = rest.lstrip()
        while rest.startswith(";"):
            name, text, rest = _parameter(rest[1:].lstrip())
            if name:
                parameters.setdefault(name, text)
        found.append((target, parameters))
        if rest and not rest.startswith(","):
            return None
        rest = rest.lstrip(", \t")
    return found


def _parameter(text: str) -> tuple[str, str, str]:
    """Read one link parameter; returns its name, its value and what follows."""
    end = min((i for i in (text.find(c) for c in "=;,") if i >= 0), default=len(text))
    name = text[:end].strip().lower()
    rest = text[end:]
    if not rest.startswith("="):
        return name, "", rest
    rest = rest[1:].lstrip()
    if rest.startswith('"'):
        closing = rest.find('"', 1)
        closing = closing if closing > 0 else len(rest)
        return name, rest[1:closing], rest[closing + 1 :].lstrip()
    end = min((i for i in (rest.find(c) for c in ";,") if i >= 0), default=len(rest))
    return name, rest[:end].strip(), rest[end:]


def _accept(accept: str | tuple[str, ...] | None) -> tuple[Field, ...]:
    values = (accept,) if isinstance(accept, str) else accept or ()
    return tuple(("Accept", value) for value in values)
