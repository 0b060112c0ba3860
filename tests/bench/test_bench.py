"""The parts of a measurement: the proxy that puts a distance before a registry, and the tables."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.bench import page
from tests.bench.baseline import Baseline
from tests.bench.distance import distance, operations
from tests.support.servers import reference

_ROUND_TRIP = 0.1


def test_the_proxy_adds_a_round_trip_and_counts(tmp_path: Path) -> None:
    with (
        reference(tmp_path) as server,
        distance(server.address, _ROUND_TRIP * 1000) as far,
        requests.Session() as session,
    ):
        begin = time.monotonic()
        for path, status in (("/v2/", 200), ("/v2/a/b/tags/list?n=1", 404), ("/v2/_catalog", 200)):
            assert session.get(far.url + path, timeout=10).status_code == status
        seconds = time.monotonic() - begin
    # One more for the connection.
    assert seconds >= 4 * _ROUND_TRIP
    assert far.connections == 1
    assert far.requests == {"base.get": 1, "tags.get": 1, "catalog.get": 1}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /v2/a/blobs/sha256:00", "blob.get"),
        ("POST /v2/a/b/blobs/uploads/", "upload.post"),
        ("PATCH /v2/a/blobs/uploads/1-2-3?_state=x", "upload.patch"),
        ("HEAD /v2/a/manifests/v1", "manifest.head"),
        ("GET /v2/a/referrers/sha256:00?artifactType=x", "referrers.get"),
        ("DELETE /v2/a/tags/list", "tags.delete"),
        ("GET /token?service=x", "other.get"),
    ],
)
def test_a_request_is_known_by_its_first_line(line: str, expected: str) -> None:
    data = f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert [*operations(data), *operations(b"a body, and then\n" + data)] == [expected, expected]
    assert not [*operations(b"GET /v2/ as a text\r\n")]


def _entry(**more: Any) -> dict[str, Any]:
    now = {"seconds": 5.04, "processor": 2.0, "memory": 100.2, "exchanges": 7}
    return {"target": "reference", "effort": "quick", "distance": 0.0, "now": now, **more}


def test_the_tables_stand_between_their_marks() -> None:
    ratios = {"seconds": 0.5, "processor": 0.25, "memory": 1.0}
    settings = [_entry(base="turns", ratios=ratios, operations={"blob.get": 4, "base.get": 3}), _entry(distance=50.0)]
    about = {"date": "2026-11-28", "machine": "a machine", "load_average": "0.1", "commit": "abc"}
    told = page.tables({**about, "baseline": {"commit": "def", "options": []}, "settings": settings})
    assert "| reference | quick | near | 5.0 | 0.50 | 2.0 | 0.25 | 100 | 1.00 | 7 | turns |" in told
    assert "| reference | quick | 50 ms | 5.0 | - | 2.0 | - | 100 | - | 7 | - |" in told
    assert "| all | 7 |" in told
    text = "before\n<!-- measured: bench -->\nold\n<!-- end -->\nafter\n"
    once = page.put(text, told)
    assert "old" not in once
    assert page.put(once, told) == once
    with pytest.raises(ValueError, match="no marks"):
        page.put("nothing", told)


def test_the_document_has_the_marks_and_the_baseline_its_machine_and_date() -> None:
    page.put(page.DOCUMENT.read_text(encoding="utf-8"), "told")
    for figures in Baseline.load().figures.values():
        assert {"seconds", "processor", "memory", "exchanges", "machine", "date"} <= set(figures)


def test_a_baseline_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline = Baseline("abc", ("-n", "auto"))
    baseline.note("reference quick 0", {"seconds": 1.0})
    baseline.write(path)
    found = Baseline.load(path)
    assert found == baseline
    assert json.loads(path.read_text(encoding="utf-8"))["figures"]["reference quick 0"]["machine"]
