"""What the exchanges of one scenario show of content, whoever asked and in whichever order."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from conformance.client.digests import is_digest_of, well_formed
from conformance.client.http.exchange import Exchange, Response

OK, CREATED, ACCEPTED, PARTIAL, NOT_MODIFIED = 200, 201, 202, 206, 304
#: Bodies of this type are signed, and their digest leaves the signatures out.
_SIGNED = "application/vnd.docker.distribution.manifest.v1"
#: What a coded body may become at most; a longer one is not looked at.
_MOST = 16 * 1024 * 1024
#: The codings that can be undone here (RFC 9110, 8.4.1).
_ZLIB = {"gzip": 31, "x-gzip": 31, "deflate": 15}


@dataclass(frozen=True, slots=True)
class Breach:
    """What an exchange contradicts; ``evidence`` ends with that exchange, after those that it contradicts."""

    requirement: str
    expected: str
    actual: str
    evidence: tuple[Exchange, ...] = field(repr=False)


@dataclass(slots=True)
class _Pushes:
    """What was sent to one tag: bodies and their types, whether accepted or not."""

    bodies: list[bytes] = field(default_factory=list)
    types: set[str] = field(default_factory=set)
    #: Something was sent whose bytes are not recorded.
    unknown: bool = False


class Facts:
    """Content by digest, types by repository and digest, bodies by repository and tag.

    Content is believed only after its digest was computed, and that is done at need: where something differs.
    """

    def __init__(self, exchanges: Iterable[Exchange], shared: bool = False) -> None:
        #: Others write to the repositories too, so that a tag may lead to what they pushed.
        self.shared = shared
        self._candidates: dict[str, tuple[bytes, Exchange]] = {}
        self._checked: dict[str, bool] = {}
        self._types: dict[tuple[str, str], dict[str, Exchange]] = {}
        self._tags: dict[tuple[str, str], _Pushes] = {}
        #: Since which exchange a repository has content, and which types GET has named, by repository and digest.
        self._there: dict[tuple[str, str], int] = {}
        self._named: dict[tuple[str, str], set[str]] = {}
        self._order: dict[int, int] = {}
        self._deleted: set[tuple[str, str]] = set()
        pulls: list[Exchange] = []
        for number, exchange in enumerate(exchanges):
            self._order[id(exchange)] = number
            if exchange.operation == "manifest.put":
                self._put_manifest(exchange)
            elif exchange.operation in {"upload.put", "upload.start-digest"}:
                self._put_blob(exchange)
            elif exchange.operation in {"blob.get", "manifest.get"}:
                pulls.append(exchange)
            elif exchange.operation in {"blob.delete", "manifest.delete"}:
                self._deleted.add(_thing(exchange))
            elif exchange.operation == "upload.mount" and _answered(exchange, CREATED):
                self._acknowledge(exchange, *asked(exchange, "mount"))
        # What was pushed is believed before what was pulled.
        for exchange in pulls:
            self._got(exchange)

    def learn(self, digest: str, content: bytes, exchange: Exchange) -> None:
        """Take over bytes whose digest was computed."""
        self._candidates[digest.lower()] = content, exchange
        self._checked[digest.lower()] = True

    def _guess(self, digest: str, content: bytes, exchange: Exchange) -> None:
        """Note bytes that may be those of a digest."""
        self._candidates.setdefault(digest.lower(), (content, exchange))

    def content(self, digest: str) -> tuple[bytes, Exchange] | None:
        """Return the bytes of a digest and the exchange that had them; ``None`` where no exchange did."""
        digest = digest.lower()
        found = self._candidates.get(digest)
        if found is None:
            return None
        if digest not in self._checked:
            self._checked[digest] = is_digest_of(digest, found[0]) is True
        return found if self._checked[digest] else None

    def candidate(self, digest: str) -> bytes | None:
        """Return bytes that may be those of a digest, to compare with before it is computed."""
        found = self._candidates.get(digest.lower())
        return found[0] if found else None

    def there(self, name: str, digest: str, exchange: Exchange) -> bool:
        """Whether a repository certainly held content at an exchange: it had it, and was never asked to delete it."""
        thing = name, digest.lower()
        since = self._there.get(thing)
        return since is not None and since < self._order.get(id(exchange), 0) and thing not in self._deleted

    def named(self, name: str, digest: str) -> set[str]:
        """Return the types that GET has named for a manifest."""
        return self._named.get((name, digest.lower()), set())

    def types(self, name: str, digest: str) -> dict[str, Exchange]:
        """Return the types under which a manifest was accepted, each with its push; nothing where one had none."""
        found = self._types.get((name, digest.lower()), {})
        return {} if "" in found else found

    def pushes(self, name: str, tag: str) -> _Pushes | None:
        """Return what was sent to a tag in whatever case; ``None`` where that is not known for certain."""
        found = None if self.shared else self._tags.get((name, tag.lower()))
        return None if found is None or found.unknown else found

    def _put_manifest(self, exchange: Exchange) -> None:
        name, reference = exchange.parameters.get("name", ""), exchange.parameters.get("reference", "")
        body = exchange.request.body
        media_type = bare(exchange.request.headers.get("Content-Type") or "")
        tags = [] if ":" in reference else [reference]
        for tag in tags + asked(exchange, "tag"):
            pushes = self._tags.setdefault((name, tag.lower()), _Pushes())
            pushes.types.add(media_type)
            if body is None:
                pushes.unknown = True
            else:
                pushes.bodies.append(body)
        if body is None:
            return
        own = "sha256:" + hashlib.sha256(body).hexdigest()
        for digest in dict.fromkeys((own, reference.lower()) if ":" in reference else (own,)):
            self._guess(digest, body, exchange)
            if _answered(exchange, CREATED):
                self._acknowledge(exchange, digest)
                self._types.setdefault((name, digest), {}).setdefault(media_type, exchange)

    def _put_blob(self, exchange: Exchange) -> None:
        digests = asked(exchange, "digest")
        if _answered(exchange, CREATED):
            self._acknowledge(exchange, *digests)
        if exchange.request.body is not None:
            for digest in digests:
                self._guess(digest, exchange.request.body, exchange)

    def _got(self, exchange: Exchange) -> None:
        response, digest = exchange.response, _thing(exchange)[1]
        if response is None or not _answered(exchange, OK):
            return
        if exchange.operation == "manifest.get":
            self._named.setdefault((_thing(exchange)[0], response.content_digest()), set()).add(response.media_type)
        if ":" not in digest:
            return
        self._acknowledge(exchange, digest)
        if not response.streamed:
            self._guess(digest, response.body, exchange)

    def _acknowledge(self, exchange: Exchange, *digests: str) -> None:
        for digest in digests:
            thing = exchange.parameters.get("name", ""), digest.lower()
            self._there[thing] = min(self._order[id(exchange)], self._there.get(thing, self._order[id(exchange)]))


def _thing(exchange: Exchange) -> tuple[str, str]:
    """Return the repository of a request, and the digest or tag."""
    parameters = exchange.parameters
    return parameters.get("name", ""), (parameters.get("digest") or parameters.get("reference", "")).lower()


def _answered(exchange: Exchange, status: int) -> bool:
    return exchange.response is not None and exchange.response.status == status and not exchange.error


def bare(content_type: str) -> str:
    """Return a media type without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def asked(exchange: Exchange, parameter: str) -> list[str]:
    """Return the values of a query parameter of a request."""
    return parse_qs(urlsplit(exchange.request.url).query).get(parameter, [])


