"""The command: what it prints, its exit codes, and where a password may not be seen."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reference.dist import progress
from reference.dist.__main__ import run
from reference.dist.content import Descriptor
from tests.clients.images import blobs, reachable
from tests.dist_client.conftest import Made
from tests.support.scripted.server import Answer, Asked, serve
from tests.support.servers import ROOT, Server, reference

Tool = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tool(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Tool:
    """The command with a file of logins of the test's own: exit code, output and errors."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["--auth-file", str(tmp_path / "config.json"), "--retries", "0", *words])
        return code, *capfd.readouterr()

    return call


def test_push_pull_and_look(tool: Tool, plain: Server, repository: str, made: Made, tmp_path: Path) -> None:
    image = f"{plain.address}/{repository}:v1"
    digest = made.image["digest"]
    assert tool("push", made.at("v1"), image) == (0, f"{image}\n{digest}\n", "")
    assert tool("pull", image, f"{tmp_path / 'back'}:v1")[0] == 0
    assert blobs(tmp_path / "back") == reachable(made.layout.folder, digest)
    code, out, _ = tool("--json", "copy", image, f"{plain.address}/{repository}:v2")
    assert (code, json.loads(out)["digest"], json.loads(out)["present"]) == (0, digest, 6)
    assert tool("inspect", image)[1].startswith(f"{digest}  application/vnd.oci.image.manifest.v1+json\nsha256:")
    shown = json.loads(tool("--json", "inspect", image)[1])
    assert shown["config"]["architecture"] == "amd64"
    assert len(shown["manifest"]["layers"]) == 5
    assert tool("inspect", "--raw", image)[1].encode() == blobs(made.layout.folder)[digest]
    assert tool("tags", f"{plain.address}/{repository}")[1] == "v1\nv2\n"
    assert json.loads(tool("--json", "tags", f"oci:{tmp_path / 'back'}")[1])["tags"] == ["v1"]
    assert repository in tool("catalog", plain.address)[1].split()
    assert json.loads(tool("--json", "referrers", image)[1]) == {"manifests": []}
    assert tool("verify", image)[:2] == (0, f"{digest}: 6 blobs of {_size(made)} bytes are right\n")
    assert tool("delete", image)[:2] == (0, f"deleted {image}\n")
    assert tool("tags", f"{plain.address}/{repository}")[1] == "v2\n"


def _size(made: Made) -> int:
    digest = made.image["digest"]
    return sum(len(content) for name, content in reachable(made.layout.folder, digest).items() if name != digest)


def test_platforms(tool: Tool, plain: Server, repository: str, made: Made) -> None:
    image = f"{plain.address}/{repository}:multi"
    assert tool("push", "--all", made.at("multi"), image)[0] == 0
    entries = [line.split()[2] for line in tool("inspect", image)[1].splitlines()[1:]]
    assert entries == ["linux/amd64", "linux/arm64", "linux/s390x"]
    arm = json.loads(tool("--json", "inspect", "--platform", "arm64", image)[1])
    assert arm["config"]["architecture"] == "arm64"
    assert tool("verify", image)[0] == 0
    code, _, err = tool("copy", "--all", "--platform", "arm64", image, image)
    assert (code, err) == (4, "dist: --all and --platform exclude each other\n")


