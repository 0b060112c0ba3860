"""The token service as a process of its own, and the accounts that tests give it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reference.tokens.keys import Signer, keep_key
from tests.support.servers import run_process, wait_for

SERVICE = "registry.tests"
ISSUER = "tokens.tests"
#: What an account may have: type, name pattern and actions.
Rule = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Account:
    """Name, password and rules of an account."""

    name: str
    rules: tuple[Rule, ...] = ()

    @property
    def password(self) -> str:
        """A password that no log may show."""
        return f"the-password-of-{self.name}"


#: Everything in the namespace of the suite, and the catalogue.
OWNER = Account("owner", (("repository", "*", ("*",)), ("registry", "catalog", ("*",))))
#: Pulls alone.
READER = Account("reader", (("repository", "*", ("pull",)),))
#: Nothing but what is its own.
STRANGER = Account("stranger", (("repository", "stranger/*", ("pull", "push", "delete")),))
EVERYBODY_PULLS: tuple[Rule, ...] = (("repository", "*", ("pull",)),)


@dataclass(frozen=True, slots=True)
class TokenServer:
    """A running token service: its URL, certificate, key, log and process id."""

    url: str
    bundle: Path
    key: Path
    log: Path
    pid: int

    @property
    def auth(self) -> dict[str, Any]:
        """The section `auth` of a registry's configuration that trusts it; the original's too."""
        names = {"realm": self.url, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(self.bundle)}
        return {"token": names}

    def of_another_time(self) -> tuple[str, str]:
        """A token of the owner that was good until an hour ago, and one that will be in an hour."""
        signer = Signer(keep_key(self.key, "ES256"), ISSUER)
        now = int(time.time())
        times = ({"nbf": now - 7200, "exp": now - 3600}, {"nbf": now + 3600, "exp": now + 7200})
        old, new = (signer.sign({"iss": ISSUER, "sub": OWNER.name, "aud": SERVICE, "access": [], **t}) for t in times)
        return old, new


@contextmanager
def token_server(
    folder: Path,
    *accounts: Account,
    anonymous: Sequence[Rule] = (),
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
) -> Iterator[TokenServer]:
    """Run the token service of the reference.

    Args:
        folder: an existing folder of the test.
        accounts: who may ask for tokens, by password.
        anonymous: what everybody may have.
        faults: names of faults.
        variants: names of variants.
        extra: members that replace those of the configuration.
    """
    config: dict[str, Any] = {
        "issuer": ISSUER,
        # Tokens for others are given too, so that a registry can show that it refuses them.
        "services": [SERVICE, "*"],
        "rootcertbundle": str(folder / "tokens.pem"),
        "key": str(folder / "tokens.key"),
        "anonymous": [_rule(rule) for rule in anonymous],
        "accounts": [
            {"name": account.name, "password": account.password, "access": [_rule(rule) for rule in account.rules]}
            for account in accounts
        ],
    }
    config |= extra or {}
    path, port_file = folder / "tokens.yaml", folder / "tokens.address"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "reference", "tokens", str(path), "--addr", "127.0.0.1:0"]
    command += ["--port-file", str(port_file), *(part for name in faults for part in ("--fault", name))]
    command += [part for name in variants for part in ("--variant", name)]
    with run_process(command, folder / "tokens.log") as (process, log):
        address = wait_for(process, log, lambda: port_file.read_text().strip() if port_file.exists() else "")
        bundle, key = Path(config["rootcertbundle"]), Path(config["key"])
        yield TokenServer(f"http://{address}/token", bundle, key, log, process.pid)


def _rule(rule: Rule) -> dict[str, Any]:
    kind, name, actions = rule
    return {"type": kind, "name": name, "actions": list(actions)}
