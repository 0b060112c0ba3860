"""Each key of the configuration is done, or refused by name with the reason; none is ignored in silence."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from reference.configuration.reading import ConfigError, read
from reference.settings import Config
from tests.reference.conftest import Process, Start
from tests.reference.probe import CONFIG, digest
from tests.reference.process.test_command import HEAD, TOKEN, written
from tests.support import valid
from tests.support.obeys import obeys

WAIT = 10.0
FOLDER = "storage:\n  filesystem:\n    rootdirectory: /some/where\n"
PURGING = "  maintenance:\n    uploadpurging:\n      age: 1s\n"


def taken(folder: Path, text: str, **variables: str) -> Config:
    path = written(folder, text)
    config = read(path, variables)
    valid.check(path)
    return config


def started(starter: Start, folder: Path, text: str) -> Process:
    return starter(str(written(folder, text)), "--addr", "127.0.0.1:0")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("storage:\n  swift:\n    container: x\n", 2, "storage.swift is not supported by the reference: it has the"),
        (HEAD + "http:\n  net: unix\n", 5, "http.net can only be tcp: it listens on TCP alone"),
        (HEAD + "http:\n  prefix: /a/\n", 5, "http.prefix is not supported by the reference: the API begins at /v2/"),
        (HEAD + "http:\n  tls:\n    letsencrypt: x\n", 6, "http.tls.letsencrypt is not supported by the reference"),
        (HEAD + "http:\n  h2c:\n    enabled: true\n", 6, "http.h2c.enabled can only be false"),
        (HEAD + "http:\n  debug:\n    prometheus:\n      enabled: true\n", 7, "http.debug.prometheus.enabled: metrics"),
        (HEAD + "http:\n  debug:\n    prometheus:\n      path: m\n", 7, "http.debug.prometheus.path must be a path"),
        (HEAD + "http:\n  debug:\n    prometheus:\n      path: /debug/vars\n", 7, "http.debug.prometheus.path must be"),
        (HEAD + "http:\n  draintimeout: soon\n", 5, "http.draintimeout must be a duration"),
        (HEAD + "http:\n  relativeurls: maybe\n", 5, "http.relativeurls must be true or false"),
        (FOLDER + "    layout: flat\n", 4, "storage.filesystem.layout must be one of links, distribution, not 'flat'"),
        (
            FOLDER + "    layout: distribution\ncompatibility:\n  schema1:\n    enabled: true\n",
            7,
            "compatibility.schema1.enabled: the original's layout has no place for signatures",
        ),
        (HEAD + "  cache:\n    blobdescriptor: redis\n", 5, "storage.cache.blobdescriptor can only be inmemory"),
        (HEAD + "  cache:\n    other: x\n", 5, "storage.cache.other is unknown"),
        (HEAD + "  redirect:\n    disable: x\n", 5, "storage.redirect.disable must be true or false"),
        (HEAD + PURGING + "      dryrun: x\n", 7, "storage.maintenance.uploadpurging.dryrun must be true or false"),
        (HEAD + PURGING + "      interval: 0s\n", 7, "storage.maintenance.uploadpurging.interval must be more than"),
        (HEAD + "health: garbage\n", 4, "health must be a mapping"),
        (HEAD + "health:\n  http:\n    - uri: x\n", 6, "health.http[0].uri must be a URL with http or https"),
        (
            HEAD + "health:\n  http:\n    - {uri: 'http://a', statuscode: 9}\n",
            6,
            "health.http[0].statuscode must be 100 to 599",
        ),
        (HEAD + "health:\n  tcp:\n    - timeout: 1s\n", 6, "health.tcp[0].addr is missing"),
        (HEAD + "health:\n  tcp:\n    - addr: ':80'\n", 6, "health.tcp[0].addr must be HOST:PORT"),
        (HEAD + "health:\n  file:\n    - {file: /x, interval: 0s}\n", 6, "health.file[0].interval must be more than"),
        (HEAD + "health:\n  storagedriver:\n    enabled: x\n", 6, "health.storagedriver.enabled must be true or false"),
        (HEAD + "validation: 17\n", 4, "validation must be a mapping"),
        (HEAD + "validation:\n  manifests:\n    urls:\n", 5, "validation.manifests is not supported by the reference"),
        (HEAD + "proxy:\n  username: x\n", 5, "proxy.remoteurl is missing"),
        (HEAD + "proxy:\n  remoteurl: http://a:b@c\n", 5, "proxy.remoteurl must be a URL with http or https, and"),
        (HEAD + "policy:\n  repository:\n", 4, "policy is not supported by the reference"),
        (HEAD + "reporting:\n  bugsnag:\n", 4, "reporting is not supported by the reference"),
        (HEAD + "tags:\n  maxtags: 3\n", 4, "tags is not supported by the reference"),
        (HEAD + "catalog:\n  maxentries: 0\n", 5, "catalog.maxentries must be 1 or more"),
        (HEAD + "log:\n  formatter: xml\n", 5, "log.formatter must be one of text, json, logstash"),
        (HEAD + "log:\n  hooks:\n", 5, "log.hooks is not supported by the reference"),
        (HEAD + "log:\n  accesslog:\n    disabled: x\n", 6, "log.accesslog.disabled must be true or false"),
        (
            HEAD + TOKEN + "    rootcertbundle: /x\n    jwks: /y\n",
            10,
            "auth.token.jwks is not supported by the reference",
        ),
    ],
)
def test_what_is_not_done_is_refused(tmp_path: Path, text: str, line: int, says: str) -> None:
    text = text if text.startswith("version") else f"version: 0.1\n{text}"
    path = tmp_path / "config.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path, {})
    number = line if text.startswith(HEAD) else line + 1
    assert str(caught.value).startswith(f"{path}:{number}: {says}")


def test_what_changes_nothing_is_said(tmp_path: Path) -> None:
    config = taken(
        tmp_path,
        HEAD + "  tag:\n    concurrencylimit: 8\n  cache:\n    blobdescriptorsize: 10\nhttp:\n  secret: x\n  http2:\n"
        "    disabled: false\n",
        REGISTRY_URL="http://elsewhere",
    )
    for name in ("storage.tag.concurrencylimit", "storage.cache.blobdescriptorsize", "http.secret", "http.http2"):
        assert [remark for remark in config.remarks if remark.startswith(f"{name} changes nothing here")]
    assert "REGISTRY_URL is no setting of a registry" in config.remarks


def test_variables_take_the_place_of_what_the_file_says(tmp_path: Path) -> None:
    text = HEAD + "http:\n  addr: a:1\nnotifications:\n  endpoints:\n    - {name: a, url: 'http://a'}\n"
    config = taken(
        tmp_path,
        text,
        REGISTRY_HTTP_ADDR="b:2",
        REGISTRY_LOG_LEVEL="warn",
        REGISTRY_STORAGE_DELETE_ENABLED="false",
        REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL="http://b",
        REGISTRY_HEALTH_STORAGEDRIVER="{enabled: true, interval: 3s}",
        PATH="/bin",
    )
    assert (config.addr, config.log.level, config.delete_enabled) == ("b:2", "warn", False)
    assert config.endpoints[0].url == "http://b"
    assert config.checks[0].interval == 3
    assert config.remarks == []
    root = {"REGISTRY_STORAGE": "filesystem", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": "/srv/x"}
    assert taken(tmp_path, text, **root).root == Path("/srv/x")
    assert taken(tmp_path, "version: 0.1\nstorage: inmemory\n").storage == "inmemory"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("REGISTRY_HTTP_ADDR", "nowhere", "REGISTRY_HTTP_ADDR:1: http.addr must be HOST:PORT, not 'nowhere'"),
        ("REGISTRY_HTTP_ADR", "a:1", "REGISTRY_HTTP_ADR:1: http.adr is unknown"),
        ("REGISTRY_REDIS_ADDR", "x", "REGISTRY_REDIS_ADDR:1: redis is not supported by the reference"),
        ("REGISTRY_HTTP", "[", "REGISTRY_HTTP:1: not valid YAML"),
        ("REGISTRY_NOTIFICATIONS_ENDPOINTS_3_URL", "x", "REGISTRY_NOTIFICATIONS_ENDPOINTS_3_URL: the list has no 3"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, says: str) -> None:
    text = HEAD + "notifications:\n  endpoints:\n    - {name: a, url: 'http://a'}\n"
    with pytest.raises(ConfigError, match=re.escape(says)):
        taken(tmp_path, text, **{name: value})


@obeys("http.headers", "catalog.maxentries")
def test_headers_and_a_limit_of_the_catalog(starter: Start, tmp_path: Path) -> None:
    process = started(
        starter,
        tmp_path,
        HEAD
        + "http:\n  headers:\n    X-Content-Type-Options: [nosniff]\n    X-More: [a, b]\ncatalog:\n  maxentries: 2\n",
    )
    for name in ("a", "b", "c"):
        url = f"{process.url}/v2/{name}/blobs/uploads/?digest={digest(CONFIG)}"
        assert requests.post(url, data=CONFIG, timeout=5).status_code == 201
    for path in ("", "_catalog", "none/tags/list"):
        answer = requests.get(f"{process.url}/v2/{path}", timeout=5)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-More"] == "a, b"
    assert requests.get(f"{process.url}/v2/_catalog", timeout=5).json() == {"repositories": ["a", "b"]}


def test_locations_are_relative_where_that_is_asked_for(tmp_path: Path) -> None:
    text = HEAD + "http:\n  host: https://registry.example\n"
    assert taken(tmp_path, text).host == "https://registry.example"
    assert taken(tmp_path, text + "  relativeurls: true\n").host == ""


@obeys("storage.maintenance.uploadpurging.interval", "storage.maintenance.uploadpurging.dryrun")
@pytest.mark.parametrize("dry", [True, False])
def test_old_uploads_are_purged_again_and_again_but_not_in_a_dry_run(starter: Start, tmp_path: Path, dry: bool) -> None:
    uploads = tmp_path / "root" / "uploads"
    text = (
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path}/root\n{PURGING}"
        f"      interval: 1s\n      dryrun: {str(dry).lower()}\n"
    )
    process = started(starter, tmp_path, text)
    location = requests.post(f"{process.url}/v2/a/blobs/uploads/", timeout=5).headers["Location"]
    assert process.stop() == 0
    for path in uploads.iterdir():
        os.utime(path, (0, 0))
    process = started(starter, tmp_path, text)
    assert requests.get(process.url + location, timeout=5).status_code == (204 if dry else 404)
    says = "a purge would end 1 old uploads" if dry else "purged 1 old uploads"
    assert says in process.log.read_text()
    requests.post(f"{process.url}/v2/a/blobs/uploads/", timeout=5)
    end = time.monotonic() + WAIT
    while process.log.read_text().count(says if not dry else "a purge would end 2 old uploads") < 2 - dry:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert len(list(uploads.iterdir())) == (2 if dry else 0)


@obeys(
    "http.debug.addr",
    "health.storagedriver.enabled",
    "health.storagedriver.interval",
    "health.storagedriver.threshold",
    "health.file[].file",
    "health.file[].interval",
)
def test_health_is_that_of_the_storage_and_of_a_file(starter: Start, tmp_path: Path) -> None:
    root, stop = tmp_path / "root", tmp_path / "stop"
    process = started(
        starter,
        tmp_path,
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}\nhttp:\n  debug:\n    addr: 127.0.0.1:0\n"
        "health:\n  storagedriver:\n    enabled: true\n    interval: 100ms\n    threshold: 2\n"
        f"  file:\n    - file: {stop}\n      interval: 100ms\n",
    )
    debug = re.search(r"debug server on (\S+)", process.log.read_text())
    assert debug is not None

    def both(status: int) -> dict[str, str]:
        end = time.monotonic() + WAIT
        while True:
            health = requests.get(f"http://{debug[1]}/debug/health", timeout=5)
            served = requests.get(f"{process.url}/v2/", timeout=5)
            if (health.status_code, served.status_code) == (status, status):
                told: dict[str, str] = health.json()
                return told
            assert time.monotonic() < end
            time.sleep(0.05)

    assert both(200) == {}
    stop.touch()
    assert both(503) == {str(stop): f"{stop} exists"}
    # Why is for the owner alone.
    assert str(stop) not in requests.get(f"{process.url}/v2/", timeout=5).text
    stop.unlink()
    assert both(200) == {}
    root.rename(tmp_path / "gone")
    assert list(both(503)) == ["storagedriver_filesystem"]
    (tmp_path / "gone").rename(root)
    assert both(200) == {}


@obeys("http.draintimeout")
def test_requests_end_within_the_drain_time(starter: Start, tmp_path: Path) -> None:
    process = started(starter, tmp_path, HEAD + "http:\n  draintimeout: 8s\n")
    location = requests.post(f"{process.url}/v2/a/blobs/uploads/", timeout=5).headers["Location"]
    with socket.create_connection(process.host, timeout=20) as connection:
        connection.sendall(f"PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n".encode())
        time.sleep(0.3)
        process.process.send_signal(signal.SIGTERM)
        time.sleep(6)
        connection.sendall(bytes(20))
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")
    assert process.process.wait(10) == 0


@obeys("log.formatter", "log.fields", "log.reportcaller", "log.accesslog.disabled")
def test_the_log_has_its_form_its_fields_and_a_line_for_each_request(starter: Start, tmp_path: Path) -> None:
    process = started(
        starter, tmp_path, HEAD + "log:\n  formatter: json\n  reportcaller: true\n  fields:\n    service: registry\n"
    )
    headers = {"User-Agent": 'a "quoted"\tagent'}
    requests.get(f"{process.url}/v2/none/tags/list?n=1", headers=headers, timeout=5)
    end = time.monotonic() + WAIT
    while "/v2/none/" not in process.log.read_text():  # it is written after the answer
        assert time.monotonic() < end
        time.sleep(0.05)
    lines = process.log.read_text().splitlines()
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    assert entries
    assert all(entry["service"] == "registry" and entry["level"] and entry["file"] for entry in entries)
    (line,) = (line for line in lines if "/v2/none/" in line)
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[[^]]+ \+0000\] "GET /v2/none/tags/list\?n=1 HTTP/1\.1" 404 \d+ "" '
        r'"a \\"quoted\\"\\tagent" \d+\.\d{3} [0-9a-f-]{36}',
        line,
    )
    silent = started(starter, tmp_path, HEAD + "log:\n  accesslog:\n    disabled: true\n")
    requests.get(f"{silent.url}/v2/none/tags/list", timeout=5)
    assert "/v2/none/" not in silent.log.read_text()


@obeys("http.addr")
def test_a_configuration_without_a_command_is_served(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    config = written(tmp_path, "version: 0.1\nstorage: inmemory\nhttp:\n  addr: 127.0.0.1:0\n")
    command = [sys.executable, "-m", "reference", str(config), "--port-file", str(port_file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + WAIT
        while not port_file.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        assert requests.get(f"http://{port_file.read_text().strip()}/v2/", timeout=5).status_code == 200
        process.terminate()
        assert process.wait(WAIT) == 0


def test_a_root_of_the_original_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docker" / "registry" / "v2").mkdir(parents=True)
    config = written(tmp_path, f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path}\n")
    command = [sys.executable, "-m", "reference", "serve", str(config), "--addr", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 4
    assert done.stderr.endswith("the original registry wrote it; that is layout: distribution\n")


def test_a_second_registry_on_a_root_does_not_start(starter: Start, tmp_path: Path) -> None:
    text = f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path}/root\n"
    started(starter, tmp_path, text)
    command = [sys.executable, "-m", "reference", "serve", str(tmp_path / "config.yml"), "--addr", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 4
    assert "another process uses it" in done.stderr
