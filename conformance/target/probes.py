"""Find out which optional parts a target has, with a few requests before the scenarios.

A part is absent only where the target says so in a way that the specification gives it, and
contradicts it nowhere; anything else counts as present, a breakdown (5xx) too, and the scenarios
judge it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from conformance.client.http.exchange import Response
from conformance.client.login.challenge import parse_challenges
from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, Repository, upload_location
from conformance.client.tokens import TokenService, token_of
from conformance.target import preflight
from conformance.target.content import Blob, Manifest, digest_of, docker_image, index
from conformance.target.ordinary_requests import kind_of
from conformance.target.session import Repositories, Session
from conformance.target.setup import SetUp
from conformance.verdict.judge import Verdictless
from conformance.verdict.presence import served
from spec.model import Withheld

_OK = 200
_ACCEPTED = 202
_NOT_FOUND = 404
_INTERNAL_ERROR = 500
_REFUSED_METHOD = frozenset({405, 501})
_DISABLED = frozenset({400, 401, 403, 405, 501})
#: How access control refuses a read.
_KEPT_FROM = frozenset({401, 403})
_NO_CATALOG = frozenset({401, 403, 404, 405, 501})


def _declined(answer: Response) -> bool:
    """Whether an answer shows that a part is absent: a refusal, or 501."""
    return answer.refused or answer.status in _REFUSED_METHOD


def probe(session: Session) -> None:
    """Find out for each capability whether the target shows it; unknown ones are absent.

    Raises:
        UsageError: the target takes no pushes, and nothing that is there already was named.
    """
    # The owner who gives a listener says that the target was told to post to it.
    found = {"pagination": True, "notifications": True, "oauth": False, "redirects": False}
    found |= _challenge(session)
    found["extensions"] = _offers(session.registry.request("GET", "/v2/_oci/ext/discover"))
    found["catalog"] = session.registry.catalog(n=1).status not in _NO_CATALOG
    writes = dict.fromkeys(
        (
            "push",
            "chunked",
            "single-post",
            "mount",
            "upload-status",
            "upload-cancel",
            "sha512",
            "docker-manifests",
            "tag-parameters",
            "delete-tag",
            "delete-manifest",
            "delete-blob",
            "repository-on-push",
        ),
        False,
    )
    capabilities = session.capabilities
    if session.settings.read_only:
        capabilities.unknown |= dict.fromkeys(writes, Withheld.WRITING)
    else:
        found |= writes | _Probes(session, Repositories(session, "capabilities")).run()
        if len(session.settings.repositories) == 1:
            capabilities.unknown |= {"mount": Withheld.REPOSITORIES}
        if session.settings.repositories:
            capabilities.unknown |= {"repository-on-push": Withheld.REPOSITORIES}
    capabilities.accepted = {kind_of(e) for e in session.client.exchanges if e.response is not None and e.response.ok}
    if session.mailbox is None:
        capabilities.unknown |= {"notifications": Withheld.LISTENER}
    capabilities.probed = {name: there for name, there in found.items() if name not in capabilities.unknown}
    session.client.pull_only = session.reads_only
    if session.reads_only:
        existing = _reads_existing(session)
        capabilities.probed |= existing
        capabilities.unknown = {name: why for name, why in capabilities.unknown.items() if name not in existing}


def _challenge(session: Session) -> dict[str, bool]:
    answer = session.registry.base(authenticate=False, follow=False)
    schemes = {c.scheme for c in parse_challenges(answer.headers.all("WWW-Authenticate"), lenient=True) or []}
    found = {"basic": "basic" in schemes, "token": "bearer" in schemes, "anonymous": answer.ok}
    service, credentials = TokenService.of(session.client, answer), session.settings.credentials
    if service is None:
        return found
    if credentials is None or not service.may_learn_passwords:
        session.capabilities.unknown["oauth"] = Withheld.ACCOUNTS
        return found
    name = (*session.settings.repositories, f"{session.settings.namespace}/probe")[0]
    setup = service.by_password(credentials, scope=f"repository:{name}:pull")
    # A token that comes with another success is one that comes wrongly, not one that does not come.
    broken_down = setup.status >= _INTERNAL_ERROR and setup.status not in _REFUSED_METHOD
    return found | {"oauth": setup.status == _OK or broken_down or (setup.ok and token_of(setup) is not None)}


def _offers(answer: Response) -> bool:
    """Whether a rare endpoint is there: a breakdown shows it, a redirect does not."""
    return answer.ok or (answer.status >= _INTERNAL_ERROR and answer.status not in _REFUSED_METHOD)


def _reads_existing(session: Session) -> dict[str, bool]:
    existing = session.existing
    repo = Repository(session.registry, existing.home)
    try:
        manifest = existing.image(existing.home)
        docker = any(item.manifest.media_type in {DOCKER_MANIFEST, DOCKER_LIST} for item in existing.items)
    except Verdictless:
        return {}
    found = _reads(repo, manifest.blobs[0] if manifest.blobs else None, manifest.digest)
    return found | ({"docker-manifests": True} if docker else {})


def _reads(repo: Repository, blob: Blob | None, digest: str) -> dict[str, bool]:
    """Probe what reading alone can show."""
    ranges = True
    if blob is not None and len(blob.content) > 1:
        ranges = not served(repo.get_blob(blob.digest, headers=(("Range", "bytes=0-0"),)), blob.content)
    listed = repo.referrers(digest)
    return {"ranges": ranges, "referrers": not _declined(listed)}


class _Probes:
    """The probes of a target that may be written to; each builds on the ones before."""

    def __init__(self, session: Session, repositories: Repositories) -> None:
        self._session = session
        self.setup: SetUp = session.setup("capabilities")
        self.repo = repositories()
        self.other = repositories("b") if len(session.settings.repositories) != 1 else self.repo
        self.found: dict[str, bool] = {}

    def run(self) -> dict[str, bool]:
        """Run all probes; if the set-up of one breaks, its parts count as present."""
        start = self.repo.start_upload()
        self.found["push"] = start.status not in _REFUSED_METHOD
        self.found["repository-on-push"] = start.status != _NOT_FOUND
        preflight.check_push(self._session, self.repo.name, start)
        if not self.found["push"]:
            return self.found
        for step in (self._uploads, self._single_post, self._sha512, self._content):
            self._tolerate(step)
        return self.found

    def _tolerate(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Verdictless:
            return

    def _uploads(self) -> None:
        self.found |= {"chunked": True, "upload-status": True, "upload-cancel": True}
        location = self.setup.upload(self.repo)
        patch = self.repo.patch_upload(location, b"a", "0-0")
        self.found["chunked"] = patch.status not in _REFUSED_METHOD
        location = upload_location(patch) or location
        self.found["upload-status"] = self.repo.get_upload(location).status not in _REFUSED_METHOD
        self.found["upload-cancel"] = self.repo.cancel_upload(location).status not in _REFUSED_METHOD

    def _single_post(self) -> None:
        blob = self.setup.make.blob()
        answer = self.repo.upload_single(blob.digest, blob.content)
        self.found["single-post"] = answer.status != _ACCEPTED and not _declined(answer)

    def _sha512(self) -> None:
        content = self.setup.make.bytes()
        digest = digest_of(content, "sha512")
        answer = self.repo.put_upload(self.setup.upload(self.repo), digest, content)
        # No profile asks for more than that it may be; how what is not known is refused has
        # requirements of its own.
        self.found["sha512"] = answer.ok

    def _content(self) -> None:
        """Probe mount, ranges, manifests and deletion on one small image."""
        self.found |= dict.fromkeys(
            ("mount", "ranges", "referrers", "docker-manifests", "delete-tag", "delete-manifest", "delete-blob"), True
        )
        self.found["tag-parameters"] = False
        manifest = self.setup.image(self.repo)
        blob = manifest.blobs[0]
        if self.other is not self.repo:
            answer = self.other.mount(blob.digest, self.repo.name)
            self.found["mount"] = answer.status != _ACCEPTED and not _declined(answer)
        self.found |= _reads(self.repo, blob, manifest.digest)
        if not self.found["referrers"]:
            self.found["referrers"] = self._keeps_subjects(manifest)
        docker = Manifest.of(docker_image(blob, [blob]), DOCKER_MANIFEST)
        answer = self.repo.put_manifest(docker.digest, docker.body, docker.media_type)
        self.found["docker-manifests"] = not _declined(answer)
        tagged = Manifest.of(json.dumps(index([manifest.descriptor()])).encode(), OCI_INDEX)
        tag = self.setup.make.tag()
        answer = self.repo.put_manifest(tagged.digest, tagged.body, tagged.media_type, query=f"?tag={tag}")
        told = "OCI-Tag" in answer.headers
        self.found["tag-parameters"] = told or (answer.ok and self.repo.head_manifest(tag, OCI_INDEX).status == _OK)
        extra = self.setup.make.tag()
        self.setup.manifest(self.repo, manifest, extra)
        self.found["delete-tag"] = self.repo.delete_manifest(extra).status not in _DISABLED
        self.found["delete-manifest"] = self.repo.delete_manifest(manifest.digest).status not in _DISABLED
        self.found["delete-blob"] = self.repo.delete_blob(blob.digest).status not in _DISABLED

    def _keeps_subjects(self, manifest: Manifest) -> bool:
        """Whether a push with a subject is acknowledged, where this client may not list referrers.

        404 is how an absent list is told; that OCI-Subject is sent beside it has a requirement of
        its own.
        """
        if self.repo.referrers(manifest.digest).status not in _KEPT_FROM:
            return False
        referrer = self.setup.unpushed_image(manifest.blobs, subject=manifest.descriptor())
        return "OCI-Subject" in self.repo.put_manifest(referrer.digest, referrer.body).headers
