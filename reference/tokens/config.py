"""The configuration file of the token service, checked strictly and with line numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reference.auth.trust import ALGORITHMS
from reference.configuration.file import ConfigError, Section, load
from reference.configuration.table import Key, Kind, Table
from reference.tokens.access import Account, Rule

__all__ = ["Config", "ConfigError", "read"]

#: No client has to cope with tokens that live for fewer seconds.
_SHORTEST = 60
_RULES = {
    "type": Key("the kind of what is granted", default="repository"),
    "name": Key("its name; a star stands for any characters", required=True),
    "actions": Key("what is granted; a star is every action", Kind.TEXTS),
}
CONFIGURATION = Table(
    "The configuration of the token service.",
    {
        "issuer": Key("the issuer of the tokens", required=True),
        "services": Key("for which registries; the first where a request names none", Kind.TEXTS, required=True),
        "rootcertbundle": Key("the file that the certificate is written to", required=True),
        "loglevel": Key("what is logged", choices=("error", "warn", "info", "debug"), default="info"),
        "algorithm": Key("how tokens are signed", choices=ALGORITHMS, default=ALGORITHMS[0]),
        "key": Key("a file for the private key; without it each start makes a new one"),
        "lifetime": Key("seconds that a token lives", Kind.NUMBER, default=300, least=_SHORTEST),
        "oauth": Key("POST is answered as OAuth 2.0 has it", Kind.FLAG, default=True),
        "http": Table("The server.", {"addr": Key("where it listens", Kind.ADDRESS, default="127.0.0.1:5001")}),
        "anonymous": Table("What everybody may have.", _RULES, many=True),
        "accounts": Table(
            "An account.",
            {
                "name": Key("its name, without a colon", required=True),
                "password": Key("its password, as it is", required=True),
                "access": Table("What it may have.", _RULES, many=True),
            },
            many=True,
        ),
    },
)


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
    top = load(path, CONFIGURATION)
    config = Config(
        issuer=top.text("issuer"),
        services=_services(top),
        bundle=Path(top.text("rootcertbundle")),
        level=top.text("loglevel"),
        algorithm=top.text("algorithm"),
        lifetime=top.number("lifetime"),
        oauth=top.flag("oauth"),
    )
    if key := top.text("key"):
        config.key = Path(key)
    if (http := top.section("http")) is not None:
        config.addr = http.address("addr")
    config.anonymous = Account(rules=_rules(top, "anonymous"))
    for entry in top.sections("accounts"):
        account = _account(entry)
        if account.name in config.accounts:
            entry.fail_at("name", f"{entry.path}: there is an account {account.name!r} already")
        config.accounts[account.name] = account
    return config


def _services(top: Section) -> tuple[str, ...]:
    services = top.texts("services")
    if not services or "*" in services[0]:
        top.fail_at("services", "services must begin with the name of a registry")
    return services


def _account(entry: Section) -> Account:
    name = entry.text("name")
    if ":" in name:
        entry.fail_at("name", f"{entry.path}.name must not hold a colon")
    return Account(name, entry.text("password"), _rules(entry, "access"))


def _rules(section: Section, key: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(entry.text("type"), entry.text("name"), frozenset(entry.texts("actions")))
        for entry in section.sections(key)
    )
