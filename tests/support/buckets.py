"""Buckets: emulators on a free port of the loopback interface, and what a configuration says of a bucket in them."""

from __future__ import annotations

import hmac
import itertools
import json
import shutil
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, Protocol

import requests
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.servers import free_port, run_process, wait_for

#: Numbers of the buckets of one process, each of which starts emulators of its own.
NAMES = itertools.count()
ACCESS, SECRET = "AKIAOFATEST", "secret-of-a-bucket"
#: The account that Azurite comes with, by its documentation.
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_AZURITE = "azurite@3"


class Emulator(Protocol):
    """A running emulator."""

    @property
    def url(self) -> str:
        """Where it is."""

    def make(self, name: str) -> dict[str, Any]:
        """Make a bucket; what a configuration says of it."""


@dataclass(frozen=True, slots=True)
class S3:
    """S3, by moto."""

    url: str

    def make(self, name: str) -> dict[str, Any]:
        """Make a bucket."""
        requests.put(f"{self.url}/{name}", timeout=10).raise_for_status()
        return {
            "regionendpoint": self.url,
            "region": "us-east-1",
            "bucket": name,
            "accesskey": ACCESS,
            "secretkey": SECRET,
        }


@contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """Run the emulator; ``folder`` gets its log."""
    port = free_port()
    program = Path(sys.executable).with_name("moto_server")
    with run_process([str(program), "-H", "127.0.0.1", "-p", str(port)], folder / "moto.log") as (process, log):
        url = f"http://127.0.0.1:{port}"
        wait_for(process, log, lambda: url if answers(url) else None)
        yield S3(url)


@dataclass(frozen=True, slots=True)
class Google:
    """Google Cloud Storage, by moto in other words; keys are in a folder."""

    url: str
    folder: Path

    def make(self, name: str) -> dict[str, Any]:
        """Make a bucket, and the key of an account with it."""
        requests.put(f"{self.url}/{name}", timeout=10).raise_for_status()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = {"gcs_base_url": self.url, "client_email": "a@b", "private_key": pem, "private_key_id": "k"}
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(account), encoding="utf-8")
        return {"bucket": name, "keyfile": str(path)}


@contextmanager
def google(folder: Path) -> Iterator[Google]:
    """Run the emulator; ``folder`` gets its log and the keys."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.google", str(port)]
    with run_process(command, folder / "google.log") as (process, log):
        url = f"http://127.0.0.1:{port}"
        wait_for(process, log, lambda: url if answers(url) else None)
        yield Google(url, folder)


@dataclass(frozen=True, slots=True)
class Azure:
    """Azure, by Azurite."""

    url: str

    def make(self, name: str) -> dict[str, Any]:
        """Make a container."""
        date = formatdate(usegmt=True)
        words = "\n".join(
            [
                *("PUT", *[""] * 11, f"x-ms-date:{date}", "x-ms-version:2021-08-06"),
                f"/{_ACCOUNT}/{_ACCOUNT}/{name}\nrestype:container",
            ]
        )
        signature = b64encode(hmac.digest(b64decode(_ACCOUNT_KEY), words.encode(), "sha256")).decode()
        headers = {
            "x-ms-date": date,
            "x-ms-version": "2021-08-06",
            "Authorization": f"SharedKey {_ACCOUNT}:{signature}",
        }
        url = f"{self.url}/{name}?restype=container"
        requests.put(url, headers=headers, timeout=10).raise_for_status()
        return {"accountname": _ACCOUNT, "accountkey": _ACCOUNT_KEY, "container": name, "serviceurl": self.url}


@contextmanager
def azure(folder: Path) -> Iterator[Azure]:
    """Run the emulator, which npm fetches where it is not at hand; ``folder`` gets its log."""
    port = free_port()
    program = shutil.which("azurite-blob")
    command = [program] if program else ["npx", "--yes", "--package", _AZURITE, "azurite-blob"]
    options = ["--blobPort", str(port), "--silent", "--inMemoryPersistence", "--skipApiVersionCheck"]
    with run_process([*command, *options], folder / "azurite.log") as (process, log):
        url = f"http://127.0.0.1:{port}"
        wait_for(process, log, lambda: url if answers(url) else None)
        yield Azure(f"{url}/{_ACCOUNT}")


def answers(url: str) -> bool:
    """Whether anybody is there."""
    try:
        return requests.get(url, timeout=5).status_code > 0
    except requests.ConnectionError:
        return False


def configuration(path: Path, storage: Mapping[str, Any], **more: Any) -> Path:
    """Write the configuration of a registry with a storage."""
    path.write_text(yaml.safe_dump({"version": "0.1", "storage": dict(storage), **more}), encoding="utf-8")
    return path
