"""dist beside skopeo: an image of many layers is pushed, pulled and copied, by both in turn.

``python -m tests.dist_client.measure [--size MiB] [--layers N] [--rounds N] [--registry NAME]`` prints a table of
medians: seconds, and seconds of processor time of the client. Nothing else should run beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tests.clients.images import Layout, blobs
from tests.support.servers import ROOT, Server, docker_registry, reference

_OURS = (sys.executable, "-m", "reference.dist", "-q")
_PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")
_THEIRS = ("skopeo", "--insecure-policy", "copy", "-q", "--preserve-digests", *_PLAIN)


def _run(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a client with a home of its own; seconds, and seconds of processor time."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(folder)}
    before = time.monotonic()
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - before, used.ru_utime + used.ru_stime


def _there_and_back(
    client: str, registry: str, place: Path, source: str, made: Path
) -> Iterator[tuple[str, float, float]]:
    """Push, pull and copy with new registries: skopeo remembers, across its homes, where it saw a layer."""
    start = [*_OURS, "copy"] if client == "dist" else [*_THEIRS]
    scheme = "" if client == "dist" else "docker://"
    place.mkdir()
    with _registry(registry, place / "one") as one, _registry(registry, place / "other") as other:
        pushed, copied = f"{scheme}{one.address}/team/app:v1", f"{scheme}{other.address}/team/app:v1"
        pulled = place / "pulled"
        yield "push", *_run([*start, source, pushed], place)
        yield "pull", *_run([*start, pushed, f"oci:{pulled}:v1"], place)
        yield "copy", *_run([*start, pushed, copied], place)
        if blobs(pulled) != blobs(made):
            raise SystemExit(f"{client}: other bytes came")


def _registry(name: str, folder: Path) -> AbstractContextManager[Server]:
    folder.mkdir()
    if name == "docker-registry":
        return docker_registry(folder, filesystem=True)
    storage = {"filesystem": {"rootdirectory": str(folder / "content")}}
    return reference(folder, config={"version": "0.1", "storage": storage})


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1024, help="MiB of the image")
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--registry", choices=["docker-registry", "reference"], default="docker-registry")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = Layout(folder / "made")
        image = layout.image(layers=given.layers, size=(given.size << 20) // given.layers)
        source = layout.tag(image, "v1")
        took: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for number in range(given.rounds):
            for client in ("dist", "skopeo") if number % 2 else ("skopeo", "dist"):
                place = folder / f"{client}-{number}"
                for direction, *used in _there_and_back(client, given.registry, place, source, layout.folder):
                    took[direction, client].append((used[0], used[1]))
                shutil.rmtree(place)
    table = {
        f"{direction} {client}": [round(statistics.median(column), 2) for column in zip(*rounds, strict=True)]
        for (direction, client), rounds in took.items()
    }
    print(json.dumps({"registry": given.registry, "seconds and processor seconds": table}, indent=2))


if __name__ == "__main__":
    main()
