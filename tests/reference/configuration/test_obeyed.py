"""What keys do that no other test begins with the configuration for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding

from reference.app import Registry
from reference.configuration.reading import ConfigError, read
from reference.documents import SIGNED
from reference.health import Health
from reference.launch.registry import make_collector, make_health, make_jobs, make_registry, purge
from reference.notifications import Notifications
from reference.settings import Bucket, Config
from reference.storage.memory import MemoryStorage
from tests.reference.auth.test_token_auth import SIGNER, claims
from tests.reference.probe import Answer, Client, digest
from tests.reference.test_schema1 import _signed
from tests.support import valid
from tests.support.obeys import obeys

LAYER = b"layer"


def taken(folder: Path, storage: object = "inmemory", **sections: Any) -> Config:
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump({"version": 0.1, "storage": storage, **sections}))
    valid.check(path)
    return read(path, {})


def made(folder: Path, storage: object = "inmemory", **sections: Any) -> Registry:
    return make_registry(taken(folder, storage, **sections))


def call(registry: Registry, method: str, path: str, body: bytes = b"", **fields: str) -> Answer:
    kind = fields.pop("content_type", "application/octet-stream")
    return asyncio.run(Client(registry).call(method, path, body, content_type=kind, fields=tuple(fields.items())))


@obeys("version")
def test_there_is_one_version(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    for version, right in (("0.1", True), ("'0.1'", True), ("0.1.0", True), ("0.2", False), ("1", False)):
        path.write_text(f"version: {version}\nstorage: inmemory\n")
        assert valid.faults(yaml.safe_load(path.read_text())) == [] or not right
        if right:
            read(path, {})
        else:
            with pytest.raises(ConfigError, match="version must be one of"):
                read(path, {})


@obeys("loglevel", "log.level")
def test_the_level_of_the_log_goes_before_the_old_key(tmp_path: Path) -> None:
    assert taken(tmp_path).log.level == "info"
    assert taken(tmp_path, loglevel="debug").log.level == "debug"
    assert taken(tmp_path, loglevel="debug", log={"level": "error"}).log.level == "error"


@obeys("storage.delete.enabled")
def test_deletion_can_be_off(tmp_path: Path) -> None:
    for enabled, status in ((True, 202), (False, 405)):
        registry = made(tmp_path, {"inmemory": {}, "delete": {"enabled": enabled}})
        assert call(registry, "POST", f"/v2/a/blobs/uploads/?digest={digest(LAYER)}", LAYER).status == 201
        assert call(registry, "DELETE", f"/v2/a/blobs/{digest(LAYER)}").status == status


@obeys("http.host", "http.relativeurls")
def test_locations_are_what_is_asked_for(tmp_path: Path) -> None:
    for more, begins in (
        ({}, "/v2/a/"),
        ({"host": "https://registry.example"}, "https://registry.example/v2/a/"),
        ({"host": "https://registry.example", "relativeurls": True}, "/v2/a/"),
    ):
        answer = call(made(tmp_path, http=more), "POST", "/v2/a/blobs/uploads/")
        assert answer.get("location").startswith(begins)


@obeys(
    "auth.token.realm",
    "auth.token.service",
    "auth.token.issuer",
    "auth.token.rootcertbundle",
    "auth.token.autoredirect",
)
def test_tokens_of_an_issuer_for_a_service_open(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(SIGNER.certificate.public_bytes(Encoding.PEM))
    token = {
        "realm": "https://tokens.test/token",
        "service": "service",
        "issuer": "issuer",
        "rootcertbundle": str(bundle),
    }
    registry = made(tmp_path, auth={"token": token})
    assert call(registry, "GET", "/v2/").get("www-authenticate") == (
        'Bearer realm="https://tokens.test/token",service="service"'
    )
    for more, status in (({}, 200), ({"iss": "another"}, 401), ({"aud": "another"}, 401)):
        assert call(registry, "GET", "/v2/", authorization=f"Bearer {SIGNER.sign(claims(**more))}").status == status
    redirected = call(made(tmp_path, auth={"token": {**token, "autoredirect": True}}), "GET", "/v2/")
    assert 'realm="https://registry.test/auth/token"' in redirected.get("www-authenticate")


@obeys("compatibility.schema1.enabled")
def test_schema_1_is_taken_where_it_is_enabled(tmp_path: Path) -> None:
    for enabled, status in ((False, 400), (True, 201)):
        registry = made(tmp_path, compatibility={"schema1": {"enabled": enabled}})
        call(registry, "POST", f"/v2/a/b/blobs/uploads/?digest={digest(LAYER)}", LAYER)
        assert call(registry, "PUT", "/v2/a/b/manifests/t", _signed(), content_type=SIGNED).status == status


@obeys(
    "storage.maintenance.uploadpurging.enabled",
    "storage.maintenance.uploadpurging.age",
    "storage.maintenance.uploadpurging.interval",
)
def test_sessions_end_when_they_are_old(tmp_path: Path) -> None:
    def jobs(**purging: Any) -> tuple[Config, dict[str, float]]:
        config = taken(tmp_path, {"inmemory": {}, "maintenance": {"uploadpurging": purging}})
        made = make_jobs(config, Registry(MemoryStorage()), Health())
        return config, {job.name: job.interval for job in made}

    assert jobs(interval="2h")[1] == {"purge of uploads": 7200}
    assert jobs(enabled=False)[1] == {}
    for age, left in (("1ns", 0), ("1h", 1)):
        config, storage = jobs(age=age)[0], MemoryStorage()
        storage.start_upload("a")
        purge(config, storage)
        assert storage.open_uploads() == left


@obeys(
    "storage.maintenance.garbagecollect.interval",
    "storage.maintenance.garbagecollect.age",
    "storage.maintenance.garbagecollect.deleteuntagged",
    "storage.maintenance.garbagecollect.dryrun",
)
def test_garbage_goes_as_it_is_said(tmp_path: Path) -> None:
    given = {"enabled": True, "interval": "3h", "age": "0s", "deleteuntagged": True}
    for dry, left in ((True, [digest(LAYER)]), (False, [])):
        config = taken(tmp_path, {"inmemory": {}, "maintenance": {"garbagecollect": {**given, "dryrun": dry}}})
        registry = make_registry(config)
        call(registry, "POST", f"/v2/a/blobs/uploads/?digest={digest(LAYER)}", LAYER)
        registry.collector = make_collector(config, registry.storage)
        assert registry.collector is not None
        assert registry.collector.untagged
        asyncio.run(registry.collector.run())
        asyncio.run(registry.collector.run())
        assert registry.storage.blobs("a") == left
        (interval,) = (job.interval for job in make_jobs(config, registry, Health()) if job.name == "collection")
        assert interval == 10800


@obeys(
    "notifications.endpoints[].disabled",
    "notifications.endpoints[].headers",
    "notifications.endpoints[].timeout",
    "notifications.endpoints[].threshold",
    "notifications.endpoints[].backoff",
    "notifications.endpoints[].ignoredmediatypes",
    "notifications.endpoints[].ignore.mediatypes",
    "notifications.endpoints[].ignore.actions",
)
def test_endpoints_are_told_what_they_want(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/"
    config = taken(
        tmp_path,
        notifications={
            "endpoints": [
                {"name": "a", "url": url, "timeout": "2s", "threshold": 3, "backoff": "4m", "headers": {"X": "y"}},
                {"name": "b", "url": url, "ignoredmediatypes": ["a/b"], "ignore": {"mediatypes": ["c/d"]}},
                {"name": "c", "url": url, "ignore": {"actions": ["pull"]}},
                {"name": "d", "url": url, "disabled": True},
            ]
        },
    )
    first = config.endpoints[0]
    assert (first.timeout, first.threshold, first.backoff, first.headers) == (2, 3, 240, {"X": ["y"]})
    notifications = Notifications(config.endpoints, None)  # type: ignore[arg-type]  # no event is made here
    put: dict[str, list[Any]] = {each.endpoint.name: [] for each in notifications.senders}
    assert list(put) == ["a", "b", "c"]
    for each in notifications.senders:
        each.put = put[each.endpoint.name].append  # type: ignore[assignment,method-assign]  # nothing is sent here
    for action, kind in (("push", "a/b"), ("push", "c/d"), ("pull", "e/f")):
        notifications.publish({"action": action, "target": {"mediaType": kind}})
    assert [len(got) for got in put.values()] == [3, 1, 2]


@obeys(
    "health.http[].interval",
    "health.http[].timeout",
    "health.tcp[].timeout",
    "health.tcp[].threshold",
)
def test_services_are_looked_at_as_it_is_said(tmp_path: Path) -> None:
    config = taken(
        tmp_path,
        health={
            "http": [{"uri": "http://127.0.0.1:1/", "interval": "7s", "timeout": "3s"}],
            "tcp": [{"addr": "127.0.0.1:1", "threshold": 2, "timeout": "4s"}],
        },
    )
    assert [getattr(look, "timeout", None) for look in config.checks] == [3, 4]
    http, tcp = make_health(config, MemoryStorage()).checks
    assert http.interval == 7
    tcp.run()
    assert not tcp.failed
    tcp.run()
    assert tcp.failed


def bucket(folder: Path, kind: str, **parameters: object) -> Bucket:
    found = taken(folder, {kind: parameters}).bucket
    assert found is not None
    return found


@obeys(
    "storage.gcs.rootdirectory",
    "storage.gcs.chunksize",
    "storage.gcs.useragent",
    "storage.azure.rootdirectory",
    "storage.azure.chunksize",
)
def test_what_buckets_have_in_common(tmp_path: Path) -> None:
    common = {"rootdirectory": "/a/b", "chunksize": 7 << 20}
    found = bucket(tmp_path, "gcs", bucket="x", useragent="agent", **common)
    assert (found.root, found.chunk, found.client["user_agent"]) == ("/a/b", 7 << 20, "agent")
    found = bucket(tmp_path, "azure", accountname="x", container="y", **common)
    assert (found.root, found.chunk) == ("/a/b", 7 << 20)


@obeys("proxy.ttl")
def test_a_cache_forgets_when_it_is_said(tmp_path: Path) -> None:
    for given, ttl in (({}, 168 * 3600), ({"ttl": "30m"}, 1800), ({"ttl": "0s"}, 0)):
        proxy = taken(tmp_path, proxy={"remoteurl": "http://a", **given}).proxy
        assert proxy is not None
        assert proxy.ttl == ttl


@obeys("http.http2.disabled")
def test_http_2_is_spoken_in_no_case(tmp_path: Path) -> None:
    said = "http.http2 changes nothing here: the server speaks HTTP/1.1"
    assert taken(tmp_path, http={"http2": {"disabled": False}}).remarks == [said]
    assert taken(tmp_path, http={"http2": {"disabled": True}}).remarks == []
