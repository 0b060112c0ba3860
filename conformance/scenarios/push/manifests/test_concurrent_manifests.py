"""Manifests that several clients push, move and delete at the same time."""

from __future__ import annotations

from functools import partial

from conformance.client import digests
from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_INDEX, Repository
from conformance.scenarios.shared.concurrent_clients import at_once, clients, judge_available
from conformance.scenarios.shared.manifest_variants import variant
from conformance.scenarios.shared.pull_answers import DIGEST
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST, Manifest, index
from conformance.target.lists import settled_tags
from conformance.target.policy import is_immutable
from conformance.target.session import Session
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, excuse_of, listing, status_of, told, verifies

AVAILABLE = "BASE-CONCURRENT-NO-500"
TAGS = "PUSH-CONCURRENT-TAGS-KEPT"
LISTED = "DISC-TAGS-CONCURRENT-COMPLETE"
MOVED = "PUSH-CONCURRENT-RETAG-ONE"
KEPT = "PUSH-CONCURRENT-MANIFESTS-KEPT"
READ = "PULL-CONCURRENT-TAG-WHOLE"
THERE = "PULL-CONCURRENT-TAG-THERE"
APART = "PUSH-CONCURRENT-REPOSITORIES-APART"
AGREED = "PUSH-CONCURRENT-DELETE-CONSISTENT"
AGAIN = "PUSH-CONCURRENT-DELETE-REPUSH"
#: How often each reader looks at a tag that is moved.
_LOOKS = 2
_NOT_FOUND = 404