def sound(digest: str) -> bool:
    """Whether a text is a digest of a registered algorithm."""
    return digest.startswith(("sha256:", "sha512:")) and well_formed(digest)


def digest_told(response: Response) -> str:
    """Return the Docker-Content-Digest of an answer; empty where it is absent, repeated or none that can be checked."""
    values = response.headers.all("Docker-Content-Digest")
    digest = values[0].strip() if len(values) == 1 else ""
    return digest if sound(digest) else ""


def same_algorithm(one: str, other: str) -> bool:
    """Whether two digests can be compared by their text."""
    return one.partition(":")[0] == other.partition(":")[0]


def same(one: str, other: str) -> bool:
    """Whether two digests of one algorithm are equal; hexadecimal digits have no case of their own."""
    return one.lower() == other.lower()


def is_signed(media_type: str, content: bytes = b"") -> bool:
    """Whether a manifest is of schema 1, whose digest is not that of its bytes; it may come as any JSON."""
    return media_type.startswith(_SIGNED) or b'"fsLayers"' in content


def coding_of(response: Response) -> str:
    """Return the content coding of an answer in lower case; empty where there is none."""
    coding = (response.header("Content-Encoding") or "").strip().lower()
    return "" if coding == "identity" else coding


def is_of(digest: str, response: Response) -> bool | None:
    """Tell whether a digest is that of the bytes that came; ``None`` where that cannot be told."""
    if response.streamed:
        return same(digest, response.digest) if same_algorithm(digest, response.digest) else None
    return is_digest_of(digest, response.body)


def decoded(response: Response) -> bytes | None:
    """Return a body with its coding undone; ``None`` where that cannot be done here, or the coding is not true."""
    wbits = _ZLIB.get(coding_of(response))
    if wbits is None or response.streamed:
        return None
    try:
        undoing = zlib.decompressobj(wbits)
        content = undoing.decompress(response.body, _MOST)
    except zlib.error:
        return None
    return content if undoing.eof else None
