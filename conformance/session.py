"""One process's session with the target: the client, its repositories, and what is known of the target."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from .client.authentication import Authenticator
from .client.client import Client
from .client.redaction import Redactor
from .client.registry import Registry, Repository
from .client.transport import Transport, TransportOptions
from .content import Blob, Maker, Manifest
from .contract import Contract
from .given import ANY_MANIFEST, Given
from .judge import Blocked, NotTested, Undecided
from .settings import Settings

USER_AGENT = "registry-conformance/0.1"
_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 48
#: Threads that remove what the run made.
_CLEANERS = 4


@dataclass(slots=True)
class Capabilities:
    """Which optional parts the target has: what the probes saw, and what its owner declares."""

    probed: dict[str, bool] = field(default_factory=dict)
    declared: dict[str, bool] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Return whether a part is there; the owner's word goes before the probe's."""
        return self.declared.get(name, self.probed.get(name, True))


class Session:
    """Everything that the scenarios of one process share."""

    def __init__(self, settings: Settings, capabilities: Capabilities | None = None) -> None:
        self.settings = settings
        self.redactor = Redactor()
        options = TransportOptions(settings.timeout, settings.ca_bundle, settings.insecure)
        self.transport = Transport(options, USER_AGENT)
        self.client = self.new_client()
        self.registry = Registry(self.client, settings.settle)
        self.capabilities = capabilities or Capabilities(declared=dict(settings.capabilities))
        self.repositories: list[Repository] = []
        self._existing: Manifest | None = None
        self._contract: Contract | None = None

    @property
    def contract(self) -> Contract:
        """The passive contract check, loaded when it is first needed."""
        if self._contract is None:
            self._contract = Contract.load("kinds" if self.settings.effort == "thorough" else "breaches")
        return self._contract

    def new_client(self, anonymous: bool = False) -> Client:
        """Return a client of its own record, with the owner's credentials or without any."""
        credentials = None if anonymous else self.settings.credentials
        authenticator = Authenticator(credentials, self.redactor, self.settings.url)
        client = Client(self.settings.url, self.transport, authenticator, self.redactor)
        client.read_only = self.settings.read_only
        return client

    def clean_up(self) -> None:
        """Remove what the scenarios made, unless the owner wants it kept or the target ends with the run.

        Only now, so that no removal can touch what another scenario still looks at.
        """
        settings = self.settings
        if settings.keep or settings.embedded or settings.read_only:
            return
        with ThreadPoolExecutor(_CLEANERS) as pool:
            for repository in self.repositories:
                pool.submit(self._remove, repository)
        self.repositories.clear()

    def _remove(self, repository: Repository) -> None:
        """Delete manifests before the blobs that they name; a refusal is no concern."""
        made = repository.made
        if self.capabilities.has("delete-manifest"):
            for digest in dict.fromkeys(reversed(made["manifest"])):
                repository.delete_manifest(digest)
        if self.capabilities.has("delete-blob"):
            for digest in dict.fromkeys(made["blob"]):
                repository.delete_blob(digest)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def given(self, node: str) -> Given:
        """Return the set-up for one scenario; its content depends on the seed and the scenario alone."""
        maker = Maker(f"{self.settings.seed}:{node}")
        return Given(maker, self.settings, self._read_existing if self.settings.read_only else None)

    def _read_existing(self, repo: Repository) -> Manifest:
        """Pull, once, the image that ``--existing`` names."""
        if self._existing is None:
            name, _, tag = self.settings.existing.rpartition(":")
            home = Repository(self.registry, name)
            answer = home.get_manifest(tag, ANY_MANIFEST)
            if answer.status != 200:  # OK
                raise Undecided(f"the image of --existing cannot be pulled (status {answer.status})")
            blobs = tuple(_pull_blobs(home, answer.json))
            manifest = Manifest.of(answer.body, answer.media_type, blobs)
            self._existing = Manifest(manifest.body, manifest.media_type, manifest.digest, tag, blobs)
        if repo.name != self.settings.existing.rpartition(":")[0]:
            raise NotTested("the target is read-only")
        return self._existing


def _pull_blobs(repo: Repository, document: object) -> list[Blob]:
    """Pull the smallest blob of a manifest, which stands in for pushed ones."""
    if not isinstance(document, dict):
        return []
    layers = document.get("layers")
    candidates = [document.get("config"), *(layers if isinstance(layers, list) else [])]
    sized = [d for d in candidates if isinstance(d, dict) and isinstance(d.get("size"), int) and "digest" in d]
    for descriptor in sorted(sized, key=lambda d: int(d["size"]))[:1]:
        answer = repo.get_blob(str(descriptor["digest"]))
        if answer.status != 200:  # OK
            raise Blocked("PULL-BLOB-GET-200", "status 200 to the pull of an existing blob", answer)
        return [Blob(answer.body, str(descriptor["digest"]))]
    return []


class Repositories:
    """Hands out the repositories of one scenario; names tell the run and the scenario apart."""

    def __init__(self, session: Session, node: str) -> None:
        settings = session.settings
        self._session = session
        self._made: list[Repository] = []
        #: Below this prefix any name belongs to this run.
        self.prefix = f"{settings.namespace}/{settings.run_id}"
        test = node.rpartition("::")[2].removeprefix("test_")
        self._slug = _SLUG.sub("-", test.lower()).strip("-")[:_SLUG_LENGTH].strip("-")

    def __call__(self, suffix: str = "", *, nested: bool = False, fresh: bool = False) -> Repository:
        """Return a repository of the scenario's own, or one that the owner fixed.

        Raises:
            NotTested: ``fresh`` or ``nested`` is asked for but the names are fixed.
        """
        settings = self._session.settings
        if settings.read_only:
            if fresh or nested:
                raise NotTested("the target is read-only")
            return self.named(settings.existing.rpartition(":")[0])
        if settings.repositories:
            if fresh or nested:
                raise NotTested("the owner fixed the repositories")
            taken = {repository.name for repository in self._made}
            free = [name for name in settings.repositories if name not in taken or not suffix]
            if not free:
                raise NotTested("the owner fixed too few repositories")
            return self.named(free[0])
        joint = "/" if nested else "-"
        return self.named(f"{self.prefix}-{self._slug}" + (f"{joint}{suffix}" if suffix else ""))

    def named(self, name: str) -> Repository:
        """Return the repository of an exact name."""
        repository = Repository(self._session.registry, name)
        self._made.append(repository)
        self._session.repositories.append(repository)
        return repository


def check_writable(settings: Settings) -> None:
    """Make the report folder and see that it can be written to.

    Raises:
        UsageError: it cannot.
    """
    folder = settings.report
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise pytest.UsageError(f"--report: the folder {folder} cannot be written to ({error.strerror})") from None
