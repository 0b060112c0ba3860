"""Refusals by policy: one rule for set-ups, scenarios and the search.

A registry may refuse a push or a deletion because its owner wants it so: a quota, a limit of size, tags of certain
names, a retention rule. Such a refusal accuses nobody. A broken registry must not hide behind that, so that a
refusal counts as a policy only where the same target shows it in the ordinary way:

- the answer has the form of one: a 4xx among `STATUSES`, or with a code among `CODES`; 404 and 5xx never have it;
- an ordinary request of the same kind, sent to the same repository as a control, is refused with the same status,
  or one that has in common with the first only what is unusual of it: its size, its types, the form of its tag.

What is full in one repository and not in another is an occasion that did not arise (`Unsupported`). What is
refused everywhere, after the target had taken it before, leaves the rest undecided. What the target never took is
no policy but the answer to the ordinary request, and is judged.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from typing import Any

from conformance.client.http.exchange import Exchange, Response
from conformance.client.registry import OCI_INDEX, Registry, Repository
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
from conformance.target.content import DOCKER_CONFIG, DOCKER_LAYER, OCI_CONFIG, OCI_LAYER
from conformance.target.ordinary_requests import OrdinaryRequests, kind_of
from conformance.verdict.judge import Control, Undecided, Unsupported, Verdictless
from spec import grammar

#: Rights, methods that are switched off, conflicts with what is there, sizes, rates, the law.
STATUSES = frozenset({401, 403, 405, 409, 413, 429, 451})
#: What other refusals say of rights, of what is switched off and of rates.
CODES = frozenset({"DENIED", "UNAUTHORIZED", "UNSUPPORTED", "TOOMANYREQUESTS"})
#: The statuses, and the code, that speak of rights alone.
_RIGHTS = frozenset({401, 403, 451})
_NOT_FOUND = 404
#: How a push to an immutable tag is refused, besides (`docs/latitude.md`, TAG-IMMUTABLE).
_IMMUTABLE = frozenset({400, 412})
#: Bytes of ordinary blobs; up to which a limit of size is none; and above which nothing is sent only to see it refused.
_TINY, _SMALL, _LARGE = 64, 64 * 1024, 16 * 1024 * 1024
_PARTS = frozenset({"upload.patch", "upload.put"})
_END = re.compile("(?:bytes=)?[0-9]{1,15}-([0-9]{1,15})")
_ORDINARY_TAG = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_IMAGE_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG, OCI_LAYER, f"{OCI_LAYER}+gzip", DOCKER_LAYER})


def may_be(answer: Response) -> bool:
    """Tell whether an answer has the form of a refusal by policy; a 404 says that something is not there."""
    if not answer.refused or answer.status == _NOT_FOUND or answer.failure or answer.withheld:
        return False
    return answer.status in STATUSES or bool(CODES & set(answer.error_codes or ()))


def is_denied(answer: Response) -> bool:
    """Tell whether an answer is a refusal that speaks of rights, and not of what the target is able to do."""
    return may_be(answer) and (answer.status in _RIGHTS or "DENIED" in (answer.error_codes or ()))


def is_immutable(answer: Response) -> bool:
    """Tell whether a tag that another manifest has, or had, is refused as one that never moves."""
    return may_be(answer) or (answer.refused and answer.status in _IMMUTABLE)


class Policy:
    """Tells refusals that a target's owner wants from those that the target makes wrongly."""

    def __init__(self, registry: Registry, settings: Settings, capabilities: Capabilities) -> None:
        self._registry = registry
        self._settings = settings
        self._capabilities = capabilities
        self._count = 0

    def check(self, answer: Response, control: Control | None = None) -> None:
        """End a scenario at a refusal by policy; ``control`` does in sequence what was tried in a harder way.

        Raises:
            Unsupported: it is one, of this repository, of this kind of content, or of this deletion.
            Undecided: the target takes nothing of the kind any more.
        """
        found = self.found(answer, control)
        if found is not None:
            raise found

    def found(self, answer: Response, control: Control | None = None) -> Verdictless | None:
        """Return what a scenario ends with where an answer is a refusal by policy, ``None`` where it is none."""
        exchange = _asked(answer)
        kind = kind_of(exchange) if exchange is not None else ""
        if not (may_be(answer) or (kind.endswith(".delete") and answer.refused and answer.status != _NOT_FOUND)):
            return None
        if exchange is None or kind not in OrdinaryRequests.KINDS:
            return None
        name = exchange.parameters["name"]
        if not grammar.matches(grammar.NAME, name):
            # It is refused for what it is.
            return None
        if control is not None and _same(control(), answer):
            return Unsupported(f"it is refused in the ordinary way as well (status {answer.status})")
        ordinary = self._ordinary(name)
        shown = ordinary.ask(kind)
        if _same(shown, answer):
            return self._of_the_place(kind, name, answer)
        # A place that is full tells nothing of this request, which may break a second policy.
        return self._of_the_kind(kind, name, exchange, answer) if shown.ok or may_be(shown) else None

    def _uploaded(self, name: str, last: Exchange) -> int:
        """Return how many bytes an upload has at most: its last body, what was streamed, or what a chunk ends at."""
        exchanges = self._registry.client.exchanges
        parts = [e for e in exchanges if e.operation in _PARTS and e.parameters.get("name") == name]
        # Of a stream whose length nobody announced, the answer tells how much came.
        said = [e.request.headers.get("Content-Range") for e in parts]
        said += [e.response.headers.get("Range") for e in parts if e.response is not None]
        ends = [_END.fullmatch((text or "").strip()) for text in said]
        return max(_size(last), *map(_size, parts), *(int(end[1]) + 1 for end in ends if end is not None), 0)

    def ordinary(self, repo: Repository) -> OrdinaryRequests:
        """Return the ordinary requests of a repository, as controls."""
        return self._ordinary(repo.name)

    def _of_the_place(self, kind: str, name: str, answer: Response) -> Verdictless | None:
        """Return what an ordinary request that is refused means: here, or everywhere."""
        told = f"status {answer.status}"
        if kind.endswith(".delete"):
            return Unsupported(f"the target refuses such deletions ({told})")
        elsewhere = self._elsewhere(name)
        if elsewhere is not None and elsewhere.ask(kind).ok:
            return Unsupported(f"the target takes no more of it in {name} ({told})")
        if kind in self._capabilities.accepted:
            return Undecided(f"the target takes no more of it anywhere ({told}), though it did before")
        return None

    def _of_the_kind(self, kind: str, name: str, exchange: Exchange, answer: Response) -> Verdictless | None:
        """Return what a refusal means where ordinary requests are taken: something about this one is not wanted."""
        size = self._uploaded(name, exchange) if kind.startswith("upload.") else 0
        if _TINY < size <= _LARGE and self._shown(name, answer, lambda place: place.ask(kind, size=size)):
            told = f"the target takes no {size} bytes (status {answer.status})"
            return Unsupported(told) if size > _SMALL else Undecided(f"{told}, though fewer")
        if _TINY < size <= _LARGE and _same(self._ordinary(name).ask(kind, size=size), answer):
            return Unsupported(f"the target takes no {size} bytes more in {name} (status {answer.status})")
        if not kind.endswith("manifest.put") or not is_denied(answer):
            return None
        types = _unusual_types(exchange.request.body)
        if types and self._shown(name, answer, lambda place: place.image(None, types)):
            return Unsupported(f"the target takes no manifests of such types (status {answer.status})")
        tag = exchange.parameters.get("reference", "")
        unusual = ":" not in tag and not _ORDINARY_TAG.fullmatch(tag)
        if unusual and self._shown(name, answer, lambda place: place.image(place.tag_like(tag))):
            return Unsupported(f"the target takes no tags such as {tag[:40]} (status {answer.status})")
        return None

    def _shown(self, name: str, answer: Response, ask: Callable[[OrdinaryRequests], Response]) -> bool:
        """Tell whether a repository that nothing else uses refuses what is asked in the same way.

        Controls fill a repository, too: where one is refused otherwise, a new repository is asked.
        """
        control = ask(self._elsewhere(name) or self._ordinary(name))
        if not _same(control, answer) and may_be(control):
            control = ask(self._elsewhere(f"{name}:{self._count}") or self._ordinary(name))
        return _same(control, answer)

    def _ordinary(self, name: str) -> OrdinaryRequests:
        self._count += 1
        seed = f"{self._settings.seed}:policy:{name}:{self._count}"
        return OrdinaryRequests(Repository(self._registry, name), seed)

    def _elsewhere(self, name: str) -> OrdinaryRequests | None:
        """Return the requests of a repository that nothing else uses; ``None`` where the owner fixed them."""
        return None if self._settings.repositories else self._ordinary(self._control(name))

    def _control(self, name: str) -> str:
        return f"{self._settings.namespace}/{self._settings.run_id}-control-{zlib.crc32(name.encode()):08x}"

    def control(self, repo: Repository) -> Repository:
        """Return the repository in which what one refuses is tried in the ordinary way."""
        return repo if self._settings.repositories else Repository(self._registry, self._control(repo.name))


