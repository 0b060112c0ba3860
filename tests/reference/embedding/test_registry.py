"""The registry as an application and as a server in a thread, made by another program."""

from __future__ import annotations

import asyncio
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from docs.examples import embedding
from reference import EmbeddingError, Registry, RunningRegistry, legal_variants
from reference.embedding import background
from reference.messages import Receive, Scope, Send
from reference.variants import ALL, BY_MODULE
from tests.reference.probe import CONFIG, IMAGE, LAYER, Client, image
from tests.reference.probe import digest as digest_of
from tests.support.servers import ROOT


def _push(running: RunningRegistry, content: bytes, **more: Any) -> requests.Response:
    digest = digest_of(content)
    return requests.post(f"{running.url}/v2/a/blobs/uploads/?digest={digest}", data=content, timeout=5, **more)


def _has(running: RunningRegistry, content: bytes) -> bool:
    return requests.head(f"{running.url}/v2/a/blobs/{digest_of(content)}", timeout=5).ok


def test_an_import_of_the_package_loads_nothing() -> None:
    code = "import reference, sys; print([name for name in sys.modules if name.startswith('reference.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_package_has_no_other_names() -> None:
    import reference  # noqa: PLC0415  # the package itself, not its parts

    with pytest.raises(AttributeError, match="no attribute 'Registri'"):
        reference.Registri  # type: ignore[attr-defined]  # noqa: B018  # there is none, truly


def test_it_is_an_application() -> None:
    client = Client(Registry())

    async def check() -> None:
        for content in (CONFIG, LAYER):
            assert (await client.blob("a", content)).status == 201
        assert (await client.manifest("a", "v1", image(), IMAGE)).status == 201
        assert (await client.call("GET", "/v2/a/tags/list")).body == b'{"name": "a", "tags": ["v1"]}'

    asyncio.run(check())


def test_two_registries_share_no_content_and_no_oddity() -> None:
    odd = Registry(variants=["location-absolute", "header-names-cased"], users={"me": "secret"}, delete=False)
    with Registry() as right, right.serve() as one, odd.serve() as two, Registry().serve() as three:
        assert len({one.url, two.url, three.url}) == 3
        absolute = _push(two, b"odd", auth=("me", "secret"))
        relative = _push(one, b"right")
        assert absolute.headers["Location"].startswith(two.url)
        assert relative.headers["Location"].startswith("/v2/")
        # On the wire as well, where all connections are of one class.
        assert b"dOcKeR-" in _written(two)
        assert b"dOcKeR-" not in _written(one) + _written(three)
        assert _has(one, b"right")
        assert not _has(three, b"right")
        assert requests.get(f"{two.url}/v2/", timeout=5).status_code == 401
        assert requests.get(f"{three.url}/v2/", timeout=5).status_code == 200
        assert requests.delete(f"{one.url}/v2/a/blobs/{digest_of(b'right')}", timeout=5).status_code == 202
        refused = requests.delete(f"{two.url}/v2/a/blobs/{digest_of(b'odd')}", auth=("me", "secret"), timeout=5)
        assert refused.status_code == 405
        session = requests.post(f"{one.url}/v2/a/blobs/uploads/", timeout=5).headers["Location"]
        assert requests.get(f"{one.url}{session}", timeout=5).status_code == 204
        assert requests.get(f"{three.url}{session}", timeout=5).status_code == 404


def _written(running: RunningRegistry) -> bytes:
    """An answer as it came."""
    host, _, port = running.address.rpartition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(f"GET /v2/ HTTP/1.1\r\nHost: {running.address}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_content_stays_between_two_servers_and_the_thread_does_not() -> None:
    registry = Registry()
    with registry.serve() as running:
        assert running.address == running.url.removeprefix("http://")
        assert running.address.startswith("127.0.0.1:")
        assert _push(running, b"kept").status_code == 201
        # A connection that a client keeps holds nobody up.
        kept = http.client.HTTPConnection(running.address, timeout=5)
        kept.request("GET", "/v2/")
        kept.getresponse().read()
        with pytest.raises(RuntimeError, match="served already"), registry.serve():
            pass
        before = time.monotonic()
    assert time.monotonic() - before < 0.5
    kept.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "registry"]
    with pytest.raises(requests.ConnectionError):
        requests.get(running.url, timeout=5)
    with registry.serve() as again:
        assert _has(again, b"kept")


def test_the_server_ends_where_the_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), Registry().serve():
        raise ZeroDivisionError
    assert not [thread for thread in threading.enumerate() if thread.name == "registry"]


def test_what_is_open_at_the_end_is_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    with Registry().serve(drain=0) as running:
        started = requests.post(f"{running.url}/v2/a/blobs/uploads/", timeout=5).headers["Location"]
        open_one = http.client.HTTPConnection(running.address, timeout=5)
        open_one.putrequest("PATCH", started)
        open_one.putheader("Content-Length", "100")
        open_one.endheaders(b"begun")
        before = time.monotonic()
    assert time.monotonic() - before < 2
    open_one.close()
    assert not caplog.records


def test_a_server_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError("no loop")

    monkeypatch.setattr(background, "loop_factory", fails)
    with pytest.raises(RuntimeError, match="did not start") as caught, Registry().serve():
        pass
    assert str(caught.value.__cause__) == "no loop"


