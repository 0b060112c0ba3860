"""The metrics and variables of the debug server, against what was done, and against the original's names."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.reference.conftest import Process, Start
from tests.reference.operation.test_health import free_port
from tests.reference.probe import CONFIG, IMAGE, LAYER, digest, image
from tests.reference.process.test_command import written
from tests.support.obeys import obeys
from tests.support.servers import docker_registry

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@dataclass
class Watched:
    process: Process
    debug: str

    def value(self, name: str, **labels: str) -> float:
        found = scraped(requests.get(f"{self.debug}/numbers", timeout=10).text)
        return found[name, frozenset(labels.items())]


@pytest.fixture(scope="module")
def watched(starter: Start, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    folder = tmp_path_factory.mktemp("watched")
    text = (
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder / 'root'}\n    sync: never\n"
        "http:\n  debug:\n    addr: 127.0.0.1:0\n    prometheus:\n      enabled: true\n      path: /numbers\n"
        "notifications:\n  endpoints:\n    - name: nobody\n      threshold: 1\n      backoff: 1h\n"
        f"      url: http://owner:secret@127.0.0.1:{free_port()}/\n"
    )
    process = starter(str(written(folder, text)), "--addr", "127.0.0.1:0")
    debug = re.search(r"debug server on (\S+)", process.log.read_text())
    assert debug is not None
    use(process.url)
    return Watched(process, f"http://{debug[1]}")


def use(url: str) -> None:
    """Push an image, pull it in part, mount, and do what is refused, cancelled and broken off."""
    with requests.Session() as session:
        for content in (CONFIG, LAYER):
            opened = session.post(f"{url}/v2/a/blobs/uploads/", timeout=10)
            location = requests.compat.urljoin(url, opened.headers["Location"])
            session.put(location, params={"digest": digest(content)}, data=content, timeout=10)
        mounting = {"mount": digest(LAYER), "from": "a"}
        assert session.post(f"{url}/v2/b/blobs/uploads/", params=mounting, timeout=10).status_code == 201
        body = image()
        pushed = session.put(f"{url}/v2/a/manifests/v1", data=body, headers={"Content-Type": IMAGE}, timeout=10)
        assert pushed.status_code == 201
        for path in ("", "_catalog", "a/tags/list", "a/manifests/v1", f"a/blobs/{digest(LAYER)}", "x/tags/list"):
            session.get(f"{url}/v2/{path}", headers={"Accept": IMAGE}, timeout=10)
        opened = session.post(f"{url}/v2/a/blobs/uploads/", timeout=10)
        session.delete(requests.compat.urljoin(url, opened.headers["Location"]), timeout=10)
        session.post(f"{url}/v2/a/blobs/uploads/", timeout=10)


def break_off(process: Process) -> None:
    with socket.create_connection(process.host, timeout=10) as connection:
        connection.sendall(f"POST /v2/a/blobs/uploads/?digest={digest(LAYER)} HTTP/1.1\r\n".encode())
        connection.sendall(b"Host: a\r\nContent-Length: 9\r\n\r\nx")


@obeys("http.debug.prometheus.enabled")
def test_requests_are_counted_with_their_bytes_and_times(watched: Watched) -> None:
    base = {"handler": "blob", "method": "get"}
    assert watched.value("registry_http_requests_total", code="200", **base) == 1
    assert watched.value("registry_http_requests_total", code="404", handler="tags", method="get") == 1
    assert watched.value("registry_http_requests_total", code="201", handler="manifest", method="put") == 1
    assert watched.value("registry_http_response_size_bytes_sum", handler="blob") == len(LAYER)
    assert watched.value("registry_http_request_size_bytes_sum", handler="blob_upload_chunk") == len(LAYER + CONFIG)
    assert watched.value("registry_http_request_duration_seconds_count", **base) == 1
    assert 0 < watched.value("registry_http_request_duration_seconds_sum", **base) < 10
    assert watched.value("registry_http_in_flight_requests", handler="blob") == 0


def test_uploads_storage_and_notifications_are_counted(watched: Watched) -> None:
    for event, count in (("started", 4), ("finished", 2), ("mounted", 1), ("cancelled", 1), ("refused", 0)):
        assert watched.value("registry_uploads_total", event=event) == count
    assert watched.value("registry_uploads_open") == 1
    action = {"driver": "filesystem", "action": "commit_upload"}
    assert watched.value("registry_storage_action_seconds_count", **action) == 2
    assert watched.value("registry_storage_action_seconds_count", driver="filesystem", action="durable") == 9
    free = watched.value("registry_storage_free_bytes", driver="filesystem")
    assert 0 < free <= watched.value("registry_storage_size_bytes", driver="filesystem")
    assert watched.value("registry_notifications_events_total", type="Events", endpoint="nobody") == 6
    assert watched.value("registry_notifications_events_total", type="Errors", endpoint="nobody") >= 1
    assert watched.value("registry_notifications_pending", endpoint="nobody") == 6
    assert watched.value("process_resident_memory_bytes") > 0


def test_a_client_that_goes_away_counts(watched: Watched) -> None:
    break_off(watched.process)
    gone, end = {"code": "499", "handler": "blob_upload", "method": "post"}, time.monotonic() + 10
    while True:
        try:
            assert watched.value("registry_http_requests_total", **gone) == 1
            break
        except KeyError:
            assert time.monotonic() < end
            time.sleep(0.05)
    assert watched.value("registry_http_in_flight_requests", handler="blob_upload") == 0


def test_variables_tell_no_password(watched: Watched) -> None:
    answer = requests.get(f"{watched.debug}/debug/vars", timeout=10)
    assert "secret" not in answer.text
    told = answer.json()
    (endpoint,) = told["registry"]["notifications"]["endpoints"]
    assert (endpoint["name"], endpoint["Metrics"]["Events"], endpoint["Metrics"]["Successes"]) == ("nobody", 6, 0)
    assert told["registry"]["storage"]["open_uploads"] == 1
    assert told["process"]["peak_memory_bytes"] > 1 << 20
    assert "serve" in told["cmdline"]
    assert "secret" not in requests.get(f"{watched.debug}/numbers", timeout=10).text


@obeys("http.debug.prometheus.path")
def test_the_debug_server_reads_alone(watched: Watched) -> None:
    assert requests.post(f"{watched.debug}/debug/vars", timeout=10).status_code == 405
    assert requests.get(f"{watched.debug}/metrics", timeout=10).status_code == 404
    assert requests.head(f"{watched.debug}/debug/health", timeout=10).status_code == 200
    assert requests.get(f"{watched.process.url}/numbers", timeout=10).status_code == 404


@pytest.mark.needs("docker-registry")
def test_the_names_are_those_of_the_original(watched: Watched, tmp_path: Path) -> None:
    port = free_port()
    debug = {"addr": f"127.0.0.1:{port}", "prometheus": {"enabled": True, "path": "/metrics"}}
    http = {"addr": "127.0.0.1:0", "secret": "of-a-test", "debug": debug}
    with docker_registry(tmp_path, extra={"http": http}) as original:
        use(original.url)
        theirs = scraped(requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text)
    ours = scraped(requests.get(f"{watched.debug}/numbers", timeout=10).text)

    def named(samples: Samples) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        chosen = re.compile(r"registry_http_.*(total|requests|_count|_sum)$")
        return {(name, labels) for name, labels in samples if chosen.match(name)}

    # The original counts handlers that nobody asked anything.
    assert {found for found in named(theirs) if theirs[found]} - named(ours) == set()
    assert {name for name, _ in theirs if name.startswith("registry_storage_action")} <= {name for name, _ in ours}