def _asked(answer: Response) -> Exchange | None:
    """Return the exchange of an operation that an answer comes from; the target of a redirect is none."""
    return next((exchange for exchange in reversed(answer.trail) if exchange.operation), None)


def _same(control: Response, answer: Response) -> bool:
    return control.status == answer.status and may_be(control) == may_be(answer)


def _size(exchange: Exchange) -> int:
    """Return the size of a request's body; of one that was streamed, what was announced of it."""
    announced = (exchange.request.headers.get("Content-Length") or "").strip()
    return exchange.request.size or (int(announced) if announced.isascii() and announced.isdigit() else 0)


def _unusual_types(body: bytes | None) -> dict[str, Any]:
    """Return what of a manifest is not of an image: the types of its configuration, its layers and itself."""
    try:
        document = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict):
        return {}
    found = {"artifactType": document["artifactType"]} if document.get("artifactType") else {}
    if document.get("mediaType") == OCI_INDEX:
        return found | {"index": True} if found else {}
    parts = {"config_type": [document.get("config")], "layer_type": document.get("layers") or []}
    for name, descriptors in parts.items():
        types = [d.get("mediaType") for d in descriptors if isinstance(d, dict)]
        others = [other for other in types if isinstance(other, str) and other not in _IMAGE_TYPES]
        if others:
            found[name] = others[0]
    return found
