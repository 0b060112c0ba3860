"""The Containerfile, built on a base of Debian packages and run: minutes, and the package index."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import ROOT

#: What Python and pip need to run; each is unpacked, and none is installed.
_PACKAGES = (
    " base-files bash ca-certificates coreutils dash libacl1 libattr1 libbz2-1.0 libc6 libcom-err2 libcrypt1"
    " libdb5.3 libexpat1 libffi8 libgcc-s1 libgmp10 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3"
    " libkrb5support0 liblzma5 libncursesw6 libnsl2 libpcre2-8-0 libpython3-stdlib libpython3.11-minimal"
    " libpython3.11-stdlib libreadline8 libselinux1 libsqlite3-0 libssl3 libstdc++6 libtinfo6 libtirpc3 libuuid1"
    " media-types python3 python3-distutils python3-lib2to3 python3-minimal python3-pip python3-pkg-resources"
    " python3-setuptools python3-wheel python3.11 python3.11-minimal zlib1g"
)
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

pytestmark = [pytest.mark.slow, pytest.mark.needs("buildah", "apt-get", "dpkg-deb")]


def _run(*words: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def _base(folder: Path) -> Path:
    """Make the root of a file system with Python and pip."""
    root, packages = folder / "rootfs", folder / "packages"
    packages.mkdir()
    downloaded = subprocess.run(
        ["apt-get", "download", "-q", *_PACKAGES.split()], cwd=packages, capture_output=True, check=False
    )
    if downloaded.returncode:
        pytest.skip("the packages of Debian 12 cannot be had here")
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in packages.glob("*.deb"):
        unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
        tar = ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--no-same-owner"]
        subprocess.run(tar, input=unpacked, check=True)
    (root / "usr/bin/sh").unlink(missing_ok=True)
    (root / "usr/bin/sh").symlink_to("dash")
    for name in ("tmp", "etc/ssl/certs", "root", "proc", "dev"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="utf-8")
    shutil.copy(_CERTIFICATES, root / "etc/ssl/certs")
    return root


def test_image_runs_the_suite(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    for name in ("Containerfile", ".containerignore", "requirements.txt"):
        shutil.copy(ROOT / name, context)
    _run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(context / "dist"), str(ROOT))
    (tmp_path / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}', encoding="utf-8")
    trust = ("--signature-policy", str(tmp_path / "policy.json"))
    places = ("--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run"))
    buildah = ("buildah", *places, "--storage-driver", "vfs")
    container = _run(*buildah, "from", "scratch").strip()
    _run(*buildah, "copy", "--quiet", container, str(_base(tmp_path)), "/")
    _run(*buildah, "commit", "--quiet", *trust, container, "localhost/base")
    chroot = ("--isolation", "chroot")
    _run(*buildah, "bud", *chroot, *trust, "--build-arg", "BASE=localhost/base", "--tag", "made", cwd=context)

    container = _run(*buildah, "from", *trust, "localhost/made").strip()
    config = _run(*buildah, "inspect", "--format", "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}", container)
    assert config.split() == ["65532:65532", "[registry-conformance]"]
    inside = (*buildah, "run", *chroot, "--workingdir", "/tmp", container, "--")
    assert _run(*inside, "registry-conformance", "--version").startswith("registry-conformance 0.")
    said = _run(*inside, "registry-conformance", "certify", "embedded", "--requirement", "PULL-BLOB-GET-200")
    assert "(exit code 0)" in said
