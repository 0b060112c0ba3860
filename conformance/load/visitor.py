"""A user of a registry: pushes images, pulls them, lists, mounts and deletes, and knows what has to come of it."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conformance.client.client import WriteForbidden
from conformance.client.http.exchange import Exchange, Response
from conformance.client.registry import Repository, next_link
from conformance.load.judging import failure_of, judge
from conformance.load.plan import Post
from conformance.target.content import Blob, Maker, Manifest
from conformance.target.lists import tags_of
from conformance.target.setup import ACCEPTED, CREATED, SetUp
from conformance.verdict.judge import Blocked, Verdictless

#: Told of each exchange: it, and what is said against it (a requirement, or why nobody is blamed); else empty.
Told = Callable[[Exchange, str], None]
#: Without these the deed makes no sense at a target.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "pull": ("push",),
    "push": ("push",),
    "list": ("push",),
    "mount": ("push", "mount"),
    "delete": ("push", "delete-manifest"),
}
#: Of so many lists, one is the catalogue.
_CATALOGUE = 4
#: Repositories on a page of it.
_PAGE = 100
#: Pages of a list of tags that a user looks at.
_PAGES = 5
_NOT_FOUND = 404
#: Images of a process that its users pull from each other.
_SHELF = 50


@dataclass(frozen=True, slots=True)
class _Image:
    """An image that was acknowledged, and where; one that stays may be pulled by others."""

    repo: Repository
    manifest: Manifest
    stays: bool


class Crowd:
    """The users of one process, and the images that none of them deletes."""

    def __init__(self, post: Post, told: Told) -> None:
        self.post = post
        self.told = told
        self.shelf: deque[_Image] = deque(maxlen=_SHELF)
        self._began: float | None = None
        self._users = 0

    def begin(self) -> None:
        """Count the time of the steps from now on."""
        self._began = time.monotonic()

    @property
    def step(self) -> int:
        """The number of the step that is under way."""
        if self._began is None:
            self.begin()
        return self.post.plan.steps.at(time.monotonic() - (self._began or 0.0))

    def user(self, seed: str) -> Visitor:
        """Return one more user, who does the same things for the same seed."""
        self._users += 1
        return Visitor(self, f"{self.post.plan.settings.seed}:{seed}:{self._users}")


class Visitor:
    """One user, with connections of its own."""

    def __init__(self, crowd: Crowd, seed: str) -> None:
        self._crowd = crowd
        self._post = crowd.post
        self._registry = crowd.post.registry()
        self._random = random.Random(seed)
        self._setup = SetUp(Maker(seed), crowd.post.plan.settings)
        self._repos = [Repository(self._registry, name) for name in crowd.post.names()]
        self._own: list[_Image] = []
        self._mounted: set[str] = set()
        has, deeds = crowd.post.plan.capabilities.has, crowd.post.plan.mix.deeds
        able = [name for name, needs in _NEEDS.items() if all(map(has, needs)) and deeds.get(name)]
        if len(self._repos) == 1:
            able = [name for name in able if name != "mount"]
        self._deeds, self._weights = able, [deeds[name] for name in able]

    @property
    def done(self) -> bool:
        """Whether there is nothing more for it to do: no deed is possible, or no request is left."""
        return not self._deeds or self._post.budget.spent

    def once(self) -> str:
        """Do one thing, and have it judged; return what it was."""
        name = self._random.choices(self._deeds, self._weights)[0]
        if not self._own:
            name = "push"
        elif name == "push" and len(self._own) >= self._post.plan.mix.kept and "delete" in self._deeds:
            name = "delete"
        step = self._crowd.step
        blocked: Blocked | None = None
        client = self._registry.client
        client.exchanges.clear()
        try:
            getattr(self, f"_{name}")()
        except Blocked as error:
            blocked = error
        except (Verdictless, WriteForbidden) as error:
            self._post.books.refused[self._post.session.redactor.clean(str(error))] += 1
        self._post.books.deeds[name] += 1
        exchanges = [*client.exchanges]
        against = judge(self._post, exchanges, step, blocked)
        for number, exchange in enumerate(exchanges):
            self._crowd.told(exchange, against.get(number) or failure_of(exchange))
        client.exchanges.clear()
        return name

    def close(self) -> None:
        """Close the connections."""
        self._registry.client.close()

    # -- deeds

    def _push(self) -> None:
        mix, repo = self._post.plan.mix, self._random.choice(self._repos)
        blobs = [self._setup.make.config(), *(self._setup.make.blob(mix.bytes) for _ in range(mix.layers))]
        for blob in blobs:
            repo.head_blob(blob.digest, at_once=True)
            self._setup.blob(repo, blob)
        manifest = self._setup.unpushed_image(blobs)
        tag = self._setup.make.tag()
        self._setup.manifest(repo, manifest, tag)
        tagged = Manifest(manifest.body, manifest.media_type, manifest.digest, tag, manifest.blobs)
        self._own.append(_Image(repo, tagged, stays=not self._own))
        if self._own[-1].stays:
            self._crowd.shelf.append(self._own[-1])

    def _pull(self) -> None:
        image = self._random.choice([*self._own, *self._crowd.shelf])
        repo, manifest = Repository(self._registry, image.repo.name), image.manifest
        reference = self._random.choice((manifest.tag or manifest.digest, manifest.digest))
        answer = self._setup.pulled_manifest(repo, reference)
        if answer.body != manifest.body:
            raise Blocked("PULL-MANIFEST-GET-BODY-EXACT", "the manifest as it was pushed", answer, actual="other bytes")
        for blob in manifest.blobs:
            # Its digest is judged by the invariants, as that of each blob that was pulled.
            self._setup.pulled_blob(repo, blob.digest)

    def _list(self) -> None:
        if self._random.randrange(_CATALOGUE) == 0 and self._post.plan.capabilities.has("catalog"):
            self._registry.catalog(n=_PAGE)
            return
        image = self._random.choice(self._own)
        wanted = {own.manifest.tag for own in self._own if own.repo.name == image.repo.name}

        def whole(answer: Response) -> bool:
            return not answer.ok or next_link(answer) is not None or wanted <= {*tags_of(answer)}

        page = self._post.plan.settings.ask(image.repo.list_tags, whole)
        found = tags_of(page)
        if next_link(page) is None and (missing := wanted - set(found)):
            actual = f"{len(missing)} of {len(wanted)} tags of this user were not in the list"
            raise Blocked("DISC-TAGS-COMPLETE-AFTER-PUSH", "each tag that was pushed", page, actual=actual)
        # Others push and delete meanwhile, so that nothing follows from several pages together.
        for _ in range(_PAGES):
            following = image.repo.follow_link(page, "tags.list")
            if following is None:
                break
            page = following

    def _mount(self) -> None:
        image = self._random.choice(self._own)
        repo = self._random.choice([repo for repo in self._repos if repo.name != image.repo.name])
        blob: Blob = image.manifest.blobs[-1]
        self._mounted.add(blob.digest)
        answer = repo.mount(blob.digest, image.repo.name)
        if answer.status == CREATED:
            self._setup.headed_blob(repo, blob.digest)
        elif answer.status == ACCEPTED:
            location = self._setup.location(answer, "PUSH-MOUNT-FALLBACK-SESSION-USABLE")
            repo.put_upload(location, blob.digest, blob.content)
        else:
            raise Blocked("PUSH-MOUNT-STATUS", "status 201 or 202 to a mount", answer)

    def _delete(self) -> None:
        others = [image for image in self._own if not image.stays]
        if not others:
            return self._push()
        image = self._random.choice(others)
        self._own.remove(image)
        repo, manifest = image.repo, image.manifest
        _deleted(repo.delete_manifest(manifest.digest), "MGMT-MANIFEST-DELETE-202")
        _gone(repo.get_manifest(manifest.digest, at_once=True), "MGMT-MANIFEST-DELETE-GET-404")
        if not self._post.plan.capabilities.has("delete-blob"):
            return
        for blob in manifest.blobs:
            answer = repo.delete_blob(blob.digest)
            # It may have been collected with the only manifest that had it.
            if answer.status != _NOT_FOUND:
                _deleted(answer, "MGMT-BLOB-DELETE-202")
            # Where each repository serves the blobs of all, one that was mounted is still there.
            if blob.digest not in self._mounted:
                _gone(repo.head_blob(blob.digest, at_once=True), "MGMT-BLOB-DELETE-HEAD-404")


def _deleted(answer: Response, requirement: str) -> None:
    if not answer.ok:
        raise Blocked(requirement, "status 202 to the deletion of what is there", answer)


def _gone(answer: Response, requirement: str) -> None:
    if answer.ok:
        raise Blocked(requirement, "status 404 to what was deleted", answer)
