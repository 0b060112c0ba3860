"""The event of a push of a manifest, member by member."""

from __future__ import annotations

from conformance.client.registry import OCI_INDEX, Registry, Repository
from conformance.scenarios.notifications.post import Post
from conformance.scenarios.notifications.targets import judge_size, judge_tag, judge_url
from conformance.target.content import Manifest, index
from conformance.target.setup import CREATED, SetUp
from conformance.verdict.judge import Judge, clip, verifies

MANIFEST = "NOTIF-PUSH-MANIFEST"
SIZE = "NOTIF-TARGET-SIZE"
SIZE_BOTH = "NOTIF-TARGET-SIZE-BOTH"
URL = "NOTIF-TARGET-URL"
URL_THERE = "NOTIF-TARGET-URL-PRESENT"
TAG = "NOTIF-TARGET-TAG"
TAG_THERE = "NOTIF-TARGET-TAG-PRESENT"


@verifies(MANIFEST, SIZE, SIZE_BOTH, URL, URL_THERE, TAG, TAG_THERE)
def test_push_of_manifests(repo: Repository, registry: Registry, setup: SetUp, judge: Judge, post: Post) -> None:
    """A push of an image by tag or digest, or of an index, is told of with its members."""
    post.of(repo)
    pushed = [setup.image(repo), setup.image(repo, None)]
    both = Manifest.of(index([image.descriptor() for image in pushed]), OCI_INDEX)
    if repo.put_manifest(both.digest, both.body, both.media_type).status == CREATED:
        pushed.append(both)
    post.note(*(image.digest for image in pushed))
    post.wait(*[lambda event, digest=image.digest: event.is_push(digest) for image in pushed])
    for image in pushed:
        found = post.pushes(image.digest)
        expected = f"a push event with the manifest's digest, its media type and the repository {repo.name}"
        if not found:
            post.missing(judge, MANIFEST, expected)
            for requirement in (SIZE, SIZE_BOTH, URL, URL_THERE, TAG, TAG_THERE):
                judge.inconclusive(requirement, f"blocked by {MANIFEST}")
            continue
        told = [(event.text("mediaType"), event.text("repository")) for event in found]
        actual = f"it had mediaType {clip(told[0][0]) or 'absent'} and repository {clip(told[0][1]) or 'absent'}"
        judge(MANIFEST, (image.media_type, repo.name) in told, expected, *post.evidence(), actual=actual)
        judge_size(judge, post, found, len(image.body))
        judge_tag(judge, post, found, image.tag)
        judge_url(judge, post, registry, found[0], (repo, f"manifests/{image.digest}"))
