"""Pushes on condition: what a client may build on where a registry pays heed to If-Match."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.target.policy import is_immutable
from conformance.target.setup import SetUp
from conformance.verdict.judge import Blocked, Judge, Undecided, Unsupported, verifies

IF_MATCH = "PUSH-MANIFEST-IF-MATCH"


@verifies(IF_MATCH)
def test_put_manifest_if_the_tag_has_not_moved(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A tag that was moved by another client is not moved by one that knows its former manifest."""
    first = setup.image(repo)
    second, third = setup.another(repo, first), setup.another(repo, first)
    tag = first.tag or ""
    before = setup.pulled_manifest(repo, tag, first.media_type).header("ETag")
    if before is None or before.startswith("W/"):
        raise Unsupported(f"manifests have {'no' if before is None else 'a weak'} ETag")
    same = repo.put_manifest(tag, first.body, first.media_type, headers=(("If-Match", before),))
    if same.status == 412:
        judge.status(IF_MATCH, same, 201, when="to a push on the condition of the present ETag")
        return
    never = repo.put_manifest(tag, second.body, second.media_type, headers=(("If-Match", f'"{setup.make.digest()}"'),))
    if never.status != 412:
        raise Unsupported(f"the target pays no heed to If-Match (status {never.status})")
    move = repo.put_manifest(tag, second.body, second.media_type)
    if is_immutable(move):
        raise Unsupported(f"the target does not move tags (status {move.status})")
    if move.status != 201:
        raise Blocked("PUSH-MANIFEST-RETAG-MOVES", "status 201 to a manifest pushed to the tag of another", move)
    moved = setup.read_manifest(repo, tag, second.media_type, second.body)
    present = moved.header("ETag")
    if moved.body != second.body or present in (None, before):
        raise Undecided("blocked by PUSH-MANIFEST-RETAG-MOVES, or the ETag of a tag stays when the tag moves")
    late = repo.put_manifest(tag, third.body, third.media_type, headers=(("If-Match", before),))
    judge.require_status(IF_MATCH, late, 412, when="to a push on the condition of a former ETag")
    kept = setup.read_manifest(repo, tag, second.media_type)
    judge.gives(IF_MATCH, kept, second.body, "the manifest that was under the tag", late)
    again = repo.put_manifest(tag, third.body, third.media_type, headers=(("If-Match", present or ""),))
    judge.status(IF_MATCH, again, 201, when="to a push on the condition of the present ETag")
