"""``python -m tests.bench``: measure runs of this checkout and of the baseline, and write docs/measurements.md."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from conformance.run.report_document import commit
from tests.bench import page
from tests.bench.baseline import Baseline, machine
from tests.bench.distance import distance
from tests.bench.measure import BenchError, Cost, checkout, run
from tests.support.servers import ROOT, Server, docker_registry, reference

TARGETS: dict[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "docker-registry": docker_registry,
    "reference": reference,
}
EFFORTS, DISTANCES = ("default", "quick"), (0.0, 50.0, 150.0)
_SEED = "15"
_FOLDER = ROOT / "build" / "bench"
_RESULT = _FOLDER / "result.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options ask for; return 1 where something could not be measured."""
    options = _parser().parse_args(arguments)
    baseline = Baseline.load()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "load_average": f"{os.getloadavg()[0]:.1f}",
        "commit": commit() or "unknown",
        "baseline": {"commit": baseline.commit, "options": list(baseline.options)},
        "settings": [],
    }
    kept = _kept() if options.keep else []
    try:
        for far in sorted(set(options.distance or DISTANCES)):
            for target in options.target or TARGETS:
                for effort in options.effort or EFFORTS:
                    found = _setting(baseline, target, effort, far, options)
                    kept = [*(entry for entry in kept if _key(entry) != _key(found)), found]
                    result["settings"] = sorted(kept, key=_key)
                    print(json.dumps({name: found[name] for name in found if name != "operations"}), flush=True)
                    _RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    except BenchError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    told = page.tables(result)
    print(told)
    if options.write:
        text = page.put(page.DOCUMENT.read_text(encoding="utf-8"), told)
        page.DOCUMENT.write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--target", action="append", choices=[*TARGETS], help="only this registry (repeatable)")
    add("--effort", action="append", choices=EFFORTS, help="only this effort (repeatable)")
    add("--distance", action="append", type=float, metavar="MS", help="only this round trip (repeatable) [0 50 150]")
    add("--turns", type=int, default=3, metavar="NUMBER", help="turns of both commits where the target is near [3]")
    up_to = "round trip up to which the baseline is measured too; beyond it, its file serves [0]"
    add("--turns-up-to", type=float, default=0.0, metavar="MS", help=up_to)
    add("--baseline", action="store_true", help="write what was measured of the baseline into its file")
    add("--keep", action="store_true", help="keep the other settings of the last measurement (build/bench/result.json)")
    add("--write", action="store_true", help="write docs/measurements.md")
    return parser


def _kept() -> list[dict[str, Any]]:
    """Return the settings of the last measurement, if there was one."""
    if not _RESULT.is_file():
        return []
    settings: list[dict[str, Any]] = json.loads(_RESULT.read_text(encoding="utf-8"))["settings"]
    return settings


def _key(entry: dict[str, Any]) -> tuple[float, int, int]:
    """Return the place of a setting in the table."""
    return entry["distance"], [*TARGETS].index(entry["target"]), EFFORTS.index(entry["effort"])


def _setting(baseline: Baseline, target: str, effort: str, far: float, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one setting: in turns with the baseline where it is near, else once, as waiting is what takes time."""
    name = f"{target} {effort} {far:g}"
    found: dict[str, Any] = {"target": target, "effort": effort, "distance": far}
    nows: list[Cost] = []
    bases: list[Cost] = []
    if far > options.turns_up_to:
        now, found["operations"] = _once(ROOT, target, effort, far)
        nows.append(now)
    else:
        tree = checkout(baseline.commit, _FOLDER)
        for _ in range(1 if far else options.turns):
            bases.append(_once(tree, target, effort, far, baseline.options)[0])
            now, counted = _once(ROOT, target, effort, far)
            nows.append(now)
        # Where no proxy is, one more run is counted.
        found["operations"] = counted or _once(ROOT, target, effort, 0.0, counted=True)[1]
    found["now"] = _middle(nows)
    if bases:
        found["base"], found["ratios"] = "turns", _ratios(nows, bases)
        if options.baseline:
            baseline.note(name, _middle(bases))
            baseline.write()
    elif name in baseline.figures:
        before = baseline.figures[name]
        found["base"] = f"file, {before['date']}"
        found["ratios"] = {key: found["now"][key] / before[key] for key in ("seconds", "processor", "memory")}
    return found


def _once(
    tree: Path, target: str, effort: str, far: float, options: Sequence[str] = (), *, counted: bool = False
) -> tuple[Cost, dict[str, int]]:
    """Run a checkout once against a registry of its own; requests by operation where a distance is before it."""
    with _started(target) as server:
        if not far and not counted:
            return run(tree, server.url, effort, _SEED, options), {}
        with distance(server.address, far) as proxy:
            cost = run(tree, proxy.url, effort, _SEED, options)
            return cost, dict(proxy.requests)


@contextmanager
def _started(target: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, TARGETS[target](Path(folder)) as server:
        yield server


def _middle(costs: Sequence[Cost]) -> dict[str, Any]:
    """Return the medians."""
    plain = [cost.plain() for cost in costs]
    return {name: statistics.median(each[name] for each in plain) for name in plain[0]}


def _ratios(nows: Sequence[Cost], bases: Sequence[Cost]) -> dict[str, float]:
    """Return the medians of the ratios of each turn."""
    pairs = [(now.plain(), base.plain()) for now, base in zip(nows, bases, strict=True)]
    names = ("seconds", "processor", "memory")
    return {name: round(statistics.median(now[name] / base[name] for now, base in pairs), 3) for name in names}


if __name__ == "__main__":
    sys.exit(main())
