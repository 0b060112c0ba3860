"""The configuration file: the YAML of the original registry, checked strictly and with line numbers.

What it says is done, or it is refused by name with the reason: nothing that changes behaviour is ignored in silence.
What only steers how the original does its work is accepted, and a line of the log says that it changes nothing.
Deletion is enabled where ``storage.delete`` does not say otherwise (the original's default is disabled).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reference import environment
from reference.configfile import ConfigError, Section, load
from reference.health.settings import health
from reference.server import check_tls
from reference.settings import Collection, Config, Endpoint, Log, Proxy, Tls, Token
from reference.storage import drivers
from reference.storage.layout import DISTRIBUTION, LAYOUTS
from reference.storage.objects import settings as buckets
from reference.storage.sync import MODES

__all__ = ["ConfigError", "read"]

_LEVELS = ("error", "warn", "info", "debug")
_FORMATS = ("text", "json", "logstash")
_STORAGES = ("filesystem", "inmemory", *buckets.KINDS)
_SECTIONS = (
    *("version", "loglevel", "log", "storage", "http", "auth", "notifications", "compatibility", "health", "catalog"),
    *("validation", "proxy", "redis", "middleware", "policy", "reporting", "tags"),
)
_NO_DRIVER = f"it has the drivers {', '.join(_STORAGES)}"
_SHARED = "others may push to the bucket, and nobody knows of what is on its way to them"
_REFUSED = {
    "": {
        "redis": "it keeps what it knows in its own memory",
        "middleware": "it has none",
        "policy": "each repository takes every kind of manifest",
        "reporting": "it reports to nobody",
        "tags": "a list of tags has no limit but the n of its request",
    },
    "log": {"hooks": "it sends no mail"},
    "storage": dict.fromkeys(("s3aws", "swift", "oss"), _NO_DRIVER),
    "http": {"prefix": "the API begins at /v2/", "h3": "it speaks HTTP/1.1"},
    "http.tls": {
        "clientcas": "clients are known by passwords or tokens",
        "clientauth": "clients are known by passwords or tokens",
        "letsencrypt": "certificates come from files",
        "minimumtls": "the TLS library chooses",
        "ciphersuites": "the TLS library chooses",
    },
    "validation": {"manifests": "layers with urls are taken as they are, and missing content is refused"},
    "auth": {"silly": "it lets everybody in"},
    "auth.token": {
        "autoredirectpath": "the path is /auth/token",
        "jwks": "keys come from rootcertbundle",
        "signingalgorithms": "tokens are signed with ES256 or RS256",
    },
}


def read(path: Path, variables: Mapping[str, str] | None = None) -> Config:
    """Read and check a configuration file, with the variables REGISTRY_... of an environment, by default our own."""
    config, given = Config(log=Log(access=True)), os.environ if variables is None else variables
    unknown: list[str] = []
    top = load(path, lambda node: unknown.extend(environment.override(node, given, _SECTIONS)))
    config.remarks += [f"{name} is no setting of a registry" for name in unknown]
    version = top.text("version", required=True)
    if version not in ("0.1", "0.1.0"):
        top.fail_at("version", f"version {version} is not supported, only 0.1")
    config.log.level = top.choice("loglevel", _LEVELS, config.log.level)
    parts = (
        ("log", _log),
        ("storage", _storage),
        ("http", _http),
        ("compatibility", _compatibility),
        ("auth", _auth),
        ("notifications", _notifications),
        ("health", health),
        ("validation", _validation),
        ("catalog", _catalog),
        ("proxy", _proxy),
    )
    for name, take in parts:
        section = top.section(name, required=name == "storage", word=name == "storage")
        if section is not None:
            section.refuse(_REFUSED.get(name, {}))
            take(config, section)
            section.finish()
    top.refuse(_REFUSED[""])
    top.finish()
    return config


def _log(config: Config, section: Section) -> None:
    config.log.level = section.choice("level", _LEVELS, config.log.level)
    config.log.formatter = section.choice("formatter", _FORMATS, config.log.formatter)
    config.log.places = section.flag("reportcaller", False)
    if (fields := section.section("fields")) is not None:
        config.log.fields = {key: fields.text(key) for key in fields.keys()}  # noqa: SIM118 - a section is no mapping
    if (access := section.section("accesslog")) is not None:
        config.log.access = not access.flag("disabled", False)
        access.finish()


def _storage(config: Config, section: Section) -> None:
    kinds = [kind for kind in _STORAGES if kind in section] or [kind for kind in drivers.names() if kind in section]
    if len(kinds) != 1:
        section.fail(f"storage must have exactly one of {', '.join([*_STORAGES, *drivers.names()])}")
    config.storage = kinds[0]
    driver = section.section(config.storage)
    if driver is not None and config.storage not in _STORAGES:
        config.parameters = driver.all()
    elif driver is not None and config.storage in buckets.KINDS:
        config.bucket = buckets.read(config.storage, driver, config.remarks)
    elif driver is not None:
        if config.storage == "filesystem":
            config.root = Path(driver.text("rootdirectory", str(config.root)))
            config.sync = driver.choice("sync", MODES, config.sync)
            config.layout = driver.choice("layout", LAYOUTS, config.layout)
            _idle(config, driver, "maxthreads")
        driver.finish()
    if (delete := section.section("delete")) is not None:
        config.delete_enabled = delete.flag("enabled", config.delete_enabled)
        delete.finish()
    if (maintenance := section.section("maintenance")) is not None:
        _maintenance(config, maintenance)
    if (cache := section.section("cache")) is not None:
        for key in ("blobdescriptor", "layerinfo"):
            cache.only(key, "inmemory", "there is no other cache")
        _idle(config, cache, "blobdescriptorsize")
        cache.finish()
    disabled = False
    if (redirect := section.section("redirect")) is not None:
        disabled = redirect.flag("disable", False)
        redirect.finish()
    if config.bucket is not None:
        # No other storage has a place to redirect to, in the original either.
        config.bucket = replace(config.bucket, redirect=not disabled)
    if (tag := section.section("tag")) is not None:
        _idle(config, tag, "concurrencylimit")
        tag.finish()


def _idle(config: Config, section: Section, key: str) -> None:
    """Take a number that steers how the original does its work."""
    if key in section:
        section.number(key, 0)
        config.remarks.append(f"{section.name(key)} changes nothing here")


def _maintenance(config: Config, section: Section) -> None:
    if (read_only := section.section("readonly")) is not None:
        config.read_only = read_only.flag("enabled", False)
        read_only.finish()
    if (purging := section.section("uploadpurging")) is not None:
        enabled = purging.flag("enabled", True)
        age = purging.duration("age", config.purge_age)
        config.purge_age = age if enabled else 0
        config.purge_interval = purging.duration("interval", config.purge_interval)
        if config.purge_interval <= 0:
            purging.fail_at("interval", f"{purging.name('interval')} must be more than nothing")
        config.purge_dry = purging.flag("dryrun", False)
        purging.finish()
    if (collecting := section.section("garbagecollect")) is not None:
        config.collection = _collection(config, collecting)
    section.finish()


def _collection(config: Config, section: Section) -> Collection | None:
    enabled = section.flag("enabled", False)
    found = Collection(
        interval=section.duration("interval", 86400),
        age=section.duration("age", 86400),
        untagged=section.flag("deleteuntagged", False),
        dry_run=section.flag("dryrun", False),
    )
    section.finish()
    if found.interval <= 0:
        section.fail_at("interval", f"{section.name('interval')} must be more than nothing")
    if enabled and config.bucket is not None:
        section.fail_at("enabled", f"{section.name('enabled')}: {_SHARED}")
    if enabled and config.read_only:
        section.fail_at("enabled", f"{section.name('enabled')}: nothing is taken from a registry that is read-only")
    return found if enabled else None


def _http(config: Config, section: Section) -> None:
    section.only("net", "tcp", "it listens on TCP alone")
    config.addr = section.address("addr", config.addr)
    if section.text("secret"):
        config.remarks.append("http.secret changes nothing here: the state of an upload is in the storage")
    host = section.text("host", "")
    if host and not host.startswith(("http://", "https://")):
        section.fail_at("host", "http.host must be a URL with http or https")
    config.host = "" if section.flag("relativeurls", False) else host
    config.drain = section.duration("draintimeout", config.drain)
    config.headers = [(name, value) for name, values in section.lists("headers").items() for value in values]
    if (debug := section.section("debug")) is not None:
        config.debug_addr = debug.address("addr", "")
        if (prometheus := debug.section("prometheus")) is not None:
            config.metrics = _metrics(config, prometheus)
        debug.finish()
    if (tls := section.section("tls")) is not None:
        config.tls = _tls(tls)
    if (http2 := section.section("http2")) is not None:
        if not http2.flag("disabled", False):
            config.remarks.append("http.http2 changes nothing here: the server speaks HTTP/1.1")
        http2.finish()
    if (h2c := section.section("h2c")) is not None:
        h2c.only("enabled", "false", "the server speaks HTTP/1.1")
        h2c.finish()


def _metrics(config: Config, section: Section) -> str:
    """The path of the metrics; nothing where they are off."""
    path = section.text("path") or "/metrics"
    if not path.startswith("/") or path.rstrip("/") in ("", "/debug/health", "/debug/vars"):
        section.fail_at("path", f"{section.name('path')} must be a path of its own, such as /metrics, not {path!r}")
    enabled = section.flag("enabled", False)
    section.finish()
    if enabled and not config.debug_addr:
        section.fail_at("enabled", f"{section.name('enabled')}: metrics are told on http.debug.addr, which is missing")
    return path.rstrip("/") if enabled else ""


def _tls(section: Section) -> Tls | None:
    certificate, key = section.text("certificate", ""), section.text("key", "")
    section.refuse(_REFUSED["http.tls"])
    section.finish()
    if not certificate and not key:
        return None
    if not certificate or not key:
        section.fail("http.tls needs both certificate and key")
    tls = Tls(Path(certificate), Path(key))
    for name, path in (("certificate", tls.certificate), ("key", tls.key)):
        if not path.is_file():
            section.fail_at(name, f"http.tls.{name}: {path} is no file")
    try:
        check_tls(tls)
    except (OSError, ValueError) as error:
        section.fail(f"http.tls: certificate and key cannot be used: {error}")
    return tls


def _compatibility(config: Config, section: Section) -> None:
    if (schema1 := section.section("schema1")) is not None:
        config.schema1_enabled = schema1.flag("enabled", False)
        if config.schema1_enabled and config.layout == DISTRIBUTION:
            schema1.fail_at(
                "enabled", "compatibility.schema1.enabled: the original's layout has no place for signatures"
            )
        if schema1.text("signingkeyfile"):
            config.remarks.append("compatibility.schema1.signingkeyfile changes nothing here: manifests stay as pushed")
        schema1.finish()


def _validation(_config: Config, section: Section) -> None:
    section.flag("enabled", False)
    section.flag("disabled", True)


def _catalog(config: Config, section: Section) -> None:
    config.catalog_limit = section.number("maxentries", config.catalog_limit)
    if not config.catalog_limit:
        section.fail_at("maxentries", "catalog.maxentries must be 1 or more")


def _proxy(config: Config, section: Section) -> None:
    url = section.text("remoteurl", required=True)
    if config.bucket is not None:
        section.fail("proxy: a cache is kept in a filesystem or in memory: it sends on what is still being stored")
    if not url.startswith(("http://", "https://")) or "@" in url:
        section.fail_at("remoteurl", "proxy.remoteurl must be a URL with http or https, and without a login")
    username, password = section.text("username"), section.text("password")
    config.proxy = Proxy(url, username, password, section.duration("ttl", 7 * 86400))


def _auth(config: Config, section: Section) -> None:
    if "htpasswd" in section and "token" in section:
        section.fail("auth must have one of htpasswd and token")
    if (htpasswd := section.section("htpasswd")) is not None:
        config.realm = _quoted(htpasswd, "realm")
        config.htpasswd = _file(htpasswd, "path")
        htpasswd.finish()
    if (token := section.section("token")) is not None:
        token.refuse(_REFUSED["auth.token"])
        realm = _quoted(token, "realm")
        if not realm.startswith(("http://", "https://")):
            token.fail_at("realm", "auth.token.realm must be a URL with http or https")
        config.token = Token(
            realm=realm,
            service=_quoted(token, "service"),
            issuer=token.text("issuer", required=True),
            bundle=_file(token, "rootcertbundle"),
            redirect=token.flag("autoredirect", False),
        )
        token.finish()


def _quoted(section: Section, key: str) -> str:
    """A word that goes between quotation marks in a challenge."""
    value = section.text(key, required=True)
    if any(character in value for character in '"\\\r\n'):
        section.fail_at(key, f"{section.name(key)} must not hold quotes, backslashes or line ends")
    return value


def _file(section: Section, key: str) -> Path:
    path = Path(section.text(key, required=True))
    if not path.is_file():
        section.fail_at(key, f"{section.name(key)}: {path} is no file")
    return path


def _notifications(config: Config, section: Section) -> None:
    if (events := section.section("events")) is not None:
        config.references = events.flag("includereferences", False)
        events.finish()
    if (queue := section.section("queue")) is not None:
        config.queue = Path(queue.text("rootdirectory", required=True))
        queue.finish()
    for entry in section.sections("endpoints"):
        url = entry.text("url", required=True)
        if not url.startswith(("http://", "https://")):
            entry.fail_at("url", f"{entry.path}.url must be a URL with http or https")
        ignore = entry.section("ignore")
        endpoint = Endpoint(
            name=entry.text("name", required=True),
            url=url,
            disabled=entry.flag("disabled", False),
            headers=entry.lists("headers"),
            timeout=entry.duration("timeout", 1.0),
            threshold=entry.number("threshold", 10),
            backoff=entry.duration("backoff", 1.0),
            ignored_media_types=frozenset(entry.words("ignoredmediatypes") + _ignored(ignore, "mediatypes")),
            ignored_actions=frozenset(_ignored(ignore, "actions")),
        )
        if config.queue is not None and endpoint.name in [other.name for other in config.endpoints]:
            entry.fail_at("name", f"{entry.name('name')}: each endpoint needs a name of its own for its queue")
        entry.finish()
        config.endpoints.append(endpoint)


def _ignored(section: Section | None, key: str) -> list[str]:
    return section.words(key) if section is not None else []
