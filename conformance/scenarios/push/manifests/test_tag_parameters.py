"""Pushing a manifest by digest with tag parameters."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.manifest_variants import unpushed
from conformance.target.content import Manifest
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, listing, status_of, told, verifies
from conformance.verdict.presence import served


def _put(repo: Repository, manifest: Manifest, *tags: str) -> Response:
    return repo.put_manifest(manifest.digest, manifest.body, query="?" + "&".join(f"tag={tag}" for tag in tags))


def _listed(answer: Response) -> list[str]:
    return [tag.strip() for tag in ",".join(answer.headers.all("OCI-Tag")).split(",") if tag.strip()]


@verifies("PUSH-TAGPARAM-SUPPORTED")
def test_put_manifest_with_a_tag_parameter(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Tag parameters may make tags, and are ignored where they are not known."""
    answer = _put(repo, unpushed(repo, setup), setup.make.tag())
    if answer.status == 201 and not _listed(answer):
        raise Unsupported("tag parameters are ignored")
    if answer.refused:
        raise Unsupported(f"tag parameters are refused (status {answer.status})")
    judge.status("PUSH-TAGPARAM-SUPPORTED", answer, 201, when="to a push by digest with a tag parameter")


@verifies("PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED", "PUSH-TAGPARAM-LISTED-TAG-RESOLVES", "PUSH-TAGPARAM-TEN-TAGS")
def test_put_manifest_with_ten_tag_parameters(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The tags that a push with parameters made are those that OCI-Tag names, ten at least."""
    manifest = unpushed(repo, setup)
    tags = [setup.make.tag() for _ in range(10)]
    answer = _put(repo, manifest, *tags)
    named = _listed(answer)
    judge(
        "PUSH-TAGPARAM-TEN-TAGS",
        answer.status == 201 and set(tags) <= set(named),
        "201 with ten tags in OCI-Tag",
        answer,
        actual=f"{status_of(answer)} with {len(named)} tags in OCI-Tag",
    )
    if answer.refused:
        manifest, tags = unpushed(repo, setup), tags[:3]
        answer = _put(repo, manifest, *tags)
        named = _listed(answer)
    there = {tag for tag in tags if _resolves(repo, setup, tag, manifest)}
    judge(
        "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
        set(named) <= there,
        "the manifest under each tag of OCI-Tag",
        answer,
        actual=f"it is not under {listing(sorted(set(named) - there))}",
    )
    judge(
        "PUSH-TAGPARAM-HEADER-LISTS-ACCEPTED",
        there <= set(named),
        "each tag that was made in OCI-Tag",
        answer,
        actual=f"it does not name {listing(sorted(there - set(named)))}",
    )
    moved = setup.image(repo).tag or ""
    answer = _put(repo, manifest, moved)
    if moved in _listed(answer):
        expected = f"the manifest under {moved} of OCI-Tag, which led to another one"
        held = _resolves(repo, setup, moved, manifest)
        judge.beside("PUSH-TAGPARAM-LISTED-TAG-RESOLVES", held, expected, answer)


def _resolves(repo: Repository, setup: SetUp, tag: str, manifest: Manifest) -> bool:
    answer = setup.read_manifest(repo, tag)
    if answer.excuse:
        raise Undecided(f"the pull of a tag gave {status_of(answer)}")
    return served(answer, manifest.body)


@verifies("PUSH-TAGPARAM-INVALID-TAG-NOT-ACCEPTED", "PUSH-TAGPARAM-TOO-MANY-414")
def test_put_manifest_with_bad_tag_parameters(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """An invalid tag is not accepted as a parameter, and too many tags may be refused."""
    manifest = unpushed(repo, setup)
    answer = _put(repo, manifest, setup.make.tag(), "-bad")
    judge(
        "PUSH-TAGPARAM-INVALID-TAG-NOT-ACCEPTED",
        "-bad" not in _listed(answer),
        "no invalid tag in OCI-Tag",
        answer,
        actual=told(answer, "OCI-Tag"),
    )
    stem = setup.make.tag()
    many = _put(repo, manifest, *(f"{stem}-{number}" for number in range(300)))
    judge(
        "PUSH-TAGPARAM-TOO-MANY-414",
        many.status == 201 or many.refused,
        "201, 414, 431 or another refusal (4xx) to 300 tag parameters",
        many,
    )