def test_a_directory_keeps_content_and_is_left_to_others(tmp_path: Path) -> None:
    with Registry(tmp_path / "root") as first:
        with first.serve() as running:
            assert _push(running, b"kept").status_code == 201
        with pytest.raises(EmbeddingError, match=r"storage: .*root: another process uses it"):
            Registry(str(tmp_path / "root"))
    with Registry(str(tmp_path / "root"), read_only=True) as second, second.serve() as running:
        assert _has(running, b"kept")
        assert _push(running, b"new").status_code == 405


def test_logins() -> None:
    with Registry(users={"me": "secret", "you": "other"}).serve() as running:
        for user, password, status in (("me", "secret", 200), ("you", "other", 200), ("me", "other", 401)):
            assert requests.get(f"{running.url}/v2/", auth=(user, password), timeout=5).status_code == status


def _file(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda _: Registry(variants="location-absolut"), "no variant 'location-absolut'; close matches: location-abs"),
        (lambda _: Registry(faults=["blob-truncated", "blob-truncate"]), "no fault 'blob-truncate'; close matches"),
        (lambda _: Registry(faults="blob-truncated,x"), "there is no fault 'blob-truncated,x'"),
        (lambda _: Registry(faults="nothing at all"), "there is no fault 'nothing at all'$"),
        (
            lambda _: Registry(variants="tls-only"),
            "configuration 'tls'.* run: registry serve CONFIG --variant tls-only",
        ),
        (lambda _: Registry(variants="large-blobs-on-another-host"), "needs the argument users="),
        (lambda p: Registry(_file(p)), "storage: .*/file"),
        (lambda _: legal_variants("push.location"), "no variant or theme 'push.location'; close matches: push.loc"),
        (lambda _: legal_variants(without="pul"), "no variant or theme 'pul'"),
        (lambda _: legal_variants(profile="oci-1.3"), "no profile 'oci-1.3'; close matches: oci-1"),
        (lambda _: legal_variants(needs="delete-tags"), "no optional part 'delete-tags'; close matches: delete-tag"),
        (lambda _: legal_variants("notifications"), "no variant is left of notifications"),
    ],
)
def test_what_cannot_be_made_is_told_in_a_sentence(
    tmp_path: Path, made: Callable[[Path], object], message: str
) -> None:
    with pytest.raises(EmbeddingError, match=message):
        made(tmp_path)


def test_faults_show_where_the_registry_is_as_they_need_it() -> None:
    from reference import faults  # noqa: PLC0415  # they take time to load

    arguments: dict[str, Any] = {
        "delete-off": {"delete": False},
        "read-only": {"read_only": True},
        "schema1": {"schema1": True},
        "htpasswd": {"users": {"a": "b"}},
    }
    for configuration, given in arguments.items():
        name = next(name for name, fault in faults.ALL.items() if fault.configuration == configuration)
        with pytest.raises(EmbeddingError, match=f"needs the argument {next(iter(given))}="):
            Registry(faults=name)
        assert Registry(faults=name, **given).faults == (name,)


def test_every_variant_that_is_offered_can_be_had() -> None:
    for name in legal_variants():
        assert Registry(variants=[name, name]).variants == (name,)


def test_variants_are_chosen_by_theme_profile_and_what_a_client_needs() -> None:
    themes = {prefix for module in BY_MODULE for prefix in (module, module.partition(".")[0], "all")}
    assert not themes & set(ALL)
    locations = legal_variants("push.locations")
    assert "location-absolute" in locations
    assert set(locations) < set(legal_variants("push")) < set(legal_variants())
    assert legal_variants(["location-absolute", "push.locations"])[0] == "location-absolute"
    assert len(legal_variants(["push.locations", "push"])) == len(legal_variants("push"))
    assert legal_variants("push.locations", without=["location-by-tag"]) == tuple(
        name for name in locations if name != "location-by-tag"
    )
    assert not set(legal_variants(without="push")) & set(legal_variants("push"))
    assert all("oci-1.1" in ALL[name].profiles for name in legal_variants(profile="oci-1.1"))
    assert any("delete-tag" in ALL[name].lacks for name in legal_variants())
    assert not any("delete-tag" in ALL[name].lacks for name in legal_variants(needs="delete-tag"))


def test_it_is_mounted_below_a_path() -> None:
    registry = Registry(variants="location-absolute")

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await registry({**scope, "root_path": "/registry"}, receive, send)

    async def check() -> None:
        started = await Client(mounted).call("POST", "/registry/v2/a/blobs/uploads/")
        assert "/registry/v2/a/blobs/uploads/" in started.get("location")

    asyncio.run(check())


def test_the_examples_of_the_documentation_do_what_they_say(tmp_path: Path) -> None:
    assert embedding.what_is_there(tmp_path / "content") == ["team/app"]

    async def check() -> None:
        client = Client(embedding.application)
        login = (("authorization", "Basic bWU6c2VjcmV0"),)
        assert (await client.call("GET", "/registry/v2/", fields=login)).status == 200
        assert (await client.call("GET", "/registry/v2/")).status == 401
        assert (await client.call("GET", "/v2/", fields=login)).status == 404

    asyncio.run(check())
