"""Tags: the grammar's edges and what lies outside it."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, verifies

KEPT = "BASE-TAG-ACCEPTED-KEPT"
REFUSED = ("t" * 129, ".a", "-a", "a+b")


@verifies("BASE-TAG-ACCEPT", KEPT)
def test_tag_within_the_grammar(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A tag of all kinds of characters can be pushed and pulled."""
    manifest = setup.image(repo, None)
    own = setup.make.tag() if setup.shared else ""  # others' tags are not overwritten
    mixed = f"_A.b-c_d{own}--"
    pushed = repo.put_manifest(mixed, manifest.body, manifest.media_type)
    judge.granted(pushed)
    if not judge.status("BASE-TAG-ACCEPT", pushed, 201, when=f"to a manifest under the tag {mixed}"):
        judge.unsupported(KEPT, "the tag was not accepted")
        return
    pulled = setup.read_manifest(repo, mixed, manifest.media_type, manifest.body)
    expected = f"the manifest that was accepted under the tag {mixed}"
    judge.gives(KEPT, pulled, manifest.body, expected, pushed)


@verifies("BASE-TAG-REJECT")
def test_tags_outside_the_grammar(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """What is no tag is refused on push and not found on pull."""
    manifest = setup.image(repo)
    for tag in REFUSED:
        shown = f"to a tag of {len(tag)} characters" if len(tag) > 20 else f"to the tag {tag}"
        judge.refused("BASE-TAG-REJECT", repo.put_manifest(tag, manifest.body, manifest.media_type), when=shown)
        judge.refused("BASE-TAG-REJECT", repo.get_manifest(tag, manifest.media_type), when=shown)
