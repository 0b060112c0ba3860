"""The configuration file of the token service, checked strictly and with line numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reference.auth.trust import ALGORITHMS
from reference.configfile import ConfigError, Section, load
from reference.tokens.access import Account, Rule

__all__ = ["Config", "ConfigError", "read"]

_LEVELS = ("error", "warn", "info", "debug")
#: No client has to cope with tokens that live for fewer seconds.
_SHORTEST = 60


@dataclass(slots=True)
class Config:
    """What the file says, with the defaults filled in; the lifetime of tokens in seconds."""

    issuer: str
    services: tuple[str, ...]
    bundle: Path
    level: str = "info"
    addr: str = "127.0.0.1:5001"
    algorithm: str = ALGORITHMS[0]
    key: Path | None = None
    lifetime: int = 300
    oauth: bool = True
    anonymous: Account = field(default_factory=Account)
    accounts: dict[str, Account] = field(default_factory=dict)


def read(path: Path) -> Config:
    """Read and check a configuration file."""
    top = load(path)
    config = Config(
        issuer=top.text("issuer", required=True),
        services=_services(top),
        bundle=Path(top.text("rootcertbundle", required=True)),
        level=top.choice("loglevel", _LEVELS, "info"),
        algorithm=top.choice("algorithm", ALGORITHMS, ALGORITHMS[0]),
        lifetime=top.number("lifetime", 300),
        oauth=top.flag("oauth", True),
    )
    if config.lifetime < _SHORTEST:
        top.fail_at("lifetime", f"lifetime must be {_SHORTEST} seconds or more, not {config.lifetime}")
    if key := top.text("key"):
        config.key = Path(key)
    if (http := top.section("http")) is not None:
        config.addr = http.address("addr", config.addr)
        http.finish()
    config.anonymous = Account(rules=_rules(top, "anonymous"))
    for entry in top.sections("accounts"):
        account = _account(entry)
        if account.name in config.accounts:
            entry.fail_at("name", f"{entry.path}: there is an account {account.name!r} already")
        config.accounts[account.name] = account
    top.finish()
    return config


def _services(top: Section) -> tuple[str, ...]:
    services = top.texts("services")
    if not services or "*" in services[0]:
        top.fail_at("services", "services must begin with the name of a registry")
    return services


def _account(entry: Section) -> Account:
    name = entry.text("name", required=True)
    if ":" in name:
        entry.fail_at("name", f"{entry.path}.name must not hold a colon")
    account = Account(name, entry.text("password", required=True), _rules(entry, "access"))
    entry.finish()
    return account


def _rules(section: Section, key: str) -> tuple[Rule, ...]:
    rules = []
    for entry in section.sections(key):
        actions = entry.texts("actions")
        rules.append(Rule(entry.text("type", "repository"), entry.text("name", required=True), frozenset(actions)))
        entry.finish()
    return tuple(rules)