@verifies(TAGS, LISTED, AVAILABLE)
def test_many_tags(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """Many tags that are pushed at the same time all resolve and are all listed."""
    manifest = setup.image(repo, None)
    names = [setup.make.tag() for _ in range(clients(settings))]
    puts = at_once(*(partial(repo.put_manifest, name, manifest.body) for name in names))
    judge_available(judge, AVAILABLE, *puts)
    created = {name: put for name, put in zip(names, puts, strict=True) if put.status == 201}
    if len(created) < 2:
        raise Undecided("fewer than two tags were accepted at the same time", *puts)
    for name, put in created.items():
        expected = f"the manifest under {name}, one of {len(created)} tags pushed at the same time"
        judge.gives(TAGS, setup.read_manifest(repo, name, manifest.media_type), manifest.body, expected, put)
    listed = settled_tags(repo, settings, set(created))
    missing = sorted(set(created) - set(listed))
    answers = [created[name] for name in missing[:1]]
    expected = "all tags that were pushed at the same time"
    judge(LISTED, not missing, expected, *answers, *listed.pages, actual=_lacks(missing))


def _lacks(missing: list[str]) -> str:
    return f"the list lacks {listing(missing)}"


@verifies(MOVED, KEPT, READ, THERE, AVAILABLE)
def test_one_tag_moved_by_many(repo: Repository, setup: SetUp, judge: Judge, session: Session) -> None:
    """After many pushes to one tag at a time it names one of them; each pull is whole."""
    first = setup.image(repo)
    tag = str(first.tag)
    manifests = [_kind(first, number) for number in range(clients(session.settings))]
    writers = [partial(_pushed, repo, tag, manifest) for manifest in manifests]
    readers = [partial(_looked, repo, tag)] * (clients(session.settings) // 2)
    answers = at_once(*writers, *readers)
    puts = [answer for found in answers[: len(writers)] for answer in found]
    looks = [answer for found in answers[len(writers) :] for answer in found]
    judge_available(judge, AVAILABLE, *puts, *looks)
    _judge_looks(judge, looks, [first, *manifests], session.settings)
    created = [manifest for manifest, put in zip(manifests, puts, strict=True) if put.status == 201]
    if not created:
        if is_immutable(session.policy.ordinary(repo).moved()):
            raise Unsupported(f"the tag cannot be moved ({status_of(puts[0])})")
        judge.require(MOVED, False, "that one of the manifests that are pushed to a tag is taken", *puts)
    for manifest in created:
        got = setup.read_manifest(repo, manifest.digest, manifest.media_type)
        judge.gives(KEPT, got, manifest.body, "each manifest that was accepted, by its digest", *puts[:1])
    bodies = {manifest.body for manifest in created}
    last = session.settings.ask(lambda: repo.get_manifest(tag, ANY_MANIFEST), lambda answer: answer.body in bodies)
    expected = "one of the manifests that were pushed to the tag, with its type and digest"
    judge(MOVED, last.body in bodies and _whole(last, created), expected, last, actual=_described(last))


def _kind(image: Manifest, number: int) -> Manifest:
    """Make an image or an index in turn, so that a mixture shows in the type as well."""
    notes = {"org.example.number": str(number)}
    if number % 2:
        return Manifest.of(index([image.descriptor()], annotations=notes), OCI_INDEX)
    return variant(image, annotations=notes)


def _pushed(repo: Repository, tag: str, manifest: Manifest) -> list[Response]:
    return [repo.put_manifest(tag, manifest.body, manifest.media_type)]


def _looked(repo: Repository, tag: str) -> list[Response]:
    return [repo.get_manifest(tag, ANY_MANIFEST) for _ in range(_LOOKS)]


def _judge_looks(judge: Judge, looks: list[Response], known: list[Manifest], settings: Settings) -> None:
    """Judge what readers saw of a tag while it was moved."""
    seen = [look for look in looks if look.status == 200 and not look.failure]
    if not seen:
        judge.inconclusive(READ, "no reader was answered 200 while the tag was moved")
    for look in seen:
        expected = "one of the manifests whole, with its type and digest, while their tag is moved"
        judge(READ, _whole(look, known), expected, look, actual=_described(look))
    lost = [look for look in looks if look.status == _NOT_FOUND]
    sound = [look for look in looks if not look.excuse]
    if not sound or (lost and settings.settle):
        judge.inconclusive(THERE, "the target was overloaded, or had not settled")
        return
    judge(THERE, not lost, "a manifest under a moving tag at each moment", *lost[:1])


def _whole(answer: Response, known: list[Manifest]) -> bool:
    """Tell whether an answer is one of some manifests with its own type and digest."""
    fitting = [manifest for manifest in known if manifest.body == answer.body]
    named = answer.header(DIGEST)
    return bool(fitting) and answer.media_type == fitting[0].media_type and (not named or _true(named, answer.body))


def _true(named: str, body: bytes) -> bool:
    return digests.fits(named, body) is not False


def _described(answer: Response) -> str:
    return f"{told(answer, 'Content-Type', DIGEST)}, the body had digest {answer.content_digest()}"


@verifies(APART, AVAILABLE)
def test_two_repositories_at_once(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """The same tags pushed to two repositories at a time name the manifests of their own."""
    if repo.name == other_repo.name:
        raise Undecided("this needs two repositories")
    homes = [(home, setup.image(home, None)) for home in (repo, other_repo)]
    names = [setup.make.tag() for _ in range(clients(settings) // 2)]
    pushes = [(home, name, manifest) for name in names for home, manifest in homes]
    puts = at_once(*(partial(home.put_manifest, name, manifest.body) for home, name, manifest in pushes))
    judge_available(judge, AVAILABLE, *puts)
    for (home, name, manifest), put in zip(pushes, puts, strict=True):
        if put.status != 201:
            raise Undecided(f"one of several pushes at the same time was answered with status {put.status}", put)
        got = setup.read_manifest(home, name, manifest.media_type)
        judge.gives(APART, got, manifest.body, f"under {name} the manifest of {home.name}", put)


@verifies(AGREED, AGAIN, AVAILABLE)
def test_push_against_deletion(repo: Repository, setup: SetUp, judge: Judge, session: Session) -> None:
    """A manifest pushed and deleted at the same time is there or not, for every client."""
    first = setup.image(repo)
    second = variant(first, annotations={"org.example.number": "2"})
    images, names = [first, second], [str(first.tag), setup.make.tag()]
    setup.manifest(repo, second, names[1])
    pushes = [partial(repo.put_manifest, name, image.body) for image, name in zip(images, names, strict=True)]
    answers = at_once(*pushes, *(partial(repo.delete_manifest, image.digest) for image in images))
    if not any(answer.status == 202 for answer in answers[len(pushes) :]):
        raise Unsupported("no deletion was accepted while the manifests were pushed")
    judge_available(judge, AVAILABLE, *answers)
    session.settings.wait(lambda: False)
    for image, name in zip(images, names, strict=True):
        _judge_agreement(judge, repo, image, name)
    for blob in first.blobs:  # a deletion may have freed them
        if not repo.head_blob(blob.digest).ok:
            setup.blob(repo, blob)
    again = repo.put_manifest(names[0], first.body, first.media_type)
    judge.granted(again, session.policy.ordinary(repo).pushed_again)
    if judge.status(AGAIN, again, 201, when="to a manifest that was pushed and deleted at the same time"):
        got = setup.read_manifest(repo, first.digest, first.media_type)
        judge.gives(AGAIN, got, first.body, "the manifest that was pushed again", again)


def _judge_agreement(judge: Judge, repo: Repository, image: Manifest, name: str) -> None:
    got, head = (ask(image.digest, ANY_MANIFEST) for ask in (repo.get_manifest, repo.head_manifest))
    tagged = repo.get_manifest(name, ANY_MANIFEST)
    if excuse_of((got, head, tagged)):
        judge.inconclusive(AGREED, "no answer after the deletion")
        return
    held = (
        got.status in {200, _NOT_FOUND}
        and head.status == got.status
        and (got.status != 200 or got.body == image.body)
        and (tagged.status != 200 or (got.status == 200 and tagged.body == image.body))
    )
    expected = "the manifest whole or not at all, by GET, by HEAD and by its tag"
    actual = f"GET had {status_of(got)}, HEAD {status_of(head)}, the tag {status_of(tagged)}"
    judge(AGREED, held, expected, got, head, tagged, actual=actual)
