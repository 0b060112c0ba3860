"""References: what they name, and that a wrong one is told without a password that may be in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference.dist import ContentError, NotFoundError, SyncClient, UsageError
from reference.dist.names import Place, parse, parse_host, parse_platform, parse_repository

_DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("registry.example/team/app:1", Place("registry", "team/app", "registry.example", tag="1")),
        ("registry.example:5000/app", Place("registry", "app", "registry.example:5000", tag="latest")),
        (f"localhost/app@{_DIGEST}", Place("registry", "app", "localhost", digest=_DIGEST)),
        (f"r.example/app:1@{_DIGEST}", Place("registry", "app", "r.example", tag="1", digest=_DIGEST)),
        ("http://registry/app:1", Place("registry", "app", "registry", "http", tag="1")),
        ("docker://r.example/app:1", Place("registry", "app", "r.example", tag="1")),
        ("[::1]:5000/app:1", Place("registry", "app", "[::1]:5000", tag="1")),
        ("debian", Place("registry", "library/debian", "docker.io", tag="latest")),
        ("team/app:2", Place("registry", "team/app", "docker.io", tag="2")),
        ("oci:some/folder:name", Place("oci", "some/folder", tag="name")),
        (f"oci:some/folder@{_DIGEST}", Place("oci", "some/folder", digest=_DIGEST)),
        ("oci-archive:a.tar", Place("oci-archive", "a.tar")),
        ("docker-archive:a.tar:team/app:1", Place("docker-archive", "a.tar", tag="team/app:1")),
    ],
)
def test_references(text: str, place: Place) -> None:
    assert parse(text) == place


def test_docker_hub_is_reached_by_its_own_host() -> None:
    assert parse("debian").address == "registry-1.docker.io"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "r.example/",
        "r.example/UPPER:1",
        "r.example/app:",
        "r.example/app:a b",
        "r.example/app@sha256:abc",
        "r.example/app@md5:" + "a" * 32,
        "r.example/../app",
        "r.example:port/app",
        "ftp://r.example/app",
        "oci:",
        "https://r.example",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize("text", ["user:password@r.example/app:1", "https://user:password@r.example/app:1"])
def test_passwords_in_references_are_refused_and_not_shown(text: str) -> None:
    for read in (parse, parse_host, parse_repository):
        with pytest.raises(UsageError) as caught:
            read(text)
        assert "password" not in str(caught.value)


def test_platforms_hosts_and_repositories() -> None:
    assert parse_platform("linux/arm/v7") == ("linux", "arm", "v7")
    assert parse_platform("arm64") == ("linux", "arm64", "")
    assert parse_host("https://r.example/") == Place("registry", "", "r.example", "https")
    for wrong in ("linux//", "a/b/c/d", ""):
        with pytest.raises(UsageError):
            parse_platform(wrong)
    for wrong in ("", "r.example/app"):
        with pytest.raises(UsageError):
            parse_host(wrong)
    with pytest.raises(UsageError):
        parse_repository("r.example/app:1")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("{", ContentError, "no index of an OCI layout"),
        ('{"manifests": [1]}', ContentError, "no index"),
        ('{"manifests": [{"digest": "x"}]}', ContentError, "no digest"),
        ('{"manifests": []}', UsageError, "it has 0 manifests"),
    ],
)
def test_layouts_that_are_wrong(
    client: SyncClient, tmp_path: Path, content: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(NotFoundError, match="there is no OCI layout"):
        client.resolve(f"oci:{tmp_path}")
    (tmp_path / "index.json").write_text(content)
    with pytest.raises(error, match=message):
        client.resolve(f"oci:{tmp_path}")


def test_archives_that_are_wrong(client: SyncClient, tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("no tar at all")
    for kind in ("oci-archive", "docker-archive"):
        with pytest.raises(ContentError, match="no tar"):
            client.resolve(f"{kind}:{tmp_path / 'text.tar'}")
        with pytest.raises(NotFoundError, match="No such file"):
            client.resolve(f"{kind}:{tmp_path / 'none.tar'}")
