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

from reference.configuration import buckets, environment
from reference.configuration.file import ConfigError, Section, load
from reference.configuration.health import health
from reference.configuration.http import http
from reference.configuration.keys import CONFIGURATION, STORAGES
from reference.settings import Collection, Config, Endpoint, Log, Proxy, Token
from reference.storage import drivers
from reference.storage.layout import DISTRIBUTION

__all__ = ["ConfigError", "read"]

_SHARED = "others may push to the bucket, and nobody knows of what is on its way to them"


def read(path: Path, variables: Mapping[str, str] | None = None) -> Config:
    """Read and check a configuration file, with the variables REGISTRY_... of an environment, by default our own."""
    config, given = Config(log=Log(access=True)), os.environ if variables is None else variables
    unknown: list[str] = []
    names = CONFIGURATION.members
    top = load(path, CONFIGURATION, lambda node: unknown.extend(environment.override(node, given, names)))
    top.text("version")
    config.log.level = top.text("loglevel")
    parts = (
        ("log", _log),
        ("storage", _storage),
        ("http", http),
        ("compatibility", _compatibility),
        ("auth", _auth),
        ("notifications", _notifications),
        ("health", health),
        ("validation", lambda _config, _section: None),
        ("catalog", _catalog),
        ("proxy", _proxy),
    )
    sections = {name: section for name, _ in parts if (section := top.section(name)) is not None}
    for name, take in parts:
        if name in sections:
            take(config, sections[name])
    if config.workers > 1 and (reason := config.needs_one_process):
        sections["http"].fail_at("workers", f"http.workers: {config.workers} cannot be with {reason}")
    config.remarks = [*(f"{name} is no setting of a registry" for name in unknown), *top.remarks]
    return config


def _log(config: Config, section: Section) -> None:
    if "level" in section:
        config.log.level = section.text("level")
    config.log.formatter = section.text("formatter")
    config.log.places = section.flag("reportcaller")
    config.log.fields = section.fields("fields")
    if (access := section.section("accesslog")) is not None:
        config.log.access = not access.flag("disabled")


def _storage(config: Config, section: Section) -> None:
    kinds = [kind for kind in STORAGES if kind in section] or [kind for kind in drivers.names() if kind in section]
    if len(kinds) != 1:
        section.fail(f"storage must have exactly one of {', '.join([*STORAGES, *drivers.names()])}")
    config.storage = kinds[0]
    if config.storage not in STORAGES:
        config.parameters = section.all(config.storage)
    elif (driver := section.section(config.storage)) is not None:
        if config.storage == "filesystem":
            config.root, config.sync = Path(driver.text("rootdirectory")), driver.text("sync")
            config.layout = driver.text("layout")
        elif config.storage != "inmemory":
            config.bucket = buckets.read(config.storage, driver)
    if (delete := section.section("delete")) is not None:
        config.delete_enabled = delete.flag("enabled")
    if (maintenance := section.section("maintenance")) is not None:
        _maintenance(config, maintenance)
    # What the others hold is done anyway, or changes nothing.
    section.section("cache")
    section.section("tag")
    redirect = section.section("redirect")
    if config.bucket is not None:
        # No other storage has a place to redirect to, in the original either.
        config.bucket = replace(config.bucket, redirect=redirect is None or not redirect.flag("disable"))
    elif redirect is not None:
        redirect.flag("disable")


def _maintenance(config: Config, section: Section) -> None:
    if (read_only := section.section("readonly")) is not None:
        config.read_only = read_only.flag("enabled")
    if (purging := section.section("uploadpurging")) is not None:
        age = purging.duration("age")
        config.purge_age = age if purging.flag("enabled") else 0
        config.purge_interval = purging.duration("interval")
        config.purge_dry = purging.flag("dryrun")
    if (collecting := section.section("garbagecollect")) is not None:
        config.collection = _collection(config, collecting)


def _collection(config: Config, section: Section) -> Collection | None:
    enabled = section.flag("enabled")
    found = Collection(
        interval=section.duration("interval"),
        age=section.duration("age"),
        untagged=section.flag("deleteuntagged"),
        dry_run=section.flag("dryrun"),
    )
    if enabled and config.bucket is not None:
        section.fail_at("enabled", f"{section.name('enabled')}: {_SHARED}")
    if enabled and config.read_only:
        section.fail_at("enabled", f"{section.name('enabled')}: nothing is taken from a registry that is read-only")
    return found if enabled else None


def _compatibility(config: Config, section: Section) -> None:
    if (schema1 := section.section("schema1")) is not None:
        config.schema1_enabled = schema1.flag("enabled")
        if config.schema1_enabled and config.layout == DISTRIBUTION:
            schema1.fail_at("enabled", f"{schema1.name('enabled')}: the original's layout has no place for signatures")


def _catalog(config: Config, section: Section) -> None:
    config.catalog_limit = section.number("maxentries")


def _proxy(config: Config, section: Section) -> None:
    url = section.url("remoteurl")
    if config.bucket is not None:
        section.fail("proxy: a cache is kept in a filesystem or in memory: it sends on what is still being stored")
    if "@" in url:
        section.fail_at("remoteurl", "proxy.remoteurl must be a URL with http or https, and without a login")
    config.proxy = Proxy(url, section.text("username"), section.text("password"), section.duration("ttl"))


def _auth(config: Config, section: Section) -> None:
    if "htpasswd" in section and "token" in section:
        section.fail("auth must have one of htpasswd and token")
    if (htpasswd := section.section("htpasswd")) is not None:
        config.realm = _quotable(htpasswd, "realm", htpasswd.text("realm"))
        config.htpasswd = htpasswd.file_at("path")
    if (token := section.section("token")) is not None:
        realm = _quotable(token, "realm", token.url("realm"))
        service, issuer = _quotable(token, "service", token.text("service")), token.text("issuer")
        redirect = token.flag("autoredirect")
        if (bundle := token.file_at("rootcertbundle")) is not None:
            config.token = Token(realm, service, issuer, bundle, redirect)


def _quotable(section: Section, key: str, value: str) -> str:
    """A word that goes between quotation marks in a challenge."""
    if any(character in value for character in '"\\\r\n'):
        section.fail_at(key, f"{section.name(key)} must not hold quotes, backslashes or line ends")
    return value


def _notifications(config: Config, section: Section) -> None:
    if (events := section.section("events")) is not None:
        config.references = events.flag("includereferences")
    if (queue := section.section("queue")) is not None:
        config.queue = Path(queue.text("rootdirectory"))
    for entry in section.sections("endpoints"):
        url = entry.url("url")
        ignore = entry.section("ignore")
        endpoint = Endpoint(
            name=entry.text("name"),
            url=url,
            disabled=entry.flag("disabled"),
            headers=entry.lists("headers"),
            timeout=entry.duration("timeout"),
            threshold=entry.number("threshold"),
            backoff=entry.duration("backoff"),
            ignored_media_types=frozenset(entry.words("ignoredmediatypes") + _ignored(ignore, "mediatypes")),
            ignored_actions=frozenset(_ignored(ignore, "actions")),
        )
        if config.queue is not None and endpoint.name in [other.name for other in config.endpoints]:
            entry.fail_at("name", f"{entry.name('name')}: each endpoint needs a name of its own for its queue")
        config.endpoints.append(endpoint)


def _ignored(section: Section | None, key: str) -> list[str]:
    return section.words(key) if section is not None else []
