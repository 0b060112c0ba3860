"""An event for each thing that was done: pushes, pulls, mounts and deletions."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.scenarios.notifications.events import Event
from conformance.scenarios.notifications.post import Fits, Post
from conformance.scenarios.notifications.targets import judge_size, judge_tag, judge_url
from conformance.scenarios.shared.deletion_steps import deleted
from conformance.scenarios.shared.upload_steps import closed, with_chunk
from conformance.target.capabilities import Capabilities
from conformance.target.content import ANY_MANIFEST, Blob
from conformance.target.setup import ACCEPTED, CREATED, OK, SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, clip, declined, listing, verifies

ACTION = "NOTIF-EVENT-ACTION"
PUSH_BLOB = "NOTIF-PUSH-BLOB"
PULL_MANIFEST = "NOTIF-PULL-MANIFEST"
PULL_BLOB = "NOTIF-PULL-BLOB"
MOUNT = "NOTIF-MOUNT-FROM-REPOSITORY"
DELETE = "NOTIF-DELETE-TARGET"
TAG = "NOTIF-TARGET-TAG"
TAG_THERE = "NOTIF-TARGET-TAG-PRESENT"
URL = "NOTIF-TARGET-URL"
URL_THERE = "NOTIF-TARGET-URL-PRESENT"
SIZE = "NOTIF-TARGET-SIZE"
SIZE_BOTH = "NOTIF-TARGET-SIZE-BOTH"


def _fitting(action: str, digest: str) -> Fits:
    return lambda event: event.action == action and event.about(digest)


@verifies(ACTION)
def test_actions(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """What is told of a write is a push, and of a read a pull."""
    post.of(repo)
    image = setup.image(repo)
    for action, method in (("push", "PUT"), ("pull", "GET")):
        before = {event.key() for event in post.events}
        if action == "pull":
            setup.pulled_manifest(repo, image.digest)
        if post.wait(_fitting(action, image.digest)):
            judge(ACTION, True, "")
            continue
        # One request may give several events; what is known of it tells which.
        told = [event for event in post.events if event.about(image.digest) and event.key() not in before]
        came = sorted({event.action for event in told if event.method in {method, ""}})
        if came:
            actual = f"it was {clip(listing(came))}"
            judge(ACTION, False, f"the action {action}", *post.evidence(), actual=actual)
        else:
            judge.inconclusive(ACTION, f"blocked by NOTIF-{action.upper()}-MANIFEST")


@verifies(PUSH_BLOB, SIZE, SIZE_BOTH, URL, URL_THERE)
def test_push_of_blobs(repo: Repository, setup: SetUp, judge: Judge, post: Post, capabilities: Capabilities) -> None:
    """The upload of a blob, in two requests, one, or with a chunk, is notified with its members."""
    post.of(repo)
    blobs = [setup.blob(repo)]
    single = setup.make.blob()
    if capabilities.has("single-post") and repo.upload_single(single.digest, single.content).status == CREATED:
        blobs.append(single)
    if capabilities.has("chunked"):
        upload = with_chunk(setup, repo)
        if closed(upload).status == CREATED:
            blobs.append(Blob.of(upload.content))
    post.note(*(blob.digest for blob in blobs))
    post.wait(*[lambda event, digest=blob.digest: event.is_push(digest) for blob in blobs])
    for blob in blobs:
        found = post.pushes(blob.digest)
        expected = f"a push event with the blob's digest and the repository {repo.name}"
        if not found:
            post.missing(judge, PUSH_BLOB, expected)
            for requirement in (SIZE, SIZE_BOTH, URL, URL_THERE):
                judge.inconclusive(requirement, f"blocked by {PUSH_BLOB}")
            continue
        named = [event.text("repository") for event in found]
        actual = f"the repository was {clip(listing(named))}"
        judge(PUSH_BLOB, repo.name in named, expected, *post.evidence(), actual=actual)
        judge_size(judge, post, found, len(blob.content))
        judge_url(judge, post, repo.registry, found[0], (repo, f"blobs/{blob.digest}"))


@verifies(PULL_MANIFEST, TAG, TAG_THERE)
def test_pull_of_a_manifest(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """A pull by digest, and one by tag, is told of with the digest of what was served."""
    post.of(repo)
    by_tag, by_digest = setup.image(repo), setup.image(repo, None)
    post.note(by_tag.digest, by_digest.digest)
    served = {
        by_tag.tag: setup.pulled_manifest(repo, by_tag.tag or "", ANY_MANIFEST).content_digest(),
        None: setup.pulled_manifest(repo, by_digest.digest, ANY_MANIFEST).content_digest(),
    }
    post.wait(*[lambda event, digest=digest: event.is_pull(digest) for digest in served.values()])
    for tag, digest in served.items():
        found = [event for event in post.events if event.is_pull(digest)]
        if found:
            judge(PULL_MANIFEST, True, "")
            judge_tag(judge, post, found, tag)
        else:
            how = "by tag" if tag else "by digest"
            post.missing(judge, PULL_MANIFEST, f"a pull event with the digest of the manifest pulled {how}")
            for requirement in (TAG, TAG_THERE):
                judge.inconclusive(requirement, f"blocked by {PULL_MANIFEST}")


@verifies(PULL_BLOB, URL, URL_THERE)
def test_pull_of_a_blob(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """A pull of a blob from the target itself is notified with its digest and a url of it."""
    post.of(repo)
    blob = setup.blob(repo)
    post.note(blob.digest)
    answer = repo.get_blob(blob.digest, follow=False)
    if 300 <= answer.status < 400:  # elsewhere
        raise Unsupported("the target leaves the delivery of blobs to another server")
    if answer.status != OK:
        answer = setup.pulled_blob(repo, blob.digest)
    if post.wait(lambda event: event.is_pull(blob.digest)):
        judge(PULL_BLOB, True, "")
        found = next(event for event in post.events if event.is_pull(blob.digest))
        judge_url(judge, post, repo.registry, found, (repo, f"blobs/{blob.digest}"))
    else:
        post.missing(judge, PULL_BLOB, "a pull event with the blob's digest", answer)
        for requirement in (URL, URL_THERE):
            judge.inconclusive(requirement, f"blocked by {PULL_BLOB}")


@verifies(MOUNT)
def test_mount(repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """A mount is told of with both repositories."""
    if repo.name == other_repo.name:
        raise Undecided("a mount needs two repositories")
    post.of(other_repo, repo)
    blob = setup.blob(repo)
    post.note(blob.digest)
    answer = other_repo.mount(blob.digest, repo.name)
    if answer.status == ACCEPTED:
        raise Unsupported("the mount was answered with an upload session")
    if answer.status != CREATED:
        raise declined(answer, "the mount was not made")

    def tells(event: Event) -> bool:
        return event.about(blob.digest) and event.text("repository") == other_repo.name

    expected = f"an event of {other_repo.name} with the blob's digest and fromRepository {repo.name}"
    if not post.wait(tells):
        post.missing(judge, MOUNT, expected, answer)
        return
    sources = [event.text("fromRepository") or "absent" for event in post.events if tells(event)]
    actual = f"fromRepository was {clip(listing(sources))}"
    judge(MOUNT, repo.name in sources, expected, *post.evidence(), answer, actual=actual)


@verifies(DELETE)
def test_deletion(repo: Repository, setup: SetUp, judge: Judge, post: Post, capabilities: Capabilities) -> None:
    """The deletion of a manifest, and of a blob, is told of with digest and repository."""
    post.of(repo)
    image, blob = setup.image(repo), setup.blob(repo)
    post.note(image.digest, blob.digest)
    answer = deleted(repo.delete_manifest(image.digest), "MANIFEST")
    gone = {image.digest: answer}
    if capabilities.has("delete-blob"):
        answer = repo.delete_blob(blob.digest)
        gone |= {blob.digest: answer} if answer.ok else {}

    def tells(event: Event, digest: str) -> bool:
        return event.about(digest) and event.action not in {"push", "pull"}

    post.wait(*[lambda event, digest=digest: tells(event, digest) for digest in gone])
    for digest, answer in gone.items():
        named = [event.text("repository") or "absent" for event in post.events if tells(event, digest)]
        expected = f"an event of the deletion with the digest and the repository {repo.name}"
        if named:
            actual = f"the repository was {clip(listing(named))}"
            judge(DELETE, repo.name in named, expected, *post.evidence(), answer, actual=actual)
        else:
            post.missing(judge, DELETE, expected, answer)
