"""Rows of conditions, the content of blobs, and what laws are booked to."""

from __future__ import annotations

import gzip
import hashlib
import itertools
from collections.abc import Callable, Mapping

import pytest

from conformance.scenarios.conditions import checks
from conformance.scenarios.conditions.blobs import contents
from conformance.scenarios.conditions.blobs import possible as blobs
from conformance.scenarios.conditions.coverage import laws_tried
from conformance.scenarios.conditions.lists import laws as lists
from conformance.scenarios.conditions.manifests import laws as manifests
from conformance.scenarios.conditions.rows.rows import Row, offered, rows
from spec.conditions import load

POSSIBLE: Mapping[str, Callable[[Row], bool]] = {
    "blobs": blobs.possible,
    "manifests": manifests.possible,
    "lists": lists.possible,
}
CHECKS = checks.ALL


def _rows(subject: str, seed: str, effort: str = "default") -> list[Row]:
    dimensions = load().subjects[subject].dimensions
    values = {dimension: offered(dimension, lambda _: True, effort) for dimension in dimensions}
    return rows(values, seed, effort, POSSIBLE[subject], ("repository",))


@pytest.mark.parametrize("subject", POSSIBLE)
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_each_pair_that_is_possible_occurs(subject: str, seed: str) -> None:
    found = _rows(subject, seed)
    assert all(map(POSSIBLE[subject], found))
    together = {pair for row in found for pair in _shown(subject, row)}
    for one, other in itertools.combinations(load().subjects[subject].dimensions, 2):
        if one.look and other.look:
            continue
        for first, second in itertools.product(one.values, other.values):
            row = {one.id: first.id, other.id: second.id}
            wanted = not (first.effort or second.effort or first.dear or second.dear) and POSSIBLE[subject](row)
            if wanted:
                # What no whole row has is no pair that can occur together.
                assert frozenset(row.items()) in together or not _extends(subject, row), row


@pytest.mark.parametrize("deleted", [{"fate": "deleted"}, {"fate": "deleted-there"}, {"before": "deleted"}])
@pytest.mark.parametrize("content", sorted(blobs.COMMON))
def test_nothing_that_others_push_is_deleted_among_them(content: str, deleted: Row) -> None:
    """Where all scenarios share repositories, one may push the empty blob while another deletes it."""
    assert not blobs.possible_among_others({"content": content, **deleted})
    assert blobs.possible_among_others({"content": content, "fate": "kept", "before": "nothing"})
    assert blobs.possible_among_others({"content": "config", **deleted})


def _shown(subject: str, row: Row) -> set[frozenset[tuple[str, str]]]:
    """The pairs of a row but those of which another value of it hides something."""
    hidden: dict[str, set[str]] = {}
    for dimension in load().subjects[subject].dimensions:
        for name in dimension.value(row[dimension.id]).hides:
            hidden.setdefault(name, set()).add(dimension.id)
    return {
        frozenset(pair)
        for pair in itertools.combinations(row.items(), 2)
        if all(hidden.get(name, set()) <= {each for each, _ in pair} for name, _ in pair)
    }


def _extends(subject: str, row: Row) -> bool:
    """Whether some whole row has a pair."""
    rest = [d for d in load().subjects[subject].dimensions if d.id not in row]
    part = dict(row)
    for dimension in rest:
        fitting = [v.id for v in dimension.values if POSSIBLE[subject]({**part, dimension.id: v.id})]
        if not fitting:
            return False
        part[dimension.id] = fitting[0]
    return True


@pytest.mark.parametrize("subject", POSSIBLE)
def test_efforts_and_seeds(subject: str) -> None:
    assert _rows(subject, "1") == _rows(subject, "1")
    assert _rows(subject, "1") != _rows(subject, "2")
    quick = _rows(subject, "1", "quick")
    assert len(quick) < len(_rows(subject, "1"))
    for dimension in load().subjects[subject].dimensions:
        usual = {value.id for value in dimension.values if not value.effort}
        assert usual <= {row[dimension.id] for row in quick}


def test_what_is_dear_occurs_seldom() -> None:
    large = [row for row in _rows("manifests", "1") if row["kind"] == "large"]
    assert 1 <= len(large) <= 3


def test_a_target_without_a_part_gets_no_rows_of_it() -> None:
    arrival = load().dimensions["arrival"]
    assert "mounted" not in {value.id for value in offered(arrival, lambda part: part != "mount", "default")}


@pytest.mark.parametrize("kind", [value.id for value in load().dimensions["content"].values])
def test_contents(kind: str) -> None:
    content = contents.make(kind, "seed")
    whole = b"".join(content.pieces())
    assert len(whole) == content.size
    assert content.digest("sha512") == f"sha512:{hashlib.sha512(whole).hexdigest()}"
    assert content.part(3, 70000) == whole[3:70000]
    assert contents.make(kind, "seed").digest("sha256") == content.digest("sha256")
    if content.size > len("{}"):
        assert contents.make(kind, "other").digest("sha256") != content.digest("sha256")
    payload = content.payload(1, 5)
    assert (b"".join(payload()) if callable(payload) else payload) == whole[1:5]
    assert content.large == callable(payload)


def test_a_gzip_and_a_zstd_file_are_ones() -> None:
    packed = contents.make("gzip", "seed")
    assert len(gzip.decompress(packed.part(0, packed.size))) > 60000
    frame = contents.make("zstd", "seed")
    head = frame.part(0, 9)
    assert head[:4] == b"\x28\xb5\x2f\xfd"
    # One segment whose size is told in four bytes, and one last block that is as it is (RFC 8878,
    # 3.1.1).
    assert head[4] == 0xA0
    size = int.from_bytes(head[5:9], "little")
    block = int.from_bytes(frame.part(9, 12), "little")
    assert (block & 1, block >> 1 & 3, block >> 3) == (1, 0, size)
    assert frame.size == 12 + size


def test_each_look_is_booked_to_what_its_law_names() -> None:
    laws = load().laws
    assert {check.law for check in CHECKS} == set(laws)
    for check in CHECKS:
        assert {check.requirement, *check.special.values()} <= set(laws[check.law].requirements), check.title


def test_special_conditions_are_ones() -> None:
    known = {f"{d.id}={v.id}" for d in load().dimensions.values() for v in d.values}
    assert {key for check in CHECKS for key in check.special} <= known


def test_how_much_was_tried() -> None:
    row = {"content": "gzip", "arrival": "put", "before": "nothing"}
    tried = [
        {"subject": "blobs", "rows": [{"values": row, "laws": ["blob-kept"]}]},
        {"subject": "blobs", "rows": [{"values": {**row, "arrival": "post"}, "laws": []}]},
    ]
    found = {law["law"]: (law["rows"], law["pairs"], law["pairs_of_all"]) for law in laws_tried(tried)}
    assert found["blob-kept"] == (1, 3, 5)
    assert found["blob-head"] == (0, 0, 5)
    assert "manifest-kept" not in found
