"""Registries that lie: wrong content, bodies without end, and redirects that would take the login along."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reference.dist import ContentError, DeniedError, Descriptor, Options, RegistryError, SyncClient
from reference.grammar import digest_of
from tests.clients.images import INDEX, MANIFEST
from tests.support.scripted.server import Answer, Asked, certificate, serve

_CONTENT = b"what was asked for"
_BLOB = Descriptor("text/plain", digest_of(_CONTENT), len(_CONTENT))
_SECRET = "a-password-that-nobody-sees"


def _manifest(*layers: Descriptor, **more: object) -> bytes:
    config = Descriptor("application/vnd.oci.empty.v1+json", digest_of(b"{}"), 2)
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config.json()}
    return json.dumps(document | {"layers": [one.json() for one in layers]} | more).encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"what was asked fox", "and content of sha256:"),
        (_CONTENT + b"!", "goes on after 18 bytes"),
        (_CONTENT * 1_000_000, "goes on after 18 bytes"),
    ],
    ids=["other", "longer", "endless"],
)
def test_wrong_content(client: SyncClient, body: bytes, message: str, tmp_path: Path) -> None:
    with serve(lambda _: Answer(200, body)) as server, pytest.raises(ContentError, match=message):
        client.fetch_blob(f"{server.url}/any/name", _BLOB, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_content_that_is_short(client: SyncClient, tmp_path: Path) -> None:
    with serve(lambda _: Answer(200, _CONTENT[:5])) as server, pytest.raises(RegistryError, match="broke off after 5"):
        client.fetch_blob(f"{server.url}/any/name", _BLOB, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_wrong_content_is_never_passed_on(client: SyncClient, tmp_path: Path) -> None:
    wrong = {_BLOB.digest: b"what was asked fox", digest_of(b"{}"): b"{}"}

    def source(asked: Asked) -> Answer:
        if "/blobs/" in asked.path:
            return Answer(200, wrong[asked.path.rpartition("/")[2]])
        return Answer(200, _manifest(_BLOB), (("Content-Type", MANIFEST),))

    def target(asked: Asked) -> Answer:
        if asked.method in ("HEAD", "DELETE"):
            return Answer(404)
        return Answer(202 if asked.method == "POST" else 201, headers=(("Location", "/v2/its/own/upload"),))

    with serve(source) as one, serve(target) as other:
        with pytest.raises(ContentError, match="and content of"):
            client.copy(f"{one.url}/any/name:v1", f"{other.url}/its/own:v1")
        assert not [asked for asked in other.asked if "manifests" in asked.path or b"fox" in asked.body]
        assert any(asked.method == "DELETE" for asked in other.asked)
        assert (
            client.verify(f"{one.url}/any/name:v1")
            .problems[0]
            .endswith(f"content of {digest_of(wrong[_BLOB.digest])} came")
        )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b" " * (5 << 20), "more than 4194304 bytes"),
        (b"[]", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (b'{"mediaType": "text/html"}', "text/html is not known"),
        (_manifest(Descriptor("", "sha256:../../etc/passwd", 1)), "no digest"),
        (_manifest(Descriptor("", _BLOB.digest, -1)), "has no size"),
        (_manifest(layers=None), "no list layers"),
    ],
    ids=["endless", "no object", "deep", "type", "path", "size", "layers"],
)
def test_manifests_that_are_none(client: SyncClient, body: bytes, message: str, tmp_path: Path) -> None:
    with serve(lambda _: Answer(200, body)) as server, pytest.raises((ContentError, RegistryError), match=message):
        client.copy(f"{server.url}/any/name:v1", f"oci:{tmp_path / 'back'}:v1")
    assert not (tmp_path / "back").exists()


def test_a_manifest_of_another_digest(client: SyncClient) -> None:
    with serve(lambda _: Answer(200, _manifest())) as server, pytest.raises(ContentError, match=f"not {_BLOB.digest}"):
        client.fetch(f"{server.url}/any/name@{_BLOB.digest}")


def test_indexes_without_end(client: SyncClient, tmp_path: Path) -> None:
    made: dict[str, bytes] = {}
    digest = _BLOB.digest
    for _ in range(12):
        entry = {"mediaType": INDEX, "digest": digest, "size": len(made.get(digest, _CONTENT))}
        body = json.dumps({"mediaType": INDEX, "manifests": [entry]}).encode()
        digest = digest_of(body)
        made[digest] = body

    with (
        serve(lambda asked: Answer(200, made[asked.path.rpartition("/")[2]])) as server,
        pytest.raises(ContentError, match="more than 8 deep"),
    ):
        client.copy(f"{server.url}/any/name@{digest}", f"oci:{tmp_path / 'back'}", every=True)


def test_lists_that_come_back(client: SyncClient) -> None:
    pages = {"": ("a", "?last=a"), "last=a": ("b", "?last=a")}

    def answer(asked: Asked) -> Answer:
        tag, link = pages[asked.path.partition("?")[2]]
        return Answer(
            200, json.dumps({"tags": [tag]}).encode(), (("Link", f'</v2/any/name/tags/list{link}>; rel="next"'),)
        )

    with serve(answer) as server:
        with pytest.raises(RegistryError, match="comes back to a page"):
            client.tags(f"{server.url}/any/name")
        pages["last=a"] = ("b", "?last=b")
        pages["last=b"] = ("c", "?last=a")
        with pytest.raises(RegistryError, match="comes back to a page"):
            client.tags(f"{server.url}/any/name")


def _logged_in(path: Path, *hosts: str) -> None:
    auth = base64.b64encode(f"user:{_SECRET}".encode()).decode()
    path.write_text(json.dumps({"auths": {host: {"auth": auth} for host in hosts}}))


def _basic(then: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        if "authorization" not in asked.headers:
            return Answer(401, headers=(("WWW-Authenticate", 'Basic realm="tests"'),))
        return then(asked)

    return answer


def test_redirects_do_not_take_the_login_along(client: SyncClient, tmp_path: Path) -> None:
    with serve(lambda _: Answer(200, _CONTENT)) as other:
        away = _basic(lambda asked: Answer(307, headers=(("Location", f"{other.url}/storage"),)))
        with serve(away) as server:
            _logged_in(tmp_path / "config.json", server.url[7:], other.url[7:])
            assert client.fetch_blob(f"{server.url}/any/name", _BLOB) == _CONTENT
    assert [asked.headers.get("authorization") for asked in other.asked] == [None]


def test_a_redirect_target_cannot_ask_for_the_login(client: SyncClient, tmp_path: Path) -> None:
    with serve(_basic(lambda _: Answer(200, _CONTENT))) as other:
        away = _basic(lambda _: Answer(307, headers=(("Location", f"{other.url}/storage"),)))
        with serve(away) as server:
            _logged_in(tmp_path / "config.json", server.url[7:], other.url[7:])
            with pytest.raises(DeniedError) as caught:
                client.fetch_blob(f"{server.url}/any/name", _BLOB)
    assert [asked.headers.get("authorization") for asked in other.asked] == [None]
    assert _SECRET not in str(caught.value)


def test_uploads_elsewhere_do_not_get_the_login(client: SyncClient, tmp_path: Path) -> None:
    with serve(lambda _: Answer(201)) as other:

        def answer(asked: Asked) -> Answer:
            return Answer(404) if asked.method == "HEAD" else Answer(202, headers=(("Location", f"{other.url}/up"),))

        with serve(_basic(answer)) as server:
            _logged_in(tmp_path / "config.json", server.url[7:], other.url[7:])
            client.push(_CONTENT, f"{server.url}/any/name", "text/plain")
    assert [(asked.headers.get("authorization"), asked.body) for asked in other.asked] == [(None, _CONTENT)]


@pytest.mark.parametrize(
    "answer",
    [Answer(307, headers=(("Location", "/again"),)), Answer(202, headers=(("Range", "0-0"), ("Location", "/again")))],
    ids=["redirected", "nothing is there"],
)
def test_uploads_that_do_not_go_on(client: SyncClient, answer: Answer) -> None:
    others = {"HEAD": Answer(404), "POST": Answer(202, headers=(("Location", "/up"),)), "DELETE": Answer(204)}
    with serve(lambda asked: others.get(asked.method, answer)) as server, pytest.raises(RegistryError, match="stands"):
        client.push(b"x" * (2 << 20), f"{server.url}/any/name", "text/plain")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://user:word@127.0.0.1:1/", "gopher://x/"])
def test_redirects_to_what_is_not_followed(client: SyncClient, location: str) -> None:
    away = Answer(307, headers=(("Location", location),))
    with serve(lambda _: away) as server, pytest.raises(RegistryError, match="not followed"):
        client.fetch_blob(f"{server.url}/any/name", _BLOB)


def test_redirects_do_not_give_tls_up(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    away = Answer(307, headers=(("Location", "http://127.0.0.1:1/"),))
    with (
        serve(lambda _: away, (cert, key)) as server,
        SyncClient(Options(ca_file=cert)) as client,
        pytest.raises(RegistryError, match="from https:// to http://"),
    ):
        client.fetch_blob(f"{server.url}/any/name", _BLOB)


def test_redirects_without_end(client: SyncClient) -> None:
    with serve(lambda asked: Answer(307, headers=(("Location", asked.path),))) as server:
        with pytest.raises(RegistryError, match="without end"):
            client.fetch_blob(f"{server.url}/any/name", _BLOB)
        assert len(server.asked) < 10


def test_errors_show_no_control_characters(client: SyncClient) -> None:
    told = json.dumps({"errors": [{"code": "DENIED", "message": "\x1b[2Jred\nline"}]}).encode()
    with serve(lambda _: Answer(403, told)) as server, pytest.raises(DeniedError) as caught:
        client.fetch(f"{server.url}/any/name:v1")
    assert str(caught.value).endswith("was answered with 403 (DENIED: ?[2Jred?line)")
