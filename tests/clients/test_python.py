"""oras and python-dxf: two clients in Python that share no code with the suite."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from tests.support.servers import Server

oras = pytest.importorskip("oras.client", reason="missing package: oras")
dxf = pytest.importorskip("dxf", reason="missing package: python-dxf")


def test_oras_pushes_and_pulls_files(
    server: Server, repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    contents = {"a.bin": random.Random(1).randbytes(300_000), "b.txt": b"text\n", "empty": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    client = oras.OrasClient(insecure=True, tls_verify=False)
    target = f"{server.address}/{repository}:v1"

    response = client.push(target=target, files=list(contents))
    pulled = client.pull(target=target, outdir=str(tmp_path / "back"))

    assert response.status_code == 201
    assert {Path(path).name: Path(path).read_bytes() for path in pulled} == contents
    assert client.get_tags(target) == ["v1"]


def test_dxf_blobs_and_aliases(server: Server, repository: str, tmp_path: Path) -> None:
    content = random.Random(2).randbytes(2_000_000)
    path = tmp_path / "blob"
    path.write_bytes(content)
    with dxf.DXF(server.address, repository, insecure=True) as client:
        digest = client.push_blob(str(path))
        client.set_alias("v1", digest)

        assert digest == "sha256:" + hashlib.sha256(content).hexdigest()
        assert client.get_alias("v1") == [digest]
        assert client.list_aliases() == ["v1"]
        assert client.blob_size(digest) == len(content)
        assert b"".join(client.pull_blob(digest)) == content

        client.del_alias("v1")
        client.del_blob(digest)
        assert not client.list_aliases()
