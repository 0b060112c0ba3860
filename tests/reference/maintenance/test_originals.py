"""What is out of order in the layout of the original is found from the files alone, and mended where that can be."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reference.__main__ import main
from reference.app import Registry
from reference.maintenance.originals import check
from reference.storage import StorageError
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from tests.reference.maintenance.damage import (
    LIST,
    PLAIN,
    die_at_each_step,
    push_images,
    push_layer_again,
    spoil,
)
from tests.reference.probe import CONFIG, LAYER, Client, digest
from tests.reference.storage import test_crashes as crashes

TOP = "docker/registry/v2"
REVISIONS = "_manifests/revisions"
SESSION = "3b1d1a6e-4d0a-4f5e-9f0a-0123456789ab"
UNTOLD = b'{"some": "thing"}'


async def _fill(root: Path) -> None:
    storage = DistributionStorage(root, "never")
    client = Client(Registry(storage))
    await push_images(client)
    await client.manifest("a", "untold", UNTOLD, "application/x+json")
    # What was deleted leaves folders, and content.
    await client.blob("a", b"gone")
    await client.call("DELETE", f"/v2/a/blobs/{digest(b'gone')}")
    await client.blob("b/c", b"wide", "sha512")
    _as_the_original_has_it(root, b"wide")
    storage.close()


def _as_the_original_has_it(root: Path, content: bytes) -> None:
    """Content of SHA-512 under its SHA-256."""
    target = link(root, digest(content), "b/c")
    for path, data in ((target, digest(content).encode()), (stored(root, digest(content)), content)):
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    link(root, digest(content, "sha512"), "b/c").write_text(digest(content))
    shutil.rmtree(root / TOP / "blobs/sha512")


def link(root: Path, known: str, name: str = "a", kind: str = "_layers") -> Path:
    return root / TOP / "repositories" / name / kind / known.replace(":", "/") / "link"


def stored(root: Path, known: str) -> Path:
    algorithm, _, encoded = known.partition(":")
    return root / TOP / "blobs" / algorithm / encoded[:2] / encoded / "data"


def tag(root: Path, name: str) -> Path:
    return root / TOP / "repositories/a/_manifests/tags" / name


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole") / "root"
    asyncio.run(_fill(root))
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "root")


def told(root: Path, *, repair: bool = False) -> list[str]:
    return [str(finding) for finding in check(root, repair=repair).found]


def test_a_storage_that_is_whole(root: Path) -> None:
    # The earliest versions of the original kept the signatures of schema 1 apart.
    (link(root, digest(PLAIN), kind=REVISIONS).with_name("signatures") / "sha256").mkdir(parents=True)
    findings = check(root)
    assert (findings.found, str(findings)) == (
        [],
        "2 repositories, 7 manifests, 6 blobs, 7 tags, 1 open uploads: 0 findings",
    )


def _unfinished(root: Path) -> None:
    (root / "scratch/x.part/current").mkdir(parents=True)
    (root / "scratch/y.part").touch()


def _emptied(path: Path) -> None:
    path.write_text("")


def _swapped(path: Path, target: str) -> None:
    path.write_text(target)


_TYPE = "application/other+json"
#: What is done to a storage; what is found, and whether a repair says that it was removed.
DAMAGE: list[tuple[Callable[[Path], object], str, bool]] = [
    (_unfinished, "scratch/x.part: was not finished", True),
    (lambda r: stored(r, digest(b"gone")).with_name("other").touch(), "/other: is nothing of the registry", False),
    (lambda r: (r / TOP / "blobs/file").touch(), "blobs/file: is nothing of the registry", False),
    (lambda r: (r / TOP / "repositories/a/file").touch(), "a: file is nothing of the registry", False),
    (lambda r: (r / TOP / "repositories/a/_other").mkdir(), "a: _other is nothing of the registry", False),
    (lambda r: (r / TOP / "repositories/a/_uploads/x").mkdir(), "a: _uploads/x is nothing of the registry", False),
    (lambda r: (r / TOP / "repositories/a/_uploads" / SESSION).mkdir(), f"{SESSION}: is no open upload", True),
    (lambda r: (r / TOP / "repositories/X/_layers").mkdir(parents=True), "X: is no name of a repository", False),
    (lambda r: (r / TOP / "repositories/a/_layers/sha256/x").touch(), "/x: is nothing of the registry", False),
    (lambda r: _emptied(link(r, digest(b"gone"))), f"a: blob {digest(b'gone')} has a link that names no digest", True),
    (lambda r: _swapped(link(r, digest(b"gone")), digest(CONFIG)), f"link to {digest(CONFIG)}, which is someth", True),
    (lambda r: _swapped(link(r, digest(b"gone")), digest(b"-")), f"link to {digest(b'-')}, which is not there", True),
    (lambda r: link(r, digest(UNTOLD), kind=REVISIONS).unlink(), "belongs to no manifest", True),
    (lambda r: _emptied(tag(r, "v2") / "current/link"), "a: tag v2 leads to nothing", True),
    (lambda r: shutil.rmtree(tag(r, "v2") / "current"), "a: tag v2 leads to nothing", True),
    (lambda r: _swapped(tag(r, "v2") / "current/link", digest(b"-")), f"leads to {digest(b'-')}, which is not", True),
    (lambda r: (tag(r, "v2").with_name(".x")).mkdir(), "a: '.x' is no tag", False),
    (
        lambda r: link(r, digest(PLAIN), kind=REVISIONS).with_name("type").write_text(_TYPE),
        f"a: manifest {digest(PLAIN)} has the type '{_TYPE}', and its mediaType is",
        True,
    ),
    (lambda r: link(r, digest(LAYER)).unlink(), f"a: manifest {digest(PLAIN)} lacks blob {digest(LAYER)}", False),
    (
        lambda r: link(r, digest(UNTOLD), kind=REVISIONS).with_name("type").unlink(),
        f"a: manifest {digest(UNTOLD)} has no type",
        False,
    ),
]


@pytest.mark.parametrize(("damage", "found", "is_removed"), DAMAGE, ids=map(str, range(len(DAMAGE))))
def test_each_damage_is_told_and_mended_where_that_can_be(
    root: Path, damage: Callable[[Path], object], found: str, is_removed: bool
) -> None:
    damage(root)
    before = told(root)
    assert any(found in line for line in before), before
    mended = told(root, repair=True)
    assert any(found in line and line.endswith(": removed") is is_removed for line in mended), mended
    assert [line for line in told(root) if found in line] == (
        [] if is_removed else [line for line in mended if found in line]
    )


def test_bad_content_is_set_apart_and_healed_by_a_push(root: Path) -> None:
    for content in (LAYER, LIST):
        spoil(stored(root, digest(content)), content)
    lines = told(root, repair=True)
    for name in ("a", "b/c"):
        assert f"{name}: blob {digest(LAYER)} has a link to {digest(LAYER)}, which is bad: removed" in lines
        assert f"{name}: tag list leads to {digest(LIST)}, which is not there: removed" in lines
    apart = sorted(path.name for path in (root / "quarantine").iterdir())
    assert apart == sorted(digest(content).replace(":", "-") for content in (LAYER, LIST))
    assert {line.partition(" lacks ")[2] for line in told(root)} == {f"blob {digest(LAYER)}"}

    push_layer_again(DistributionStorage(root, "never"))
    assert told(root) == []


@pytest.mark.parametrize("work", [crashes.push_by_two_digests, crashes.move_about, crashes.tag])
def test_a_death_at_any_step_leaves_nothing_that_is_not_mended(
    tmp_path: Path, work: Callable[[DistributionStorage], None]
) -> None:
    die_at_each_step(tmp_path, DistributionStorage, work, told)


def test_the_command_reads_this_layout(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = root.with_name("config.yml")
    storage = {"filesystem": {"rootdirectory": str(root), "layout": "distribution"}}
    config.write_text(json.dumps({"version": "0.1", "storage": storage}))
    _unfinished(root)
    for arguments, code, last in (
        ([], 1, "2 findings"),
        (["--repair"], 0, "2 findings, 2 repaired"),
        ([], 0, "0 findings"),
    ):
        assert main(["fsck", *arguments, str(config)]) == code
        assert capsys.readouterr().out.splitlines()[-1].endswith(f": {last}")
    opened = DistributionStorage(root)
    assert main(["fsck", str(config)]) == 4
    assert "another process uses it" in capsys.readouterr().err
    opened.close()


def test_what_is_no_storage_is_left_alone(tmp_path: Path) -> None:
    FilesystemStorage(tmp_path).close()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StorageError, match="no storage of the original registry"):
        check(tmp_path, repair=True)
    assert sorted(tmp_path.iterdir()) == before
