"""The cases of the proof: a registry with modifications, and the result that a run must have."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from allpairspy import AllPairs  # type: ignore[import-untyped]  # the package has no types

from reference import variants
from reference.faults import ALL as FAULTS
from reference.modifications import PROFILES, Fault, Variant
from reference.variants import ALL as VARIANTS
from spec.catalogue import load
from spec.trace import scenarios
from tests.support.sampling import number_of
from tests.support.servers import ROOT

#: How many variants a fault is put beside.
BESIDE = 5
#: Variants that together make what the specification forbids, and why.
INCOMPATIBLE = {
    frozenset({"location-other-host", "location-absolute"}): "the Location names a host that has no sessions",
    frozenset({"location-other-host", "location-alternating"}): "the Location names a host that has no sessions",
    frozenset({"reads-redirected", "token-everywhere"}): "a redirect leads where a login is wanted again",
    frozenset({"location-other-host", "token-everywhere"}): "sessions that want a login are where none is sent",
    frozenset({"location-other-host", "token-for-writes"}): "sessions that want a login are where none is sent",
    frozenset({"host-forms", "token-everywhere"}): "sessions that want a login are where none is sent",
    frozenset({"host-forms", "token-for-writes"}): "sessions that want a login are where none is sent",
    frozenset({"referrers-paged", "referrers-in-small-pages"}): "one cuts the pages of the other, and loses the rest",
}
#: Where the faults stand that cannot show beside a variant.
HIDDEN_FAULTS = Path(__file__).with_name("hidden_faults.yaml")
#: What refuses a token without a challenge.
_WITHOUT_CHALLENGE = frozenset({"token-refused-403", "token-refused-hidden"})
#: How many variants a theme of several modules has at most.
THEME = 10
#: How many requirements are judged besides those that a fault concerns.
SAMPLE = 12


@dataclass(frozen=True, slots=True)
class Case:
    """One run: the modifications, the set-up, and the requirements to judge (all if empty)."""

    kind: str
    name: str
    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    configuration: str = "memory"
    scope: tuple[str, ...] = ()
    seed: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """What the run is told."""
        told = [part for name in self.scope for part in ("--requirement", name)]
        told += ["--seed", number_of(self.seed, self.kind, self.name)]
        for name in self.variants:
            told += VARIANTS[name].options
        for name in self.faults:
            told += FAULTS[name].options
        return tuple(told)


class Plan:
    """Makes the cases; the seed chooses what is left to chance, so that a run can be repeated."""

    def __init__(self, seed: str, whole: bool) -> None:
        self._seed = seed
        self._whole = whole
        self._catalogue = load()
        self._scenarios = frozenset(name for scenario in scenarios(ROOT) for name in scenario.ids)

    def faults(self) -> Iterator[Case]:
        """Each fault alone, but those that show under load only (tests/conformance/load)."""
        for fault in _of_a_run():
            scope = self._scope(fault.name)
            yield Case("fault", fault.name, (fault.name,), fault.variants, fault.configuration, scope, self._seed)

    def variants(self) -> Iterator[Case]:
        """Each variant alone, the whole suite against it."""
        for variant in VARIANTS.values():
            yield Case("variant", variant.name, (), (variant.name,), variant.configuration, seed=self._seed)

    def together(self) -> Iterator[Case]:
        """Rows of variants in which each pair of themes occurs, and pairs of logins."""
        for pair in itertools.combinations([v.name for v in VARIANTS.values() if v.configuration == "token"], 2):
            if all(_mixes(VARIANTS[name]) for name in pair):
                yield Case("together", " and ".join(pair), (), pair, "token", seed=self._seed)
        themes = [[None, *names] for names in _themes().values()]
        for number, row in enumerate(AllPairs(themes, filter_func=_sensible), 1):
            chosen = tuple(name for name in row if name)
            if chosen:
                yield Case("together", f"row {number}", (), chosen, seed=self._seed)

    def beside(self) -> Iterator[Case]:
        """Each fault among some random variants that take nothing away."""
        for fault in _of_a_run():
            chooser = random.Random(f"{self._seed} {fault.name}")
            able = [
                v.name
                for v in VARIANTS.values()
                if _mixes(v) and v.configuration == fault.configuration and not _undoes(v, fault)
            ]
            able = sorted(name for name in able if name not in fault.variants)
            others: list[str] = []
            for name in chooser.sample(able, len(able)):
                if len(others) < BESIDE and _sensible((*others, name, *fault.variants)):
                    others.append(name)
            if others:
                # What the fault needs stays last, around the others.
                chosen = (*sorted(others), *fault.variants)
                scope = self._scope(fault.name)
                yield Case("beside", fault.name, (fault.name,), chosen, fault.configuration, scope, self._seed)

    def _scope(self, name: str) -> tuple[str, ...]:
        """The requirements of a fault and some others; all if only a whole run can see it."""
        fault = FAULTS[name]
        concerned = {*fault.breaks, *fault.also}
        if self._whole or fault.seldom or not set(fault.breaks) <= self._scenarios:
            return ()
        chooser = random.Random(f"{self._seed} {name}")
        others = chooser.sample(sorted(self._scenarios - concerned), SAMPLE)
        # With what they presume: only where the cause is judged too are consequences folded into
        # it.
        presumed = {root for other in others for root in self._catalogue.presumes(other)} & self._scenarios
        return (*sorted(concerned), *dict.fromkeys((*others, *sorted(presumed - concerned))))


def _of_a_run() -> list[Fault]:
    """The faults that a run can see."""
    return [fault for fault in FAULTS.values() if not fault.under_load]


def _mixes(variant: Variant) -> bool:
    """Whether a variant can stand beside any other: it lacks nothing and needs no options."""
    return not (variant.lacks or variant.options or variant.undecided) and len(variant.profiles) == len(PROFILES)


def _undoes(variant: Variant, fault: Fault) -> bool:
    """Whether a variant leaves out what a fault spoils, or hides the challenge for a login."""
    if fault.configuration == "token" and variant.name in _WITHOUT_CHALLENGE:
        return fault.apply is not None
    both = fault.tokens is not None and variant.tokens is not None
    return both or fault.name in hidden_faults().get(variant.name, ())


@functools.cache
def hidden_faults() -> Mapping[str, frozenset[str]]:
    """By variant, the faults that cannot show beside it."""
    entries = yaml.load(HIDDEN_FAULTS.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {name: frozenset(entry["faults"]) for name, entry in entries.items()}


def _sensible(row: Sequence[str | None]) -> bool:
    """Whether a row, or the part of one that is being made, has no pair that contradicts itself."""
    return not any(pair <= {*row} for pair in INCOMPATIBLE)


def _themes() -> dict[str, list[str]]:
    """The variants that mix, by themes: two of one theme would change the same thing.

    Small modules of a folder share a theme, so that a row does not hold a variant of each of them.
    """
    found: dict[str, list[str]] = {}
    for _, modules in itertools.groupby(variants.BY_MODULE.items(), lambda item: item[0].rpartition(".")[0]):
        theme = ""
        for module, entries in modules:
            names = [v.name for v in entries if _mixes(v) and v.configuration == "memory"]
            if not theme or len(found[theme]) + len(names) > THEME:
                theme = module
                found[theme] = []
            found[theme] += names
    return {theme: names for theme, names in found.items() if names}
