"""``python -m tests.real.published``: run the suite on the registries at hand, and keep reports and recordings.

They go to ``reports/published/`` as NAME.json.gz and NAME.har.gz. ``--import FILE`` takes a report over that was made
elsewhere, with its recording beside it if there is one.
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
from importlib.metadata import version
from pathlib import Path

import reports
from reports.model import Report
from tests.support.servers import ROOT, Server, docker_registry, zuul_registry
from tests.support.suite import run_suite

FOLDER = ROOT / "reports" / "published"
#: The same content for each registry, and again.
_SEED = "20261128"


@contextmanager
def _embedded(_: Path) -> Iterator[Server | None]:
    yield None


_Start = Callable[[Path], AbstractContextManager[Server | None]]
#: How each is started, and further options of the suite.
_REGISTRIES: dict[str, tuple[_Start, tuple[str, ...]]] = {
    "docker-registry": (docker_registry, ()),
    "zuul-registry": (zuul_registry, ("--username", "writer", "--password", "secret")),
    "reference": (_embedded, ()),
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
        _keep(report, path.name.removesuffix(".gz").removesuffix(".json"))
        print(f"{path}: taken over")
    for name in options.names or ([] if options.taken else _REGISTRIES):
        failed |= not _publish(name)
    return int(failed)


def _publish(name: str) -> bool:
    start, more = _REGISTRIES[name]
    with tempfile.TemporaryDirectory(prefix="published-") as made:
        folder = Path(made)
        product = () if name == "reference" else ("--product", name, "--product-version", _version(name))
        with start(folder) as server:
            url = server.url if server is not None else "embedded"
            recording = FOLDER / f"{name}.har.gz"
            run = run_suite(url, *more, *product, "--seed", _SEED, "--record", str(recording), report=folder / "report")
        if run.report is None or run.exit_code not in {0, 1}:
            print(f"{name}: {run.stdout}{run.stderr}", file=sys.stderr)
            return False
        _keep(reports.load(folder / "report" / "report.json"), name)
    sizes = ", ".join(f"{path.name} {path.stat().st_size:,} bytes" for path in sorted(FOLDER.glob(f"{name}.*")))
    print(f"{name}: {run.report['run']['exchanges']['count']} exchanges in {run.seconds:.0f} s; {sizes}")
    return True


def _keep(report: Report, name: str) -> None:
    data = json.dumps(report, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    (FOLDER / f"{name}.json.gz").write_bytes(gzip.compress(data, mtime=0))


def _version(name: str) -> str:
    """Return the version of a registry as its page in docs/findings calls it."""
    if name == "zuul-registry":
        return version(name)
    program = shutil.which(name)
    said = subprocess.run([program or name, "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1].partition("+")[0].removeprefix("v")


if __name__ == "__main__":
    raise SystemExit(main())
