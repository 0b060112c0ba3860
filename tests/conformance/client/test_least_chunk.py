"""The least size of a chunk: as the target announces it, or as its owner tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.client.http.exchange import Headers, Response
from conformance.client.locations import announced_minimum
from tests.support.servers import reference
from tests.support.suite import run_suite

#: What a target that takes no small chunk leaves undecided, unless it is known from which size on it takes them.
_CHUNKS = ("PUSH-PATCH-STATUS-202", "PUSH-PATCH-RANGE-VALUE")


@pytest.mark.parametrize(("value", "least"), [("4096", 4096), ("0", 1), ("-1", 1), ("x", 1), ("9" * 16, 1), (None, 1)])
def test_an_announcement_that_is_no_number_is_none(value: str | None, least: int) -> None:
    fields = [("OCI-Chunk-Min-Length", value)] if value is not None else []
    assert announced_minimum(Response(202, "", Headers(fields))) == least


def test_the_owner_tells_a_minimum_that_is_not_announced(tmp_path: Path) -> None:
    selected = [text for id_ in _CHUNKS for text in ("--requirement", id_)]
    with reference(tmp_path, variants=["chunk-minimum-unannounced"]) as server:
        untold = run_suite(server.url, *selected)
        told = run_suite(server.url, *selected, "--min-chunk", "8192")
    assert [untold.outcomes[id_] for id_ in _CHUNKS] == ["inconclusive"] * 2
    assert [told.outcomes[id_] for id_ in _CHUNKS] == ["held"] * 2
    assert untold.broken == told.broken == []
