"""Bad input gives one sentence with option and cause, exit code 4, and no report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forking import Forker
from tests.support.scripted.server import Answer, serve
from tests.support.servers import Server, reference
from tests.support.suite import SuiteRun, run_suite

_HERE = str(Path(__file__))
_HTML = (("Content-Type", "text/html; charset=utf-8"),)


def refused(run: SuiteRun, *words: str) -> None:
    """A run ended before it judged anything, with one line that has these words."""
    said = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    assert run.exit_code == 4, said
    assert len(said) == 1, said
    assert said[0].startswith("ERROR: "), said
    for word in words:
        assert word in said[0], (word, said)
    assert run.report is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--registry-url=registry.example.com:5000"], "--registry-url: needs a scheme"),
        (["--registry-url=http://ann:c4nary@registry.example.com/v2"], "--registry-url: must not have a path"),
        (["--registry-url=http://ann:c4nary@host.invalid"], "http://host.invalid: the host name does not resolve"),
        (["--registry-url=http://ann:c4nary@127.0.0.1:1"], "http://127.0.0.1:1: the connection was refused"),
        (["--registry-url="], "--registry-url: is given without a value"),
        (["--profile=oci-9"], "--profile: there is no 'oci-9'"),
        (["--category=pulling"], "--category: there is no 'pulling'"),
        (["--requirement=NOPE"], "--requirement: there is no requirement 'NOPE'"),
        (["--ca-bundle=/nonexistent.pem"], "--ca-bundle: /nonexistent.pem cannot be used"),
        ([f"--report={_HERE}"], "--report: the folder "),
        ([f"--report={_HERE}/report"], "cannot be written to (Not a directory)"),
        ([f"--record={_HERE}/run.har"], "run.har cannot be written (Not a directory)"),
        (["--record=/"], "--record: / cannot be written"),
        ([f"--known-failures={_HERE}"], f"--known-failures: {_HERE}:"),
        ([f"--docker-config={_HERE}"], f"--docker-config: {_HERE}: is not valid JSON"),
    ],
)
def test_option(options: list[str], words: str, suite: Forker) -> None:
    url = None if options[0].startswith("--registry-url") else "http://127.0.0.1:1"
    run = suite.run(url, *options)
    refused(run, words)
    assert "c4nary" not in run.stdout + run.stderr


def test_in_a_process_of_its_own() -> None:
    """The other tests save the time of the start; this one shows that they see the same."""
    refused(run_suite("foo:5000"), "--registry-url: needs a scheme, http:// or https://, and a host")


@pytest.mark.parametrize("options", [["--registry-uri=x"], ["--timeout"]])
def test_command_line(options: list[str], suite: Forker) -> None:
    run = suite.run("http://127.0.0.1:1", *options)
    assert run.exit_code == 4
    assert "error: " in run.stderr
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("timeout = 5", "'timeout' expects a string"),
        ('timeout = "soon"', "--timeout: expected seconds"),
        ('insecure = "perhaps"', "'insecure' expects a bool"),
        ('category = "base"', "'category' expects a list"),
    ],
)
def test_configuration_file(line: str, words: str, suite: Forker, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.pytest]\n{line}\n")
    refused(suite.run("http://127.0.0.1:1", "-c", str(path)), words)


def test_report_that_cannot_be_replaced(suite: Forker, tmp_path: Path, open_registry: Server) -> None:
    """What stands in the way of report.json stays, and nothing half-written is left beside it."""
    (tmp_path / "report.json").mkdir()
    run = suite.run(open_registry.url, f"--report={tmp_path}", "--requirement=PULL-BLOB-GET-200")
    assert run.exit_code == 4, run.stdout
    assert "--report: " in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert (tmp_path / "report.json").is_dir()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, b"<html>Welcome", _HTML), "it answers /v2/ with a web page"),
        (Answer(404, b"<html>Nothing", _HTML), "nothing is there (status 404 to /v2/)"),
        (Answer(500), "the server has a fault (status 500 to /v2/)"),
        (
            Answer(302, headers=(("Location", "https://login.example.com/?next=c4nary"),)),
            "it redirects to https://login.example.com (status 302 to /v2/)",
        ),
        (Answer(302, headers=(("Location", "/login?next=c4nary"),)), "it redirects to another page"),
        (Answer(302, headers=(("Location", "http://[c4nary"),)), "it redirects to another page"),
        (Answer(403), "it refuses (status 403 to /v2/)"),
        (Answer(429, headers=(("Retry-After", "999999"),)), "is overloaded, try again later (status 429 to /v2/)"),
        (Answer(200, b"{}", (("Content-Length", "9"),)), "the body ended 7 bytes before its Content-Length"),
        (Answer(401), "asks for a login (no scheme that is understood)"),
        (Answer(401, headers=(("WWW-Authenticate", '"'),)), "asks for a login (no scheme that is understood)"),
        (Answer(401, headers=(("WWW-Authenticate", "Negotiate"),)), "asks for a login (Negotiate)"),
        (
            Answer(401, headers=(("WWW-Authenticate", 'Bearer realm="http://127.0.0.1:1/token"'),)),
            "the token service http://127.0.0.1:1 of http://127.0.0.1:",
        ),
    ],
)
def test_not_a_registry(answer: Answer, words: str, suite: Forker) -> None:
    def close(given: Answer) -> Answer:
        return Answer(given.status, given.body, (*given.headers, ("Connection", "close")))

    with serve(lambda asked: close(answer)) as server:
        run = suite.run(server.url)
    refused(run, server.url, words)
    assert "c4nary" not in run.stdout + run.stderr
    assert run.seconds < 10


def test_login(suite: Forker, locked_registry: Server) -> None:
    url = locked_registry.url
    refused(suite.run(url), f"--username: {url} asks for a login (Basic); give --username and REGISTRY_PASSWORD")
    run = suite.run(url, "--username=ann", env={"REGISTRY_PASSWORD": "c4nary wrong"})
    refused(run, f"--username: {url} does not accept the user name or password (status 401 to /v2/)")
    assert "c4nary" not in run.stdout + run.stderr


@pytest.mark.needs("openssl")
def test_tls(suite: Forker, tls_files: tuple[Path, Path], tmp_path: Path) -> None:
    """An untrusted certificate is refused, and accepted with either of its options."""
    cert, key = tls_files
    config = {
        "version": "0.1",
        "storage": {"inmemory": {}},
        "http": {"tls": {"certificate": str(cert), "key": str(key)}},
    }
    one = "--requirement=PULL-BLOB-GET-200"
    with reference(tmp_path, config=config) as server:
        refused(
            suite.run(server.url), f"--registry-url: {server.url}: the certificate", "not trusted", "--ca-bundle FILE"
        )
        assert suite.run(server.url, one, f"--ca-bundle={cert}").exit_code == 0
        assert suite.run(server.url, one, "--insecure").exit_code == 0


def test_tls_where_there_is_none(suite: Forker, open_registry: Server) -> None:
    url = open_registry.url.replace("http:", "https:")
    refused(suite.run(url), f"--registry-url: {url}: the TLS handshake failed; perhaps it speaks http:// only")
