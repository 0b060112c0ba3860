"""The wheel holds the data as well as the code, and the same sources give the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from tests.support.servers import ROOT

_VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
_INFO = f"registry_conformance-{_VERSION}.dist-info"
#: What the wheel has not, or has at its top.
_ELSEWHERE = ("reports/published/", "conformance/command/installed/", "conformance/command/build_hook.py")


def _build(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_wheel_is_complete_and_reproducible(tmp_path: Path) -> None:
    first, second = _build(tmp_path / "first"), _build(tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()

    names = set(zipfile.ZipFile(first).namelist())
    for package in ("spec", "conformance", "reference", "reports"):
        for path in (ROOT / package).rglob("*"):
            relative = path.relative_to(ROOT).as_posix()
            data = path.suffix in {".py", ".yaml", ".json", ".html", ".css", ".js", ".j2"}
            if path.is_file() and data and not relative.startswith(_ELSEWHERE):
                assert f"registry_conformance/lib/{relative}" in names
    # Nothing else at the top: names such as spec and reports are anybody's.
    assert {name.partition("/")[0] for name in names} == {"registry_conformance", _INFO}
    assert not any("/tests/" in name or "/docs/" in name for name in names)
    assert {name for name in names if name.count("/") == 1 and not name.startswith(_INFO)} == {
        "registry_conformance/__init__.py",
        "registry_conformance/__main__.py",
        "registry_conformance/py.typed",
        "registry_conformance/pyargs.py",
        "registry_conformance/pytest_plugin.py",
    }
