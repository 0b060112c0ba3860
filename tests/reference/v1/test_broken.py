"""An image that is of no use is named with its id, and the others come."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reference.storage.memory import MemoryStorage
from tests.reference.v1.brought import OTHER, SECOND, bring, command
from tests.reference.v1.writer import PACKED, Writer, tar_of

Spoil = Callable[[Path], object]


def cut(kind: str) -> Spoil:
    def spoil(image: Path) -> None:
        (image / "_checksum").unlink()
        whole = PACKED[kind](tar_of(SECOND))
        (image / "layer").write_bytes(whole[: len(whole) - 30])

    return spoil


def rewrite(name: str, content: bytes) -> Spoil:
    return lambda image: (image / name).write_bytes(content)


def unchecked(content: bytes) -> Spoil:
    def spoil(image: Path) -> None:
        (image / "_checksum").unlink()
        (image / "layer").write_bytes(content)

    return spoil


def without(member: str) -> Spoil:
    def spoil(image: Path) -> None:
        members = json.loads((image / "json").read_bytes())
        del members[member]
        (image / "json").write_text(json.dumps(members))

    return spoil


NOT_LISTED = "its ancestry does not list it and the images below it"


BROKEN: dict[str, tuple[Spoil, str]] = {
    "no image": (shutil.rmtree, "its ancestry is missing"),
    "no layer": (lambda image: (image / "layer").unlink(), "its layer is missing"),
    "no json": (lambda image: (image / "json").unlink(), "its json is missing"),
    "no ancestry": (lambda image: (image / "ancestry").unlink(), "its ancestry is missing"),
    "text": (rewrite("json", b'{"id": '), "its json is not JSON"),
    "bytes": (rewrite("json", b"\xff"), "its json is not JSON"),
    "not a number": (rewrite("json", b'{"id": NaN}'), "its json is not JSON"),
    "deep": (rewrite("ancestry", b"[" * 100_000), "its ancestry is not JSON"),
    "list": (rewrite("json", b"[]"), "its JSON is about something else"),
    "other id": (without("id"), "its JSON is about something else"),
    "no list": (rewrite("ancestry", b"{}"), NOT_LISTED),
    "outside": (rewrite("ancestry", b'["../../x"]'), NOT_LISTED),
    "empty list": (rewrite("ancestry", b"[]"), NOT_LISTED),
    "parent": (without("parent"), "its parent is not the one of the ancestry"),
    "in progress": (rewrite("_inprogress", b"true"), "its push did not come to an end"),
    "other bytes": (rewrite("layer", tar_of(OTHER)), "its layer is not what was pushed: it has another checksum"),
    "no bytes": (unchecked(b""), "its layer has no byte, not even those of an empty tar"),
    "no tar": (unchecked(b"<html>" + bytes(506)), "its layer is no tar"),
    "cut tar": (cut("plain"), "its layer ends too early, or is no tar"),
    "cut gzip": (cut("gzip"), "its layer ends too early"),
    "cut xz": (cut("xz"), "its layer ends too early"),
    "cut bzip2": (cut("bzip2"), "its layer ends too early"),
    "bad gzip": (unchecked(b"\x1f\x8b\x08" + bytes(40)), "its layer cannot be decompressed"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_image_is_named_and_the_others_come(own: Writer, case: str) -> None:
    spoil, says = BROKEN[case]
    broken = (own.root / "repositories/library/app/tag_v2").read_text()
    spoil(own.image_folder(broken))
    storage = MemoryStorage()
    told = bring(own, storage)
    (warning,) = told.warnings
    assert warning.startswith(f"library/app:v2: image {broken}: {says}"), warning
    assert told.tags == ["library/app:latest", "library/app:v1", "team/nothing:v1", "team/tools/deep:_x"]
    assert storage.open_uploads() == 0


def test_what_is_on_a_broken_image_is_broken(own: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = json.loads(
        (own.image_folder((own.root / "repositories/library/app/tag_v2").read_text()) / "ancestry").read_text()
    )[1]
    shutil.rmtree(own.image_folder(app))
    own.tag("team/nothing", "v2", "none").write_text("none\n")
    assert command(tmp_path, own) == 1
    done = capsys.readouterr()
    lines = [f"registry: library/app:{tag}: image {app}: it is missing" for tag in ("latest", "v1", "v2")]
    bad = own.root / "repositories/team/nothing/tag_v2"
    assert done.err.splitlines() == [*lines, f"registry: team/nothing:v2: {bad} holds no id of an image"]
    assert done.out.splitlines()[-1].startswith("2 tags imported, 0 unchanged, 4 problems;")
    # Nothing was stored of an image that is left out.
    assert not (tmp_path / "root/repositories/library").exists()
