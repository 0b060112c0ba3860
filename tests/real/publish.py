"""Make the reports in reports/published/: ``python -m tests.real.publish [NAME...]``.

Each is a whole run of the suite on a registry that can be had as a package, and on the reference. The text beside it
says how the registry was run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import reports
from conformance.run.report_document import suite_version
from tests.real.registries import REGISTRIES
from tests.support.servers import ROOT, Server
from tests.support.suite import run_suite

PUBLISHED = ROOT / "reports" / "published"
#: Content that is the same each time.
_SEED = "20261128"
_DOCKER = """\
docker-registry serve config.yml

version: 0.1
storage:
  inmemory: {}
  delete: {enabled: %s}
http:
  addr: 127.0.0.1:0
"""
_STARTS = {registry.name: registry for registry in REGISTRIES}


@dataclass(frozen=True, slots=True)
class Published:
    """A report to make: product and variant, how to start the registry, and how that is told."""

    product: str
    variant: str
    start: Callable[[Path], AbstractContextManager[Server | None]]
    version: Callable[[], str]
    how: str
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder."""
        product = self.product.replace("/", "-")
        return "-".join(part for part in (product, self.version(), self.variant) if part)


def _docker_version() -> str:
    told = subprocess.run(["docker-registry", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)+", told)
    assert found, told
    return found[0]


def _nothing(_folder: Path) -> AbstractContextManager[None]:
    return nullcontext()


_TOKENS = "auth:\n  token: the token service of the reference, with an owner, a reader and a stranger\n"
_ZUUL = "zuul-registry -c registry.yaml serve\n\nanybody reads, one user writes; storage: filesystem\n"
ALL = (
    Published("docker-registry", "", _STARTS["docker-registry-delete-on"].start, _docker_version, _DOCKER % "true"),
    Published(
        "docker-registry", "delete-off", _STARTS["docker-registry-delete-off"].start, _docker_version, _DOCKER % "false"
    ),
    Published(
        "docker-registry",
        "tokens",
        _STARTS["docker-registry-token"].start,
        _docker_version,
        _DOCKER % "true" + _TOKENS,
        _STARTS["docker-registry-token"].options,
    ),
    Published(
        "zuul-registry",
        "",
        _STARTS["zuul-registry"].start,
        partial(version, "zuul-registry"),
        _ZUUL,
        _STARTS["zuul-registry"].options,
    ),
    Published("registry-conformance/reference", "", _nothing, suite_version, "the reference that comes along\n"),
)


def _make(published: Published) -> dict[str, Any]:
    """Run the suite and return its report."""
    with tempfile.TemporaryDirectory(prefix="published-") as scratch, published.start(Path(scratch)) as server:
        named = ("--product", published.product, "--product-version", published.version())
        url = server.url if server else "embedded"
        run = run_suite(url, "--seed", _SEED, *named, *published.options)
    if run.report is None or run.exit_code not in {0, 1} or not run.report["run"]["complete"]:
        sys.exit(f"{published.name}: exit code {run.exit_code}\n{run.stdout}{run.stderr}")
    print(f"{published.name}: exit code {run.exit_code}, {len(run.report['findings'])} findings")
    return run.report


def write(name: str, report: dict[str, Any], how: str) -> None:
    """Write a report and how it was run, without the white space that makes a report easy to read."""
    folder = PUBLISHED / name
    folder.mkdir(parents=True, exist_ok=True)
    reports.check(report)
    (folder / "report.json").write_text(json.dumps(report, separators=(",", ":")) + "\n", encoding="utf-8")
    (folder / "how.txt").write_text(how, encoding="utf-8")


def main(names: list[str]) -> None:
    """Make all reports, or those of some names."""
    known = {published.name: published for published in ALL}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"there is no {unknown[0]}; there are {', '.join(known)}")
    made = {name: _make(known[name]) for name in names or known}
    # Only now: a file that is changed before makes the suite of the runs after it one that no commit has.
    for name, report in made.items():
        write(name, report, known[name].how)


if __name__ == "__main__":
    main(sys.argv[1:])
