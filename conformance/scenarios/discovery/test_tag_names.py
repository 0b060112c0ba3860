"""Lists of tags whose names mean something to a path, a format or a language."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, next_link
from conformance.scenarios.shared.tags import VALUES
from conformance.settings import Settings
from conformance.target.content import Manifest
from conformance.target.lists import OK, all_tags, tags_of
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Unsupported, listing, verifies
from spec.model import Withheld

STATUS = "DISC-TAGS-STATUS-200"
COMPLETE = "DISC-TAGS-COMPLETE-AFTER-PUSH"
CREATED = 201
#: With which the path of a list begins or ends; the rows of conditions try more words.
PATHS = ("tags", "list")


@verifies(STATUS, COMPLETE)
def test_list_of_tags_that_mean_something(
    repository: Repositories, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """The list names tags such as ``tags`` and ``1.10`` as they were pushed."""
    if setup.shared:
        raise NotTested("the owner fixed the repositories", Withheld.REPOSITORIES)
    repo = repository("meaning", fresh=True)
    manifest = setup.image(repo, None)
    pushed = {tag for tag in (*PATHS, *VALUES) if _put(repo, manifest, tag).status == CREATED}
    if not pushed:
        raise Unsupported("no such tag was taken")
    listed, answer = _listed(repo, settings, pushed)
    if answer.status == OK and pushed <= listed:
        judge(STATUS, True, "")
        judge(COMPLETE, True, "")
        return
    _one_by_one(repository("meaning-each", fresh=True), setup, judge, settings, sorted(pushed))


def _put(repo: Repository, manifest: Manifest, tag: str) -> Response:
    return repo.put_manifest(tag, manifest.body, manifest.media_type)


def _listed(repo: Repository, settings: Settings, wanted: set[str]) -> tuple[set[str], Response]:
    """Return the tags of the list, once it has settled, and its first page."""
    answer = settings.ask(repo.list_tags, lambda page: page.status == OK and wanted <= set(tags_of(page)))
    if answer.status != OK:
        return set(), answer
    return set(all_tags(repo) if next_link(answer) is not None else tags_of(answer)), answer


def _one_by_one(repo: Repository, setup: SetUp, judge: Judge, settings: Settings, tags: list[str]) -> None:
    """Push one tag after the other, and judge the list after each, up to the first that is wrong."""
    manifest = setup.image(repo, None)
    pushed: set[str] = set()
    for tag in tags:
        put = _put(repo, manifest, tag)
        pushed |= {tag} if put.status == CREATED else set()
        listed, answer = _listed(repo, settings, pushed)
        expected = f"status 200 to a tag list after the push of a tag named {tag}"
        if not judge(STATUS, answer.status == OK, expected, put, answer):
            _narrow(judge, STATUS, tag)
            judge.stop(STATUS)
        missing = sorted(pushed - listed)
        actual = f"{listing(missing)} lacked, {listing(sorted(listed - pushed))} came instead"
        if not judge(
            COMPLETE, not missing, f"{tag} in the list after the push of a tag of that name", put, answer, actual=actual
        ):
            _narrow(judge, COMPLETE, tag)
            return


def _narrow(judge: Judge, requirement: str, tag: str) -> None:
    """Say that it takes this tag: what goes wrong with other tags has another cause."""
    judge.judgements[requirement].narrower = (f"tag={tag}",)
