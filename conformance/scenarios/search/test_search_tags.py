"""Tags that the grammar makes up, and the pages of the lists that they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.client.registry import Repository, next_link
from conformance.scenarios.search.machine.actions import settled, small_image
from conformance.scenarios.search.machine.lists import MAX_PAGES, pages, tags_of
from conformance.scenarios.search.outcome import conclude, prepare  # noqa: F401  the run calls it
from conformance.scenarios.search.trial import Trial
from conformance.settings import Settings
from conformance.target.content import Manifest
from conformance.verdict.judge import Judge, content_of, listing, status_of, verifies

if TYPE_CHECKING:
    from conformance.scenarios.search.engine import Explorer

ACCEPT = "BASE-TAG-ACCEPT"
REJECT = "BASE-TAG-REJECT"
COMPLETE = "DISC-TAGS-COMPLETE-AFTER-PUSH"
WALK = "DISC-TAGS-LINK-WALK-COMPLETE"
EXAMPLES = {"quick": 0, "default": 0, "thorough": 60}
#: Tags of one example, and references outside the grammar.
TAGS = 7
AT_ONCE = 5


@verifies(ACCEPT, COMPLETE, WALK)
def test_search_tags_and_their_pages(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Generated tags are pushed, pulled and listed; pages of any size join to the whole list."""
    from hypothesis import strategies as st  # noqa: PLC0415  # takes a third of a second

    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    lists = st.lists(strategies.tags(), unique_by=str.lower, min_size=1, max_size=TAGS)
    explorer.values(lists, _tags, EXAMPLES[settings.effort])
    conclude(explorer, judge)


@verifies(REJECT)
def test_search_tags_outside_the_grammar(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """A reference just outside the grammar is refused on push and not found on pull."""
    from hypothesis import strategies as st  # noqa: PLC0415  # takes a third of a second

    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    explorer.values(st.lists(strategies.wrong_tags(), max_size=AT_ONCE), _refused, EXAMPLES[settings.effort])
    conclude(explorer, judge)


def _tags(trial: Trial, tags: list[str]) -> None:
    """Push a manifest under tags, pull it, list them, and walk the list in pages of each size."""
    repo = trial.repositories(1)[0]
    manifest = small_image(trial, repo)
    # A tag that was refused is not missing from the list.
    accepted: list[str] = []
    for tag in tags:
        trial.step(f"push a manifest under the tag {tag} and pull it")
        answer = repo.put_manifest(tag, manifest.body, manifest.media_type)
        if answer.status == 201:
            accepted.append(tag)
        else:
            trial.granted(answer)
        pulled = settled(trial, repo, tag, manifest.body, manifest.media_type)
        trial(
            ACCEPT,
            answer.status == 201 and pulled.body == manifest.body,
            f"a manifest pushed and pulled under the tag {tag}",
            answer,
            pulled,
            actual=f"the PUT had {status_of(answer)} and the GET {content_of(pulled)}",
        )
    if accepted:
        _lists(trial, repo, accepted)


def _lists(trial: Trial, repo: Repository, tags: list[str]) -> None:
    trial.step("list the tags")
    whole: list[str] = []

    def complete() -> bool:
        answers = pages(repo, repo.list_tags())
        whole[:] = [tag for answer in answers for tag in tags_of(answer)]
        return set(tags) <= set(whole)

    held = trial.settings.wait(complete)
    if not trial(COMPLETE, held, f"{listing(sorted(tags))} in the list", actual=f"the list was {listing(whole)}"):
        return
    for n in _sizes(len(whole)):
        trial.step(f"walk through the list in pages of {n}")
        first = repo.list_tags(n=n)
        if len(tags_of(first)) > n or first.status != 200:
            # The target does not page; that is another requirement's matter.
            return
        answers = pages(repo, first)
        if next_link(first) is None and len(tags_of(first)) == n < len(whole):
            # No Link is owed by every profile.
            continue
        joined = [tag for answer in answers for tag in tags_of(answer)]
        trial(
            WALK,
            joined == whole,
            f"pages of {n} that join to {listing(whole)}",
            *answers,
            actual=f"they joined to {listing(joined)}",
        )


def _sizes(count: int) -> list[int]:
    """Return the page sizes to walk in; few for a list of a repository that others fill."""
    if count < MAX_PAGES:
        return [*range(1, count + 2)]
    return [-(-count // parts) for parts in (MAX_PAGES - 1, 5, 2, 1)] + [count + 1]


def _refused(trial: Trial, tags: list[str]) -> None:
    repo = trial.repositories(1)[0]
    manifest: Manifest | None = None
    for tag in tags:
        manifest = manifest or small_image(trial, repo)
        trial.step(f"push and pull a manifest under the reference {tag}")
        shown = f"to a reference of {len(tag)} characters" if len(tag) > 20 else f"to the reference {tag}"
        for answer in (
            repo.put_manifest(tag, manifest.body, manifest.media_type),
            repo.get_manifest(tag, manifest.media_type),
        ):
            trial(REJECT, answer.refused, f"a refusal (4xx) {shown}", answer)
