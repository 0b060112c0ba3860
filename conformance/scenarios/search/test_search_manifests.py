"""Manifests with made-up members, in made-up spellings, pushed and pulled with made-up headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.client.registry import OCI_MANIFEST
from conformance.scenarios.search.machine.actions import settled, small_image
from conformance.scenarios.search.outcome import conclude, prepare  # noqa: F401  the run calls it
from conformance.scenarios.search.trial import Trial
from conformance.settings import Settings
from conformance.target.content import Manifest
from conformance.verdict.judge import Judge, content_of, status_of, verifies
from conformance.verdict.presence import served

if TYPE_CHECKING:
    from conformance.scenarios.search.engine import Explorer
    from conformance.scenarios.search.machine.strategies import Accept

EXACT = "PUSH-MANIFEST-BYTES-EXACT"
PARAMETERS = "PUSH-MANIFEST-TYPE-PARAMETERS-IGNORED"
LIST = "PULL-ACCEPT-LIST"
REPEATED = "PULL-ACCEPT-REPEATED-FIELD"
WEIGHTED = "PULL-ACCEPT-QVALUE"
CASED = "PULL-ACCEPT-CASE"
BY_KIND = {"list": LIST, "fields": REPEATED, "weight": WEIGHTED, "case": CASED}
EXAMPLES = {"quick": 0, "default": 0, "thorough": 100}
FEW = {"quick": 0, "default": 0, "thorough": 40}
#: Pulls of one manifest.
PULLS = 8


@verifies(EXACT)
def test_search_manifests(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """A manifest of any members, in any spelling, is served byte for byte as it was pushed."""
    from hypothesis import strategies as st  # noqa: PLC0415  # takes a third of a second

    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    shapes = st.tuples(strategies.members(), strategies.spellings())
    explorer.values(shapes, lambda trial, value: _push(trial, *value), EXAMPLES[settings.effort])
    conclude(explorer, judge)


@verifies(LIST, REPEATED, WEIGHTED, CASED, PARAMETERS)
def test_search_headers_of_manifests(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """A type among others in Accept counts; parameters of Content-Type do not."""
    from hypothesis import strategies as st  # noqa: PLC0415  # takes a third of a second

    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    accepts = st.lists(strategies.accepts(OCI_MANIFEST), min_size=1, max_size=PULLS)
    shapes = st.tuples(st.none() | strategies.content_types(OCI_MANIFEST), accepts)
    explorer.values(shapes, lambda trial, value: _headers(trial, *value), FEW[settings.effort])
    conclude(explorer, judge)


def _push(trial: Trial, members: dict[str, Any], spelling: dict[str, Any]) -> None:
    """Push a manifest by its tag; pull it by tag and digest."""
    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    repo = trial.repositories(1)[0]
    trial.step("push a manifest and pull it by tag and by digest")
    plain = small_image(trial, repo, **members)
    manifest = Manifest.of(strategies.spelled(plain.document, spelling), plain.media_type, plain.blobs)
    tag = f"t-{trial.mark}"
    answer = repo.put_manifest(tag, manifest.body, manifest.media_type)
    if answer.status != 201:
        # What a registry takes is decided elsewhere.
        return
    for reference in (tag, manifest.digest):
        pulled = settled(trial, repo, reference, manifest.body, manifest.media_type)
        held = served(pulled, manifest.body)
        trial(EXACT, held, "the manifest as it was pushed", answer, pulled, actual=content_of(pulled))


def _headers(trial: Trial, content_type: str | None, accepts: list[Accept]) -> None:
    """Push a manifest under a Content-Type; pull it with each of some Accept headers."""
    repo = trial.repositories(1)[0]
    manifest = small_image(trial, repo)
    tag = f"t-{trial.mark}"
    trial.step(f"push a manifest under Content-Type: {content_type or manifest.media_type}")
    answer = repo.put_manifest(tag, manifest.body, content_type or manifest.media_type)
    if content_type is not None:
        pulled = settled(trial, repo, tag, manifest.body, manifest.media_type)
        expected = f"a manifest pushed under Content-Type: {content_type} and pulled as {manifest.media_type}"
        shown = f"the PUT had {status_of(answer)} and the GET {content_of(pulled)}"
        held = answer.status == 201 and pulled.body == manifest.body
        if answer.status != 201:
            trial.granted(answer)
        if not trial(PARAMETERS, held, expected, answer, pulled, actual=shown):
            answer = repo.put_manifest(tag, manifest.body, manifest.media_type)
    if answer.status != 201:
        return
    settled(trial, repo, tag, manifest.body, manifest.media_type)
    for accept in accepts:
        trial.step(f"pull it with Accept: {' | '.join(accept.fields)}")
        pulled = repo.get_manifest(tag, accept.fields)
        held = served(pulled, manifest.body)
        trial(
            BY_KIND[accept.kind],
            held,
            "status 200 and the manifest as it was pushed",
            pulled,
            actual=content_of(pulled),
        )
