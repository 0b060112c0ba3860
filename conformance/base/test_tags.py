"""Tags: the grammar's edges and what lies outside it."""

from __future__ import annotations

from conformance.client.registry import OCI_MANIFEST, Repository
from conformance.given import Given
from conformance.judge import Judge, verifies

KEPT = "BASE-TAG-ACCEPTED-KEPT"
REFUSED = ("t" * 129, ".a", "-a", "a+b")


@verifies("BASE-TAG-ACCEPT", KEPT, "BASE-TAG-CASE")
def test_tags_within_the_grammar(repo: Repository, given: Given, judge: Judge) -> None:
    """A tag of all kinds of characters can be pushed and pulled, and case tells tags apart."""
    manifest = given.image(repo, None)
    own = given.make.tag() if given.shared else ""  # others' tags are not overwritten
    mixed, other_case = f"_A.b-c_d{own}--", f"_a.B-C_D{own}--"
    pushed = repo.put_manifest(mixed, manifest.body, manifest.media_type)
    judge.granted(pushed)
    if not judge.status("BASE-TAG-ACCEPT", pushed, 201, when=f"to a manifest under the tag {mixed}"):
        for requirement in (KEPT, "BASE-TAG-CASE"):
            judge.unsupported(requirement, "the tag was not accepted")
        return
    pulled = given.read_manifest(repo, mixed, manifest.media_type, manifest.body)
    expected = f"the manifest that was accepted under the tag {mixed}"
    if not judge.gives(KEPT, pulled, manifest.body, expected, pushed):
        judge.unsupported("BASE-TAG-CASE", "the tag was not kept")
        return
    other = given.another(repo, manifest, other_case)
    for tag, named in ((mixed, manifest), (other_case, other)):
        answer = given.pulled_manifest(repo, tag, OCI_MANIFEST)
        judge(
            "BASE-TAG-CASE",
            answer.body == named.body,
            f"the manifest that was pushed under {tag}",
            answer,
            actual=f"a manifest of digest {answer.content_digest()}",
        )


@verifies("BASE-TAG-REJECT")
def test_tags_outside_the_grammar(repo: Repository, given: Given, judge: Judge) -> None:
    """What is no tag is refused on push and not found on pull."""
    manifest = given.image(repo)
    for tag in REFUSED:
        shown = f"to a tag of {len(tag)} characters" if len(tag) > 20 else f"to the tag {tag}"
        judge.refused("BASE-TAG-REJECT", repo.put_manifest(tag, manifest.body, manifest.media_type), when=shown)
        judge.refused("BASE-TAG-REJECT", repo.get_manifest(tag, manifest.media_type), when=shown)
