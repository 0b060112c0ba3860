"""The client works with each oddity that the specification allows a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference import variants
from reference.dist import Options, SyncClient
from reference.dist.logins import Login, Logins
from tests.clients.images import blobs, reachable
from tests.dist_client.conftest import QUICK, Made
from tests.support.configurations import configured
from tests.support.tokens import OWNER

#: Of others the content or the names are given.
_OPEN = ("memory", "filesystem", "delete-off", "htpasswd", "token", "token-public")
#: These refuse the image, which is their right, or have it only later.
_REFUSING = {
    "bytes-quota",
    "bytes-quota-of-repository",
    "pull-limit-reached",
    "read-only",
    "repositories-given",
    "repositories-listed",
    "writes-refused",
    "written-later",
}
_NAMES = sorted(name for name, one in variants.ALL.items() if one.configuration in _OPEN and name not in _REFUSING)


@pytest.mark.slow
@pytest.mark.parametrize("name", _NAMES)
def test_push_copy_and_pull(name: str, made: Made, tmp_path: Path) -> None:
    with configured(variants.ALL[name].configuration, tmp_path, variants=[name]) as target:
        host = target.url.partition("//")[2]
        Logins(tmp_path / "logins.json").store(host, Login(OWNER.name, OWNER.password))
        options = Options(logins=tmp_path / "logins.json", **QUICK)  # type: ignore[arg-type]  # by name
        with SyncClient(options) as client:
            client.copy(made.at("v1"), f"{host}/variants/one:v1")
            client.copy(f"{host}/variants/one:v1", f"{host}/variants/other:v1")
            client.copy(f"{host}/variants/other:v1", f"oci:{tmp_path / 'back'}:v1")
            assert client.tags(f"{host}/variants/one") in ([], ["v1"])  # it may be listed later
            assert client.referrers(f"{host}/variants/one:v1") == []
    assert blobs(tmp_path / "back") == reachable(made.layout.folder, made.image["digest"])