def test_a_layout_that_is_broken(tool: Tool, made: Made, tmp_path: Path) -> None:
    tool("copy", made.at("v1"), f"oci:{tmp_path / 'layout'}:v1")
    digest = json.loads(blobs(made.layout.folder)[made.image["digest"]])["layers"][2]["digest"]
    path = tmp_path / "layout" / "blobs" / "sha256" / digest[7:]
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    code, out, err = tool("--json", "verify", f"oci:{tmp_path / 'layout'}:v1")
    assert (code, len(json.loads(out)["problems"])) == (1, 1)
    assert f"{digest} was asked for, and content of sha256:" in err
    path.write_bytes(content[:-1])
    assert "ends after" in tool("verify", f"oci:{tmp_path / 'layout'}:v1")[2]
    path.unlink()
    assert tool("verify", f"oci:{tmp_path / 'layout'}:v1")[0] == 1
    assert tool("copy", f"oci:{tmp_path / 'layout'}:v1", f"oci:{tmp_path / 'other'}")[0] == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 4, "dist: Missing command"),
        (["pul"], 4, "dist: No such command 'pul'"),
        (["pull", "a"], 4, "dist pull: Missing argument 'TARGET'"),
        (["pull", "oci:a", "oci:b"], 4, "SOURCE is oci:a: an image of a registry is wanted"),
        (["push", "oci:a", "docker-archive:b"], 4, "TARGET is docker-archive:b"),
        (["copy", "--platform", "a//b", "oci:a", "oci:b"], 4, "--platform 'a//b'"),
        (["copy", "oci:/nowhere", "oci:b"], 2, "/nowhere: there is no OCI layout"),
        (["copy", "oci:a", "r.example/b@sha256:" + "a" * 64], 4, "has a tag, not a digest"),
        (["delete", "r.example/app"], 4, "name the tag or digest"),
        (["referrers", "oci:a"], 4, "this is for registries"),
        (["--ca-file", "/nowhere", "tags", "r.example/app"], 4, "--ca-file: /nowhere: no such file"),
        (["--ca-file", __file__, "tags", "r.example/app"], 4, "no certificates in PEM"),
        (["tags", "127.0.0.1:1/app"], 5, "127.0.0.1:1: the connection failed (Connection refused)"),
        (["login", "127.0.0.1:1"], 4, "Missing option '--username'"),
    ],
)
def test_what_is_wrong(tool: Tool, words: list[str], code: int, message: str) -> None:
    found, out, err = tool(*words)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


def test_login_from_standard_input_or_a_variable(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIST_PASSWORD", raising=False)
    with reference(tmp_path, users={"user": "the-password"}) as server:
        monkeypatch.setattr(sys, "stdin", io.StringIO("another-password\n"))
        refused = f"dist: {server.address}: the login was refused\n"
        assert tool("login", server.address, "-u", "user", "--password-stdin") == (3, "", refused)
        monkeypatch.setattr(sys, "stdin", io.StringIO("the-password\n"))
        told = f"logged in to {server.address}; kept in {tmp_path / 'config.json'}\n"
        assert tool("login", server.address, "-u", "user", "--password-stdin") == (0, told, "")
        assert tool("catalog", server.address)[0] == 0
        assert tool("logout", server.address)[0] == 0
        assert tool("catalog", server.address)[0] == 3
        monkeypatch.setenv("DIST_PASSWORD", "the-password")
        assert tool("login", server.address, "-u", "user") == (0, told, "")
        assert tool("login", server.address, "-u", "user", "the-password")[0] == 4


def test_interruption(made: Made, tmp_path: Path) -> None:
    """What was half there is gone, and the exit code says so."""
    content = blobs(made.layout.folder)

    def answer(asked: Asked) -> Answer:
        name = asked.path.rpartition("/")[2]
        if "/blobs/" in asked.path:
            time.sleep(0.5)
        return Answer(200, content[name if name in content else made.image["digest"]])

    with serve(answer) as server:
        command = [sys.executable, "-m", "reference.dist", "pull", f"{server.url}/any/name:v1", str(tmp_path / "back")]
        # What a shell starts in the background ignores interrupts, and so would the process.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        finally:
            signal.signal(signal.SIGINT, handler)
        with process:
            while not any("/blobs/" in asked.path for asked in server.asked):
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "\ndist: interrupted\n")
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".dist") or path.name == "index.json"]


def test_progress_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown(True) as told:
        assert told is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    blob = Descriptor("text/plain", "sha256:" + "a" * 64, 100)
    with progress.shown(True) as told:
        assert told is not None
        told(blob, 0, False)
        told(blob, 50, False)
        told(blob, 0, True)
    out, err = capsys.readouterr()
    assert (out, "aaaaaaaaaaaa" in err, "100/100 bytes" in err) == ("", True, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(tool: Tool, shell: str) -> None:
    code, out, _ = tool("completion", shell)
    assert code == 0
    assert "_DIST_COMPLETE" in out


def test_help_and_version(tool: Tool) -> None:
    assert "Exit codes: 0 done" in tool("--help")[1]
    assert tool("--version")[1].startswith("dist ")
