"""The impact of a change on all published runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.contract import Contract
from conformance.contract.dereference import DocumentError
from conformance.impact import scenarios
from conformance.impact.effects import Effect, Outlook
from conformance.impact.estimate import Changes, Guess, guesses, outlooks
from conformance.impact.replay import Replay, contracts, replay
from conformance.impact.runs import Run, RunError
from spec import diff
from spec.diff import Asks, Diff, Kind, Tree, TreeError


@dataclass(frozen=True, slots=True)
class Impact:
    """What changed, which runs were looked at, and what becomes of each.

    ``replayed`` has the number of exchanges that were checked again, and ``guesses`` what would be found of each
    requirement, both by the name of the run.
    """

    diff: Diff
    runs: tuple[Run, ...]
    outlooks: tuple[Outlook, ...]
    replayed: dict[str, int]
    guesses: dict[str, dict[str, Guess]]
    notes: tuple[str, ...] = ()

    def of(self, effect: Effect) -> list[Outlook]:
        """Give all with one effect."""
        return [outlook for outlook in self.outlooks if outlook.effect is effect]

    @property
    def unknown(self) -> dict[str, list[str]]:
        """The requirements of which nothing is known, by the name of the run."""
        found: dict[str, dict[str, None]] = {}
        for outlook in self.of(Effect.UNKNOWN):
            found.setdefault(outlook.registry, {})[outlook.requirement] = None
        return {name: [*ids] for name, ids in found.items()}


def impact(old: Tree, new: Tree, runs: Iterable[Run], profile: str = "") -> Impact:
    """Say what a change does to the registries of some runs, in all profiles or in one.

    Raises:
        TreeError: a specification is malformed.
        RunError, RecordingError: a run cannot be read, or the profile is unknown.
    """
    before, after = diff.read(old), diff.read(new)
    if profile and profile not in after.known.profiles:
        known = ", ".join(after.known.profiles)
        raise RunError(f"--profile: there is no {profile!r}; choose one of {known}")
    compared = diff.compare(before, after)
    in_document = frozenset(
        name for change in compared.asking(Asks.MORE, Asks.OTHERWISE, Asks.LESS) for name in change.requirements
    )
    changes = Changes(
        before.known, after.known, scenarios.changed(old, new), _with_scenarios(new, compared), in_document
    )
    notes: list[str] = []
    seen, found, counts = list[Run](), list[Outlook](), dict[str, int]()
    guessed: dict[str, dict[str, Guess]] = {}
    pair = contracts(before.document, after.document)
    for run in runs:
        seen.append(run)
        replayed = None
        if pair is not None and run.recording is not None:
            replayed = _replay(run, pair, new)
            counts[run.name] = replayed.exchanges
        elif pair is not None:
            notes.append(f"{run.name} has no recording: what changed in the OpenAPI document is not checked for it")
        guessed[run.name] = guesses(run, changes, replayed)
        found += [each for each in outlooks(run, changes, guessed[run.name]) if profile in {"", each.profile}]
    return Impact(compared, tuple(seen), tuple(found), counts, guessed, tuple(notes))


def _replay(run: Run, pair: tuple[Contract, Contract], new: Tree) -> Replay:
    assert run.recording is not None  # the caller has looked
    try:
        return replay(run.recording, *pair)
    except DocumentError as error:
        raise TreeError(f"the OpenAPI document of {new.name} cannot be used: {error}") from error


def _with_scenarios(new: Tree, compared: Diff) -> frozenset[str]:
    """Return what scenarios decide, where that is asked: those of the changed tree, or of this suite without any."""
    if not (compared.of(Kind.ADDED) or compared.of(Kind.STATUSES)):
        return frozenset()
    return scenarios.decided(new if scenarios.has_suite(new) else scenarios.of_suite())
