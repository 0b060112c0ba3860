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
from contextlib import ExitStack
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
    # A home that is new each time: skopeo remembers where it saw a layer.
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(folder)}
    before = time.monotonic()
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - before, used.ru_utime + used.ru_stime


def _registry(name: str, folder: Path) -> Server:
    folder.mkdir()
    if name == "docker-registry":
        return _OPEN.enter_context(docker_registry(folder, filesystem=True))
    storage = {"filesystem": {"rootdirectory": str(folder / "content")}}
    return _OPEN.enter_context(reference(folder, config={"version": "0.1", "storage": storage}))


_OPEN = ExitStack()


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1024, help="MiB of the image")
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--registry", choices=["docker-registry", "reference"], default="docker-registry")
    given = parser.parse_args()
    with _OPEN, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = Layout(folder / "made")
        image = layout.image(layers=given.layers, size=(given.size << 20) // given.layers)
        source = layout.tag(image, "v1")
        one, other = (_registry(given.registry, folder / place).address for place in ("one", "other"))
        took: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for number in range(given.rounds):
            for client in ("dist", "skopeo"):
                start = [*_OURS, "copy"] if client == "dist" else [*_THEIRS]
                scheme = "" if client == "dist" else "docker://"
                pushed, copied = f"{one}/{client}/{number}:v1", f"{other}/{client}/{number}:v1"
                pulled = folder / "pulled"
                took["push", client].append(_run([*start, source, scheme + pushed], folder))
                took["pull", client].append(_run([*start, scheme + pushed, f"oci:{pulled}:v1"], folder))
                took["copy", client].append(_run([*start, scheme + pushed, scheme + copied], folder))
                assert blobs(pulled) == blobs(layout.folder), "other bytes came"
                shutil.rmtree(pulled)
    table = {
        f"{direction} {client}": [round(statistics.median(column), 2) for column in zip(*rounds, strict=True)]
        for (direction, client), rounds in took.items()
    }
    print(json.dumps({"registry": given.registry, "seconds and processor seconds": table}, indent=2))


if __name__ == "__main__":
    main()
