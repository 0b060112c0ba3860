"""What is out of order in a storage is found from its files alone, and mended where that loses nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reference.app import Registry
from reference.maintenance.fsck import check
from reference.storage import StorageError
from reference.storage.filesystem import FilesystemStorage
from tests.reference.maintenance.damage import (
    ABOUT,
    LIST,
    PLAIN,
    die_at_each_step,
    push_images,
    push_layer_again,
    spoil,
)
from tests.reference.maintenance.test_collection import configured, run
from tests.reference.probe import LAYER, Client, digest
from tests.reference.storage import test_crashes as crashes
from tests.support.killed import Killed, failing_after


async def _fill(root: Path) -> None:
    storage = FilesystemStorage(root, "never")
    client = Client(Registry(storage))
    await push_images(client)
    storage.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole") / "root"
    asyncio.run(_fill(root))
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    """A copy in which files have as many names as in the original."""
    copy, made = tmp_path / "root", dict[int, Path]()

    def keep(source: str, target: str) -> None:
        number = Path(source).stat().st_ino
        if number in made:
            Path(target).hardlink_to(made[number])
        else:
            shutil.copy2(source, target)
            made[number] = Path(target)

    shutil.copytree(whole, copy, copy_function=keep)
    return copy


def held(root: Path, content: bytes, name: str = "a", kind: str = "_blobs") -> Path:
    return root / "repositories" / name / kind / "sha256" / digest(content)[7:]


def stored(root: Path, content: bytes) -> Path:
    encoded = digest(content)[7:]
    return root / "blobs" / "sha256" / encoded[:2] / encoded


def spoil_alone(path: Path, content: bytes) -> None:
    """This name of it, and no other one."""
    path.unlink()
    spoil(path, content)


def told(root: Path, *, repair: bool = False) -> list[str]:
    return [str(finding) for finding in check(root, repair=repair).found]


def test_a_storage_that_is_whole(root: Path) -> None:
    findings = check(root)
    assert (findings.found, str(findings)) == (
        [],
        "2 repositories, 6 manifests, 4 blobs, 6 tags, 1 open uploads: 0 findings",
    )


def _tagged(root: Path) -> Path:
    return root / "repositories/a/_tagged/sha256" / digest(PLAIN)[7:] / "v1"


def _referrer(root: Path) -> Path:
    (found,) = (root / "repositories/a/_referrers").glob(f"sha256/*/{digest(ABOUT)}")
    return found


def _lost_manifest(root: Path, *names: str) -> None:
    for name in names:
        path = held(root, LIST, name, "_manifests")
        path.unlink()
        path.with_suffix(".type").unlink()


#: What is done to a storage; what is found; what a repair says.
MENDED: list[tuple[Callable[[Path], object], str, str]] = [
    (lambda r: spoil_alone(held(r, LAYER), LAYER), f"a: blob {digest(LAYER)} is not what its", "replaced by good"),
    (lambda r: spoil_alone(stored(r, LAYER), LAYER), "blobs/sha256/", "taken from there"),
    (lambda r: stored(r, LAYER).unlink(), "is missing, and a repository holds it", "taken from there"),
    (lambda r: (stored(r, LAYER).with_name(digest(LAYER)[7:9] + "0" * 62)).touch(), "not what its", "to quarantine"),
    (lambda r: _lost_manifest(r, "a", "b/c"), "held by no rep", "removed"),
    (lambda r: held(r, LIST, kind="_manifests").unlink(), "belongs to no manifest", "removed"),
    (lambda r: held(r, PLAIN, kind="_manifests").with_suffix(".type").write_text(""), "has the type ''", "latter was"),
    (lambda r: held(r, PLAIN, kind="_manifests").with_suffix(".type").write_text("a/b"), "type 'a/b'", "latter was"),
    (lambda r: (r / "repositories/a/_tags/v1").write_text(""), "tag v1 leads to nothing", "removed"),
    (lambda r: (r / "repositories/a/_tags/x").write_bytes(b"\xff"), "tag x leads to '\\ufffd', which", "removed"),
    (lambda r: (r / "repositories/a/_tags/v1").unlink(), "was left by its tag v1", "removed"),
    (lambda r: _lost_manifest(r, "a"), f"tag list leads to {digest(LIST)}, which is not there", "removed"),
    (lambda r: _tagged(r).unlink(), f"{digest(PLAIN)} does not know of its tag v1", "noted"),
    (lambda r: _referrer(r).unlink(), f"{digest(ABOUT)} is not in the list of referrers of {digest(PLAIN)}", "added"),
    (lambda r: _referrer(r).with_name("sha256:00").touch(), "sha256:00 is in a list of referrers", "removed"),
    (lambda r: (r / "uploads/x.part").touch(), "uploads/x.part: is no open upload", "removed"),
    (lambda r: (r / "uploads/5c0d1f2e-9a3b-4c6d-8e7f-0a1b2c3d4e5f").touch(), "is no open upload", "removed"),
    (lambda r: (r / "layout").unlink(), "layout: is missing", "written"),
]


@pytest.mark.parametrize("number", range(len(MENDED)))
def test_what_can_be_mended_is(root: Path, number: int) -> None:
    change, says, done = MENDED[number]
    change(root)
    before = sorted(path for path in root.rglob("*") if path.name != "lock")
    assert [line for line in told(root) if says in line and done not in line]
    assert sorted(path for path in root.rglob("*") if path.name != "lock") == before
    repaired = check(root, repair=True)
    assert [line for line in map(str, repaired.found) if says in line and done in line]
    assert repaired.left == []
    assert told(root) == []


def _strange(path: str) -> Callable[[Path], object]:
    def make(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()

    return make


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: held(r, LAYER).unlink(), f"a: manifest {digest(PLAIN)} lacks blob {digest(LAYER)}"),
        (lambda r: held(r, PLAIN, kind="_manifests").unlink(), f"manifest {digest(LIST)} lacks manifest"),
        (_strange("blobs/sha256/ab/x"), "blobs/sha256/ab/x: is nothing of the registry"),
        (_strange("blobs/x"), "blobs/x: is nothing of the registry"),
        (_strange("repositories/a/_blobs/md5/x"), "repositories/a/_blobs/md5: is nothing"),
        (_strange("repositories/a/_manifests/sha256/x.type"), "_manifests/sha256/x.type: is nothing"),
        (_strange("repositories/a/x"), "repositories/a/x: is nothing"),
        (_strange("repositories/a/_x/y"), "a: _x is nothing of the registry"),
        (_strange("repositories/x/_tags/v1"), "repositories/x/_tags: is nothing"),
        (_strange("repositories/A/_blobs/sha256/x"), "A: is no name of a repository"),
        (_strange("repositories/a/_tags/.x"), "a: '.x' is no tag"),
        (lambda r: (r / "repositories/a/_blobs/sha256" / ("0" * 64)).symlink_to("/etc/passwd"), "is nothing of"),
    ],
)
def test_what_nobody_but_its_owner_can_mend_is_told(root: Path, change: Callable[[Path], object], says: str) -> None:
    change(root)
    assert [line for line in told(root, repair=True) if says in line]
    assert check(root).left


def test_content_that_is_bad_everywhere_is_set_apart_and_can_be_pushed_again(root: Path) -> None:
    for content in (LAYER, LIST):
        spoil(stored(root, content), content)
    lines = told(root, repair=True)
    for name in ("a", "b/c"):
        assert f"{name}: blob {digest(LAYER)} is not what its digest says: moved to quarantine" in lines
        assert f"{name}: manifest {digest(PLAIN)} lacks blob {digest(LAYER)}" in lines
        assert f"{name}: tag list leads to {digest(LIST)}, which is not there: removed" in lines
    apart = {path.name: path.read_bytes() for path in (root / "quarantine").iterdir()}
    assert sorted(apart) == sorted(digest(content).replace(":", "-") for content in (LAYER, LIST))
    assert len(told(root)) == 4

    push_layer_again(FilesystemStorage(root))
    assert told(root) == []


@pytest.mark.parametrize("work", [crashes.push_by_two_digests, crashes.move_about, crashes.tag])
def test_a_death_at_any_step_leaves_nothing_that_is_not_mended(
    tmp_path: Path, work: Callable[[FilesystemStorage], None]
) -> None:
    die_at_each_step(tmp_path, FilesystemStorage, work, told)


def test_a_repair_that_dies_can_be_made_again(root: Path) -> None:
    spoil(stored(root, LAYER), LAYER)
    (root / "uploads/x.part").touch()
    for steps in range(crashes.MANY):
        try:
            with failing_after(steps):
                check(root, repair=True)
            break
        except Killed:
            continue
    assert steps > 3
    assert [path.name for path in (root / "quarantine").iterdir()] == [digest(LAYER).replace(":", "-")]
    assert all("lacks blob" in line for line in told(root))


def test_the_command_tells_and_repairs(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(whole, tmp_path / "root")
    config = str(configured(tmp_path))
    (tmp_path / "root/uploads/x.part").touch()
    # A copy has a file for each name, which is no fault: one with very many holders has several files too.
    for arguments, code, line in (
        ((), 1, "uploads/x.part: is no open upload"),
        (("--repair",), 0, "uploads/x.part: is no open upload: removed"),
        ((), 0, "2 repositories, 6 manifests, 4 blobs, 6 tags, 1 open uploads: 0 findings"),
    ):
        done = run(capsys, "fsck", *arguments, config)
        assert (done.returncode, done.stdout.splitlines()[0], done.stderr) == (code, line, "")
    storage = FilesystemStorage(tmp_path / "root")
    done = run(capsys, "fsck", config)
    assert (done.returncode, "another process uses it" in done.stderr) == (4, True)
    storage.close()


def test_what_is_no_storage_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no storage of this registry"):
        check(tmp_path, repair=True)
    (tmp_path / "docker/registry/v2").mkdir(parents=True)
    with pytest.raises(StorageError, match="the original registry wrote it"):
        check(tmp_path)
    assert os.listdir(tmp_path) == ["docker"]  # noqa: PTH208 - names only
