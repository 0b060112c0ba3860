"""Buckets: an emulator of S3 on a free port of the loopback interface."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.support.servers import free_port, run_process, wait_for

ACCESS, SECRET = "AKIAOFATEST", "secret-of-a-bucket"


@dataclass(frozen=True, slots=True)
class S3:
    """A running emulator, by moto."""

    url: str

    def make(self, name: str) -> dict[str, Any]:
        """Make a bucket; what a configuration says of it."""
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
        wait_for(process, log, lambda: url if _answers(url) else None)
        yield S3(url)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/moto-api/data.json", timeout=5).ok
    except requests.ConnectionError:
        return False


def configuration(path: Path, storage: Mapping[str, Any], **more: Any) -> Path:
    """Write the configuration of a registry with a storage."""
    path.write_text(yaml.safe_dump({"version": "0.1", "storage": dict(storage), **more}), encoding="utf-8")
    return path
