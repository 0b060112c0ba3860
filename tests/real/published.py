"""``python -m tests.real.published``: run the suite on the registries at hand, and keep reports and recordings.

They go to ``reports/published/`` as NAME.json.gz and NAME.har.gz, and NAME.txt says how the registry was run.
``--import FILE`` takes a report over that was made elsewhere.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import reports
from reports.model import Report
from tests.real.registries import REGISTRIES
from tests.support.servers import ROOT, Server
from tests.support.suite import run_suite

FOLDER = ROOT / "reports" / "published"
#: The same content for each registry, and again.
_SEED = "20261128"


@contextmanager
def _embedded(_: Path) -> Iterator[Server | None]:
    yield None


@dataclass(frozen=True, slots=True)
class _Run:
    """A run to publish: how the registry is started and called, and further options."""

    product: str
    start: Callable[[Path], AbstractContextManager[Server | None]]
    options: tuple[str, ...] = ()


_STARTS = {registry.name: registry for registry in REGISTRIES}
_TOKEN, _ZUUL = _STARTS["docker-registry-token"], _STARTS["zuul-registry"]
_REGISTRIES = {
    "docker-registry": _Run("docker-registry", _STARTS["docker-registry-delete-on"].start),
    "docker-registry-delete-off": _Run("docker-registry", _STARTS["docker-registry-delete-off"].start),
    "docker-registry-tokens": _Run("docker-registry", _TOKEN.start, _TOKEN.options),
    "zuul-registry": _Run("zuul-registry", _ZUUL.start, _ZUUL.options),
    "reference": _Run("", _embedded),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish the runs that are asked for; 0, or 1 if one of them came to no report."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.published", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(_REGISTRIES)}; all by default")
    parser.add_argument("--import", dest="taken", type=Path, action="append", default=[], metavar="FILE")
    options = parser.parse_args(arguments)
    if strangers := [name for name in options.names if name not in _REGISTRIES]:
        parser.error(f"there is no {strangers[0]!r}; choose of {', '.join(_REGISTRIES)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    failed = False
    for path in options.taken:
        report = reports.load(path)
        _keep(report, path.name.removesuffix(".gz").removesuffix(".json"), FOLDER)
        print(f"{path}: taken over")
    with tempfile.TemporaryDirectory(prefix="published-") as made:
        for name in options.names or ([] if options.taken else _REGISTRIES):
            failed |= not _publish(name, Path(made))
        # Only now: a file that is changed before makes the suite of the runs after it one that no commit has.
        for path in sorted(Path(made).iterdir()):
            shutil.copy(path, FOLDER / path.name)
    return int(failed)


def _publish(name: str, kept: Path) -> bool:
    """Run the suite on a registry, and keep the report and the recording in a folder; False where there is none."""
    wanted = _REGISTRIES[name]
    with tempfile.TemporaryDirectory(prefix="published-") as made:
        folder = Path(made)
        options = [*wanted.options, "--seed", _SEED, "--record", str(folder / "run.har.gz")]
        if wanted.product:
            options += ["--product", wanted.product, "--product-version", _version(wanted.product)]
        with wanted.start(folder) as server:
            run = run_suite(server.url if server is not None else "embedded", *options, report=folder / "report")
        if run.report is None or run.exit_code not in {0, 1}:
            print(f"{name}: {run.stdout}{run.stderr}", file=sys.stderr)
            return False
        _keep(reports.load(folder / "report" / "report.json"), name, kept)
        shutil.copy(folder / "run.har.gz", kept / f"{name}.har.gz")
    sizes = ", ".join(f"{path.name} {path.stat().st_size:,} bytes" for path in sorted(kept.glob(f"{name}.*")))
    print(f"{name}: {run.report['run']['exchanges']['count']} exchanges in {run.seconds:.0f} s; {sizes}")
    return True


def _keep(report: Report, name: str, folder: Path) -> None:
    data = json.dumps(report, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(data, mtime=0))


def _version(name: str) -> str:
    """Return the version of a registry as its page in docs/findings calls it."""
    if name == "zuul-registry":
        return version(name)
    program = shutil.which(name)
    said = subprocess.run([program or name, "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1].partition("+")[0].removeprefix("v")


if __name__ == "__main__":
    raise SystemExit(main())
