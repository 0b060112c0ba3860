"""A client that is generated from the OpenAPI document, and that nobody wrote, pushes and pulls an image."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from spec import document
from tests.support.servers import reference

LOCK = Path(__file__).with_name("requirements-generator.txt")
#: What the generator cannot put into types: bodies that may have any type, and are given as bytes.
UNTYPED = {"Unsupported content type application/*"}
PROGRAM = """\
import hashlib, io, json, sys
from urllib.parse import urlsplit

from generated import Client
from generated.api.base import base_get
from generated.api.blobs import blob_delete, blob_get, blob_head
from generated.api.discovery import tags_list
from generated.api.manifests import manifest_get, manifest_head, manifest_put
from generated.api.uploads import upload_get, upload_patch, upload_put, upload_start
from generated.models import OCIImageManifest
from generated.types import File

client = Client(base_url=sys.argv[1])
name = "library/hello"
statuses = []


def told(answer):
    statuses.append(answer.status_code.value)
    return answer


def push(content, kind):
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    started = told(upload_start.sync_detailed(name, client=client))
    session = urlsplit(started.headers["Location"]).path.rpartition("/")[2]
    first, rest = File(io.BytesIO(content[:4])), File(io.BytesIO(content[4:]))
    told(upload_patch.sync_detailed(name, session, client=client, body=first, content_range="0-3"))
    told(upload_get.sync_detailed(name, session, client=client))
    told(upload_put.sync_detailed(name, session, client=client, body=rest, digest=digest))
    return {"mediaType": kind, "digest": digest, "size": len(content)}


told(base_get.sync_detailed(client=client))
layer = push(b"hello, registry\\n", "application/vnd.oci.image.layer.v1.tar")
config = push(b'{"os": "linux"}', "application/vnd.oci.image.config.v1+json")
manifest = OCIImageManifest.from_dict({"schemaVersion": 2, "config": config, "layers": [layer]})
manifest.media_type = "application/vnd.oci.image.manifest.v1+json"
told(manifest_put.sync_detailed(name, "latest", client=client, body=manifest))
told(manifest_head.sync_detailed(name, "latest", client=client))
pulled = told(manifest_get.sync_detailed(name, "latest", client=client))
assert OCIImageManifest.from_dict(json.loads(pulled.content)) == manifest
for descriptor in (manifest.config, *manifest.layers):
    blob = told(blob_get.sync_detailed(name, descriptor.digest, client=client))
    assert "sha256:" + hashlib.sha256(blob.content).hexdigest() == descriptor.digest
assert tags_list.sync(name, client=client).tags == ["latest"]
told(blob_delete.sync_detailed(name, layer["digest"], client=client))
told(blob_head.sync_detailed(name, layer["digest"], client=client))
missing = told(blob_get.sync_detailed(name, layer["digest"], client=client))
assert [error.code for error in missing.parsed.errors] == ["BLOB_UNKNOWN"]
print(json.dumps(statuses))
"""


def _run(command: Sequence[str], folder: Path, path: str = os.environ["PATH"]) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if "pip" in command and "Could not find a version" in done.stderr:
        pytest.skip("PyPI cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_generated_client_pushes_and_pulls(tmp_path: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", "environment"], tmp_path)
    python = str(tmp_path / "environment" / "bin" / "python")
    # The pip of the interpreter below any environment, as the Makefile does.
    base = str(Path(sys.base_prefix) / "bin" / "python3")
    install = ["--python", python, "install", "--quiet", "--require-hashes", "--requirement", str(LOCK)]
    _run([base, "-m", "pip", *install], tmp_path)
    (tmp_path / "openapi.json").write_text(json.dumps(document.load()), encoding="utf-8")
    path = f"{tmp_path / 'environment' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    generate = ["openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "generated"]
    told = _run([*generate, "--meta", "none"], tmp_path, path)
    assert "Unable to process schema" not in told
    assert {line for line in told.splitlines() if line.startswith("Unsupported")} == UNTYPED
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "registry").mkdir()
    with reference(tmp_path / "registry") as server:
        statuses = json.loads(_run([python, "program.py", server.url], tmp_path))
    pushed = [202, 202, 204, 201]
    assert statuses == [200, *pushed, *pushed, 201, 200, 200, 200, 200, 202, 404, 404]
