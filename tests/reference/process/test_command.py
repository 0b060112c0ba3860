"""The command line, the configuration file, signals and the log."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import requests

from reference.__main__ import main
from reference.configuration.reading import ConfigError, read
from tests.reference.conftest import Start


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reference", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yml"
    path.write_text(textwrap.dedent(text))
    return path


SAMPLE = """\
    version: 0.1
    loglevel: debug
    storage:
      filesystem:
        rootdirectory: {root}
    http:
      addr: localhost:0
      secret: asecretforlocaldevelopment
      debug:
        addr: localhost:0
    """


def test_version_has_name_and_number() -> None:
    for option in ("-version", "--version"):
        done = run(option)
        assert done.returncode == 0
        assert done.stdout == "registry registry-conformance/reference 0.1.0\n"


def test_the_configuration_of_the_original_runs(starter: Start, tmp_path: Path) -> None:
    process = starter(str(written(tmp_path, SAMPLE.format(root=tmp_path / "root"))))
    assert requests.get(f"{process.url}/v2/", timeout=5).status_code == 200
    log = process.log.read_text()
    assert "registry-conformance/reference 0.1.0" in log
    assert f"filesystem at {tmp_path / 'root'}" in log
    assert f"listening on {process.address}" in log
    debug = next(line.rsplit(" ", 1)[1] for line in log.splitlines() if "debug server on" in line)
    assert requests.get(f"http://{debug}/debug/health", timeout=5).json() == {}
    assert requests.get(f"http://{debug}/v2/", timeout=5).status_code == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(starter: Start, number: signal.Signals) -> None:
    process = starter()
    with requests.Session() as session:
        session.get(f"{process.url}/v2/", timeout=5)
        assert process.stop(number) == 0
    log = process.log.read_text()
    assert log.rstrip().endswith("stopped")
    assert "Traceback" not in log


def test_faults_and_variants_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    for kind, least in (("faults", 60), ("variants", 25)):
        assert main([kind, "--json"]) == 0
        entries = json.loads(capsys.readouterr().out)
        assert len(entries) >= least
        assert {"name", "title"} <= set(entries[0])
        assert main([kind]) == 0
        assert len(capsys.readouterr().out.splitlines()) == len(entries)


def test_a_fault_is_put_on_and_logged(starter: Start) -> None:
    process = starter("--memory", "--addr", "127.0.0.1:0", "--fault", "upload-start-without-location")
    answer = requests.post(f"{process.url}/v2/a/blobs/uploads/", timeout=5)
    assert answer.status_code == 202
    assert "Location" not in answer.headers
    assert "with fault upload-start-without-location" in process.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "usage"),
        (("serve",), "configuration file or --memory"),
        (("serve", "--nonsense"), "--nonsense"),
        (("serve", "/nonexistent.yml"), "/nonexistent.yml: No such file"),
        (("serve", "--memory", "--addr", "127.0.0.1:0", "--fault", "none"), "there is no fault 'none'"),
        (("serve", "--memory", "--addr", "127.0.0.1:0", "--variant", "slo"), "no variant 'slo'; close matches: slow"),
        (("serve", "--memory", "--addr", "nowhere"), "--addr: nowhere: not HOST:PORT"),
        (("serve", "--memory", "--addr", "127.0.0.1:0", "--port-file", "/nonexistent/f"), "--port-file"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    done = run(*arguments)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_named(starter: Start) -> None:
    address = starter().address
    done = run("serve", "--memory", "--addr", address)
    assert done.returncode == 4
    assert f"--addr: {address}: Address already in use" in done.stderr


def test_an_address_without_a_host_is_every_address(starter: Start) -> None:
    process = starter("--memory", "--addr", ":0")
    port = process.address.rpartition(":")[2]
    hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
    for host in hosts:
        assert requests.get(f"http://{host}:{port}/v2/", timeout=5).status_code == 200


HEAD = "version: 0.1\nstorage:\n  inmemory:\n"
HOOK = "notifications:\n  endpoints:\n    - name: a\n      url: http://127.0.0.1:1/\n"
TOKEN = "auth:\n  token:\n    realm: http://a/token\n    service: s\n    issuer: i\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "the file is empty"),
        ("- a\n", 1, "must be a mapping"),
        ("version: [\n", 2, "not valid YAML"),
        ("storage:\n  inmemory:\n", 1, "version is missing"),
        ("version: 2\nstorage:\n  inmemory:\n", 1, "version must be one of 0.1, 0.1.0, not '2'"),
        ("version: 0.1\n", 1, "storage is missing"),
        ("version: 0.1\nstorage:\n  delete:\n    enabled: true\n", 3, "exactly one of filesystem, inmemory"),
        (HEAD + "  filesystem:\n", 3, "exactly one"),
        (HEAD + "  swift:\n    container: x\n", 4, "storage.swift is not supported by the reference"),
        (HEAD + "  delete:\n    enabled: perhaps\n", 5, "must be true or false, not 'perhaps'"),
        (HEAD + "http:\n  adr: x\n", 5, "http.adr is unknown"),
        (HEAD + "http:\n  addr: localhost\n", 5, "http.addr must be HOST:PORT, not 'localhost'"),
        (HEAD + "http:\n  addr: localhost:99999\n", 5, "http.addr must be HOST:PORT"),
        (HEAD + "http:\n  addr: [a]\n", 5, "http.addr must be a single value"),
        (HEAD + "http:\n  host: registry\n", 5, "http.host must be a URL"),
        (HEAD + f"http:\n  tls:\n    certificate: {__file__}\n", 6, "needs both certificate and key"),
        (HEAD + "http:\n  tls:\n    certificate: /none\n    key: /none\n", 6, "/none is no file"),
        (HEAD + "loglevel: loud\n", 4, "loglevel must be one of error, warn, info, debug"),
        (HEAD + "redis:\n  addr: x\n", 4, "redis is not supported by the reference"),
        (HEAD + "auth:\n  htpasswd:\n    path: /none\n", 6, "auth.htpasswd.realm is missing"),
        (HEAD + "auth:\n  htpasswd:\n    realm: r\n    path: /none\n", 7, "/none is no file"),
        (HEAD + "auth:\n  htpasswd:\n  token:\n", 5, "auth must have one of htpasswd and token"),
        (HEAD + "auth:\n  token:\n    realm: auth\n", 6, "auth.token.realm must be a URL"),
        (HEAD + "auth:\n  token:\n    realm: 'http://a/\"'\n", 6, "auth.token.realm must not hold quotes"),
        (HEAD + TOKEN + "    rootcertbundle: /none\n", 9, "auth.token.rootcertbundle: /none is no file"),
        (HEAD + TOKEN + f"    rootcertbundle: {__file__}\n    jwks: x\n", 10, "auth.token.jwks is not supported"),
        (HEAD + "notifications:\n  endpoints:\n    - name: a\n", 6, "notifications.endpoints[0].url is missing"),
        (HEAD + HOOK + "      ignoredmediatypes: a/b\n", 8, "ignoredmediatypes must be a list of words"),
        (HEAD + HOOK + "      ignore:\n        actions: [[pull]]\n", 9, "ignore.actions must be a list of words"),
        (HEAD + HOOK + "  events:\n    includereferences: maybe\n", 9, "includereferences must be true or false"),
        (HEAD + "http:\n  addr: a:1\n  addr: b:2\n", 6, "http.addr is given twice"),
    ],
)
def test_a_wrong_configuration_names_the_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "config.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert says in message


def test_a_wrong_configuration_ends_with_4_and_no_traceback(tmp_path: Path) -> None:
    done = run("serve", str(written(tmp_path, "version: 0.1\nstorage: inmemory\nhttp: 1\n")))
    assert done.returncode == 4
    assert done.stderr == f"registry: {tmp_path / 'config.yml'}:3: http must be a mapping\n"


FULL = """\
version: 0.1
log:
  level: warn
  formatter: json
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: /srv/r
    maxthreads: 100
  delete:
    enabled: false
  cache:
    blobdescriptor: inmemory
  maintenance:
    uploadpurging:
      enabled: true
      age: 168h
    readonly:
      enabled: true
http:
  addr: :5000
  host: https://registry.example
  headers:
    X-Content-Type-Options: [nosniff]
  http2:
    disabled: false
notifications:
  endpoints:
    - name: alistener
      url: https://listener.example/event
      headers:
        Authorization: [Bearer x]
      timeout: 500ms
      threshold: 5
      backoff: 1s
health:
  storagedriver:
    enabled: true
"""


def test_what_the_original_knows_is_accepted(tmp_path: Path) -> None:
    config = read(written(tmp_path, FULL))
    assert (config.log.level, config.root, config.delete_enabled, config.read_only) == (
        "warn",
        Path("/srv/r"),
        False,
        True,
    )
    assert (config.addr, config.host, config.purge_age) == (":5000", "https://registry.example", 168 * 3600)
    assert [(e.name, e.timeout, e.threshold) for e in config.endpoints] == [("alistener", 0.5, 5)]
    assert config.endpoints[0].headers == {"Authorization": ["Bearer x"]}
