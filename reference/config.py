"""The configuration file: the YAML of the original registry, checked strictly and with line numbers.

Sections of the original that the reference does not have are refused by name, rather than ignored.
Deletion is enabled where ``storage.delete`` does not say otherwise (the original's default is disabled).
"""

from __future__ import annotations

from pathlib import Path

import yaml

from reference.configfile import ConfigError, Section, load
from reference.server import check_tls
from reference.settings import Config, Endpoint, Tls, Token

__all__ = ["ConfigError", "read"]

_LEVELS = ("error", "warn", "info", "debug")
_FORMATS = ("text", "json", "logstash")
_STORAGES = ("filesystem", "inmemory")


def read(path: Path) -> Config:
    """Read and check a configuration file."""
    top = load(path)
    config = Config()
    version = top.text("version", required=True)
    if version not in ("0.1", "0.1.0"):
        top.fail_at("version", f"version {version} is not supported, only 0.1")
    config.level = top.choice("loglevel", _LEVELS, config.level)
    if (log := top.section("log")) is not None:
        config.level = _log(log, config.level)
    if (storage := top.section("storage", required=True)) is not None:
        _storage(config, storage)
    if (http := top.section("http")) is not None:
        _http(config, http)
    if (compatibility := top.section("compatibility")) is not None:
        _compatibility(config, compatibility)
    if (auth := top.section("auth")) is not None:
        _auth(config, auth)
    if (notifications := top.section("notifications")) is not None:
        _notifications(config, notifications)
    for unused in ("health", "validation", "policy", "reporting"):
        top.ignore(unused)
    top.finish(unsupported=("proxy", "redis", "middleware"))
    return config


def _log(section: Section, level: str) -> str:
    level = section.choice("level", _LEVELS, level)
    section.choice("formatter", _FORMATS, "text")
    for accepted in ("fields", "accesslog", "reportcaller"):
        section.ignore(accepted)
    section.finish(unsupported=("hooks",))
    return level


def _storage(config: Config, section: Section) -> None:
    kinds = [kind for kind in _STORAGES if kind in section]
    if len(kinds) != 1:
        section.fail("storage must have exactly one of filesystem and inmemory")
    config.storage = kinds[0]
    driver = section.section(config.storage)
    if driver is not None:
        if config.storage == "filesystem":
            config.root = Path(driver.text("rootdirectory", str(config.root)))
            driver.ignore("maxthreads")
        driver.finish()
    if (delete := section.section("delete")) is not None:
        config.delete_enabled = delete.flag("enabled", config.delete_enabled)
        delete.finish()
    if (maintenance := section.section("maintenance")) is not None:
        _maintenance(config, maintenance)
    for accepted in ("cache", "redirect", "tag"):
        section.ignore(accepted)
    section.finish(unsupported=("s3", "gcs", "azure", "swift", "oss"))


def _maintenance(config: Config, section: Section) -> None:
    if (read_only := section.section("readonly")) is not None:
        config.read_only = read_only.flag("enabled", False)
        read_only.finish()
    if (purging := section.section("uploadpurging")) is not None:
        enabled = purging.flag("enabled", True)
        age = purging.duration("age", config.purge_age)
        config.purge_age = age if enabled else 0
        for accepted in ("interval", "dryrun"):
            purging.ignore(accepted)
        purging.finish()
    section.finish()


def _http(config: Config, section: Section) -> None:
    config.addr = section.address("addr", config.addr)
    config.secret = section.text("secret", "")
    config.host = section.text("host", "")
    if config.host and not config.host.startswith(("http://", "https://")):
        section.fail_at("host", "http.host must be a URL with http or https")
    if (debug := section.section("debug")) is not None:
        config.debug_addr = debug.address("addr", "")
        debug.ignore("prometheus")
        debug.finish()
    if (tls := section.section("tls")) is not None:
        config.tls = _tls(tls)
    for accepted in ("net", "relativeurls", "draintimeout", "headers", "http2", "h2c"):
        section.ignore(accepted)
    section.finish(unsupported=("prefix",))


def _tls(section: Section) -> Tls | None:
    certificate, key = section.text("certificate", ""), section.text("key", "")
    section.finish(unsupported=("clientcas", "letsencrypt", "minimumtls", "ciphersuites"))
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
        # The original signs manifests anew that it rewrites; here they stay as they were pushed.
        schema1.ignore("signingkeyfile")
        schema1.finish()
    section.finish()


def _auth(config: Config, section: Section) -> None:
    if "htpasswd" in section and "token" in section:
        section.fail("auth must have one of htpasswd and token")
    if (htpasswd := section.section("htpasswd")) is not None:
        config.realm = _quoted(htpasswd, "realm")
        config.htpasswd = _file(htpasswd, "path")
        htpasswd.finish()
    if (token := section.section("token")) is not None:
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
        token.finish(unsupported=("autoredirectpath", "jwks", "signingalgorithms"))
    section.finish(unsupported=("silly",))


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
    for entry in section.sections("endpoints"):
        url = entry.text("url", required=True)
        if not url.startswith(("http://", "https://")):
            entry.fail_at("url", f"{entry.path}.url must be a URL with http or https")
        ignore = entry.section("ignore")
        endpoint = Endpoint(
            name=entry.text("name", required=True),
            url=url,
            disabled=entry.flag("disabled", False),
            headers=_headers(entry),
            timeout=entry.duration("timeout", 1.0),
            threshold=entry.number("threshold", 10),
            backoff=entry.duration("backoff", 1.0),
            ignored_media_types=frozenset(entry.words("ignoredmediatypes") + _ignored(ignore, "mediatypes")),
            ignored_actions=frozenset(_ignored(ignore, "actions")),
        )
        entry.finish()
        config.endpoints.append(endpoint)
    section.finish()


def _ignored(section: Section | None, key: str) -> list[str]:
    return section.words(key) if section is not None else []


def _headers(entry: Section) -> dict[str, list[str]]:
    section = entry.section("headers")
    if section is None:
        return {}
    value = yaml.safe_load(yaml.serialize(section.node)) or {}
    return {
        str(name): [str(item) for item in (items if isinstance(items, list) else [items])]
        for name, items in value.items()
    }
