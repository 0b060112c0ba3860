"""Runs of the search: the same requests for the same seed, and nothing left behind."""

from __future__ import annotations

import re
import subprocess
import sys

import requests

from tests.support.forking import Forker
from tests.support.scripted.server import Answer, Asked, serve
from tests.support.servers import ROOT, Server

_RUN = re.compile(r"conformance(?:/|%2F)[0-9a-f]{6}-")
_SESSION = re.compile(r"(?<=uploads/)[0-9a-f-]{36}")


def test_the_same_seed_sends_the_same_requests(suite: Forker, open_registry: Server) -> None:
    def forward(asked: Asked) -> Answer:
        headers = {name: value for name, value in asked.headers.items() if name not in {"host", "connection"}}
        url = open_registry.url + asked.path
        got = requests.request(asked.method, url, headers=headers, data=asked.body, allow_redirects=False, timeout=5)
        kept = [(n, v) for n, v in got.headers.items() if n.lower() not in {"content-length", "connection", "date"}]
        return Answer(got.status_code, got.content, tuple(kept))

    def asked(seed: int) -> list[tuple[str, str, bytes]]:
        with serve(forward) as tiny:
            nodes = [f"=conformance/scenarios/search/test_search_{name}" for name in ("names.py", "states.py")]
            # One process: the order between several is not that of the seed.
            suite.run(tiny.url, *nodes, "--seed", str(seed), "--keep", "--effort", "quick", "-n", "0")
            return [(a.method, _SESSION.sub("SESSION", _RUN.sub("RUN", a.path)), a.body) for a in tiny.asked]

    first = asked(1)
    assert len(first) > 20
    assert first == asked(1)
    assert first != asked(2)


def test_nothing_is_left_behind(suite: Forker, open_registry: Server) -> None:
    # Other tests may have made the folder; a run adds nothing to it.
    before = {path.name for path in (ROOT / ".hypothesis").glob("*/*")}
    suite.run(open_registry.url, "=conformance/scenarios/search", "--effort", "quick", "--keep")
    assert {path.name for path in (ROOT / ".hypothesis").glob("*/*")} == before


def test_a_run_without_the_search_does_without_hypothesis() -> None:
    modules = "sys, conformance.run.plugin, conformance.scenarios.search.test_search_states"
    code = f"import {modules}; print('hypothesis' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
