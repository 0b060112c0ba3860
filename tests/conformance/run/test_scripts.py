"""The script of a finding runs with the login and the certificates that the run had."""

from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from conformance.client.curl import Trust
from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.client.script import from_nothing
from tests.conformance.conftest import USERS
from tests.support.forking import Forker
from tests.support.servers import reference

_ONE = "--requirement=PULL-BLOB-HEAD-200"
_NAME = "conformance/abc123-one"


@pytest.mark.needs("openssl", "curl")
def test_with_login_and_certificate(suite: Forker, tls_files: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = tls_files
    tls = {"tls": {"certificate": str(cert), "key": str(key)}}
    config = {"version": "0.1", "storage": {"inmemory": {}}, "http": tls}
    env = {"REGISTRY_USERNAME": "ann", "REGISTRY_PASSWORD": USERS["ann"]}
    faults = ["blob-head-405"]
    with reference(tmp_path, config=config, users=USERS, faults=faults) as server:
        run = suite.run(server.url, _ONE, f"--ca-bundle={cert}", env=env)
        assert run.report is not None, run.stdout + run.stderr
        (finding,) = run.report["findings"]
        script = finding["script"]
        done = subprocess.run(
            ["bash", "-c", script], check=False, capture_output=True, env=os.environ | env, timeout=60
        )
        refused = subprocess.run(
            ["bash", "-c", script], check=False, capture_output=True, env={"PATH": os.environ["PATH"]}, timeout=60
        )
    assert USERS["ann"] not in script
    assert f"--cacert {cert}" in script
    assert re.findall(rb"HTTP/1.1 ([0-9]{3})", done.stdout)[-1] == b"405"
    assert set(re.findall(rb"HTTP/1.1 ([0-9]{3})", refused.stdout)) == {b"401"}


def _exchange(method: str, path: str, status: int, started: float = 0.0, body: bytes = b"") -> Exchange:
    name = {"name": _NAME} if "/v2/conformance" in path else {}
    return Exchange(
        operation="token.get" if "token" in path else "manifest.get",
        parameters=name,
        request=Request(method, f"http://r.example{path}", Headers([]), body or None, len(body)),
        response=Response(status, "", Headers([])),
        started_ms=started,
        elapsed_ms=1.0,
    )


def _script(evidence: Exchange, *scenario: Exchange) -> list[str]:
    return from_nothing("http://r.example", [evidence], scenario, Trust(), "abc123")


def test_only_what_prepares_the_evidence_is_sent() -> None:
    put = _exchange("PUT", f"/v2/{_NAME}/manifests/a", 201, 0, b"{}")
    refused = _exchange("PUT", f"/v2/{_NAME}/manifests/b", 400, 2, b"{}")
    read = _exchange("GET", f"/v2/{_NAME}/manifests/a", 200, 4)
    shown = _exchange("GET", f"/v2/{_NAME}/manifests/c", 500, 6)
    later = _exchange("DELETE", f"/v2/{_NAME}/manifests/a", 202, 8)
    lines = _script(shown, put, refused, read, shown, later)
    sent = [line for line in lines if line.startswith("curl")]
    assert len(sent) == 2
    assert '"$R"/v2/conformance/"$N"-one/manifests/a  # 201' in sent[0]
    assert '"$R"/v2/conformance/"$N"-one/manifests/c  # 500' in sent[1]
    assert any(line.startswith("N=$(printf %06x ") for line in lines)


def test_what_a_script_cannot_show_has_none() -> None:
    shown = _exchange("GET", f"/v2/{_NAME}/manifests/c", 500, 9)
    path = f"/v2/{_NAME}/manifests/a"
    assert _script(shown, _exchange("PUT", path, 201, 0), shown)
    assert not _script(shown, _exchange("PUT", path, 201, 8.9), shown)
    assert not _script(shown, _exchange("PUT", path, 201, 0, random.Random(1).randbytes(20_000)), shown)
    assert not _script(shown, *[_exchange("PUT", path, 201, 0) for _ in range(60)], shown)
    assert not _script(shown)
    unanswered = _exchange("GET", path, 200, 9)
    unanswered.response = None
    assert not _script(unanswered, unanswered)
