"""The original registry and the reference on one directory, one after the other: each has what the other one wrote."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from reference.__main__ import main
from reference.maintenance.originals import check
from tests.support.content import DOCKER, OCI, TYPES, Pusher, digest_of, fill
from tests.support.obeys import obeys
from tests.support.servers import Server, docker_registry, reference
from tests.support.suite import run_suite

pytestmark = pytest.mark.needs("docker-registry")

TOP = "content/docker/registry/v2"
IMAGE = f"{OCI}.manifest.v1+json"
WIDE = b"content of SHA-512"
SESSION = requests.Session()
SESSION.trust_env = False


def wide_digest(content: bytes) -> str:
    return "sha512:" + hashlib.sha512(content).hexdigest()


def configuration(folder: Path) -> dict[str, Any]:
    storage = {"filesystem": {"rootdirectory": str(folder / "content"), "layout": "distribution", "sync": "never"}}
    return {"version": "0.1", "storage": storage}


@contextmanager
def serving(kind: str, folder: Path) -> Iterator[Server]:
    if kind == "original":
        with docker_registry(folder, filesystem=True) as server:
            yield server
    else:
        with reference(folder, config=configuration(folder)) as server:
            yield server


def ask(server: Server, method: str, path: str, **options: Any) -> requests.Response:
    url = path if path.startswith("http") else f"{server.url}{path}"
    return SESSION.request(method, url, timeout=10, **options)


def put_blob(server: Server, name: str, content: bytes, digest: str) -> None:
    opened = ask(server, "POST", f"/v2/{name}/blobs/uploads/")
    location = requests.compat.urljoin(server.url, opened.headers["Location"])
    mark = "&" if "?" in location else "?"
    assert ask(server, "PUT", f"{location}{mark}digest={digest}", data=content).status_code == 201


def put_manifest(server: Server, name: str, reference: str, document: dict[str, Any], kind: str = IMAGE) -> str:
    body = json.dumps(document).encode()
    answer = ask(
        server,
        "PUT",
        f"/v2/{name}/manifests/{reference or digest_of(body)}",
        data=body,
        headers={"Content-Type": kind},
    )
    assert answer.status_code == 201, answer.text
    return digest_of(body)


def shown(server: Server) -> dict[str, Any]:
    """All that tags lead to: manifests with their types, and the bytes of what they name; and the catalog."""
    found: dict[str, Any] = {}
    for name in ask(server, "GET", "/v2/_catalog?n=1000").json()["repositories"]:
        listed = ask(server, "GET", f"/v2/{name}/tags/list")
        tags = (listed.json().get("tags") or []) if listed.status_code == 200 else []
        found[name] = {"tags": sorted(tags)}
        waiting = list(tags)
        while waiting:
            reference = waiting.pop()
            answer = ask(server, "GET", f"/v2/{name}/manifests/{reference}", headers={"Accept": ", ".join(TYPES)})
            kind, digest = answer.headers.get("Content-Type"), answer.headers.get("Docker-Content-Digest")
            if answer.status_code != 200:
                found[name][reference] = answer.status_code
                continue
            found[name][reference] = (200, kind, digest, answer.content)
            document = answer.json()
            waiting += [child["digest"] for child in document.get("manifests", [])]
            for part in [document.get("config"), *document.get("layers", [])]:
                if part:
                    blob = ask(server, "GET", f"/v2/{name}/blobs/{part['digest']}")
                    found[name][part["digest"]] = blob.content if blob.status_code == 200 else blob.status_code
    return found


def collect_originally(folder: Path, *options: str) -> None:
    command = ["docker-registry", "garbage-collect", *options, str(folder / "docker-registry.yaml")]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def collect(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    path = folder / "collect.yml"
    path.write_text(json.dumps(configuration(folder)))
    assert main(["garbage-collect", *options, str(path)]) == 0
    return capsys.readouterr().out.splitlines()


def stored(folder: Path) -> set[str]:
    """The digests of all content."""
    return {f"{path.parents[2].name}:{path.parent.name}" for path in (folder / TOP / "blobs").glob("*/*/*/data")}


def fill_more(server: Server, name: str) -> dict[str, str]:
    """What a layout has to say beside images: other digests, types, subjects, moves and deletions."""
    pusher = Pusher(server.url, name)
    for content, digest in ((WIDE, wide_digest(WIDE)), (b"", digest_of(b"")), (b"lonely", digest_of(b"lonely"))):
        put_blob(server, name, content, digest)
    image = pusher.image(name, "moved")
    moved = pusher.image(f"{name} moved", "moved", "doomed")
    layers = [{"mediaType": f"{OCI}.layer.v1.tar", "digest": wide_digest(WIDE), "size": len(WIDE)}]
    config = pusher.blob(b"{}", f"{OCI}.config.v1+json")
    wide = {"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers}
    made = {"image": image["digest"], "moved": moved["digest"], "wide": put_manifest(server, name, "wide", wide)}
    untyped = {"schemaVersion": 2, "config": config, "layers": []}
    made["untyped"] = put_manifest(server, name, "untyped", untyped)
    about = {"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [], "subject": image}
    made["referrer"] = put_manifest(server, name, "about", about)
    made["deleted"] = pusher.image(f"{name} deleted", "deleted")["digest"]
    assert ask(server, "DELETE", f"/v2/{name}/manifests/{made['deleted']}").status_code == 202
    mounted = ask(server, "POST", f"/v2/{name}-mounted/blobs/uploads/?mount={config['digest']}&from={name}")
    assert mounted.status_code == 201
    put_blob(server, f"{name}-emptied", b"gone", digest_of(b"gone"))
    assert ask(server, "DELETE", f"/v2/{name}-emptied/blobs/{digest_of(b'gone')}").status_code == 202
    return made


def referrers(server: Server, name: str, subject: str) -> list[str]:
    return [each["digest"] for each in ask(server, "GET", f"/v2/{name}/referrers/{subject}").json()["manifests"]]


@obeys("storage.filesystem.layout")
def test_the_reference_goes_on_where_the_original_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("original", tmp_path) as server:
        fill(server.url, "team/app")
        made = fill_more(server, "a")
        session = ask(server, "POST", "/v2/a/blobs/uploads/").headers
        ask(server, "PATCH", session["Location"], data=b"begun ")
        before = shown(server)
    assert check(tmp_path / "content").found == []
    with serving("ours", tmp_path) as server:
        assert f"filesystem at {tmp_path / 'content'}, in the layout of the original" in server.log.read_text()
        assert shown(server) == before
        assert before["a"]["tags"] == ["about", "doomed", "moved", "untyped", "wide"]
        assert referrers(server, "a", made["image"]) == [made["referrer"]]
        assert ask(server, "GET", f"/v2/a/manifests/{made['deleted']}").status_code == 404
        assert ask(server, "GET", f"/v2/a-emptied/blobs/{digest_of(b'gone')}").status_code == 404
        mount = f"/v2/b/blobs/uploads/?mount={wide_digest(WIDE)}&from=a"
        assert ask(server, "POST", mount).status_code == 201
        upload = f"/v2/a/blobs/uploads/{session['Docker-Upload-UUID']}"
        assert ask(server, "GET", upload).headers["Range"] == "0-5"
        whole = digest_of(b"begun and done")
        assert ask(server, "PUT", f"{upload}?digest={whole}", data=b"and done").status_code == 201
        fill(server.url, "new/app")
        image = Pusher(server.url, "a").image("pushed to ours", "moved", "ours")
        assert ask(server, "DELETE", "/v2/a/manifests/doomed").status_code == 202
        assert ask(server, "DELETE", f"/v2/a/manifests/{made['untyped']}").status_code == 202
        after = shown(server)
        assert after["a"]["tags"] == ["about", "moved", "ours", "wide"]
    with serving("original", tmp_path) as server:
        assert shown(server) == after
        assert (
            ask(server, "HEAD", "/v2/a/manifests/moved", headers={"Accept": IMAGE}).headers["Docker-Content-Digest"]
            == image["digest"]
        )
        assert ask(server, "GET", f"/v2/a/blobs/{whole}").content == b"begun and done"
        assert ask(server, "GET", f"/v2/b/blobs/{wide_digest(WIDE)}").content == WIDE
    # The original has stored it under SHA-256, and would take it away here.
    assert digest_of(WIDE) in stored(tmp_path)
    assert f"content {digest_of(b'gone')}" in collect(tmp_path, capsys)
    assert digest_of(b"lonely") not in stored(tmp_path)
    assert made["untyped"] not in stored(tmp_path)
    with serving("original", tmp_path) as server:
        assert shown(server) == after
    assert check(tmp_path / "content").found == []


def test_the_original_goes_on_where_the_reference_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("ours", tmp_path) as server:
        fill(server.url, "team/app")
        made = fill_more(server, "a")
        # What has nothing but manifests is a repository of the original as well.
        kind = f"{DOCKER}.distribution.manifest.list.v2+json"
        put_manifest(server, "empty", "list", {"schemaVersion": 2, "mediaType": kind, "manifests": []}, kind)
        opened = ask(server, "POST", "/v2/a/blobs/uploads/").headers["Docker-Upload-UUID"]
        before = shown(server)
        assert ask(server, "DELETE", "/v2/team/app/manifests/latest").status_code == 202
        del before["team/app"]["latest"]
        before["team/app"]["tags"].remove("latest")
    with serving("original", tmp_path) as server:
        # The order is that of one machine's file system there.
        assert shown(server) == before
        image = Pusher(server.url, "team/app").image("pushed to the original", "original")
    assert (tmp_path / TOP / "repositories/a/_uploads" / opened / "startedat").is_file()
    collect_originally(tmp_path)
    assert digest_of(b"lonely") not in stored(tmp_path)
    assert wide_digest(WIDE) in stored(tmp_path)
    collect_originally(tmp_path, "--delete-untagged")
    assert made["image"] not in stored(tmp_path)
    left = [str(finding) for finding in check(tmp_path / "content", repair=True).found]
    assert f"a: blob {digest_of(b'lonely')} has a link to {digest_of(b'lonely')}, which is not there: removed" in left
    # It takes what an index names.
    assert [line for line in check(tmp_path / "content").found if "lacks manifest" not in line.what] == []
    with serving("ours", tmp_path) as server:
        found = shown(server)
        assert found["team/app"].pop("original")[2] == image["digest"]
        found["team/app"]["tags"].remove("original")
        # Links lead to nothing where the original took content away.
        assert ask(server, "GET", f"/v2/a/blobs/{digest_of(b'lonely')}").status_code == 404
    for name in ("a", "empty"):
        assert found[name] == before[name]


class Somebody:
    """Pushes, mounts and deletes at random in a few repositories, at whichever registry is there."""

    names = ("a", "a/b", "c-d/e")

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._manifests: list[tuple[str, dict[str, Any]]] = []
        self._blobs: list[tuple[str, str]] = []

    def act(self, server: Server) -> None:
        chance, name = self._chance, self._chance.choice(self.names)
        deed = chance.choice(
            [self._image, self._image, self._index, self._unmake, self._blob, self._forget, self._mount]
        )
        deed(server, name)

    def _image(self, server: Server, name: str) -> None:
        kind = self._chance.choice((IMAGE, f"{DOCKER}.distribution.manifest.v2+json"))
        text, tag = str(self._chance.randrange(6)), f"t{self._chance.randrange(8)}"
        self._manifests.append((name, Pusher(server.url, name).image(text, tag, kind=kind)))

    def _index(self, server: Server, name: str) -> None:
        pusher = Pusher(server.url, name)
        child = pusher.image(str(self._chance.randrange(6)))
        pusher.index(f"{OCI}.index.v1+json", child, tag=f"i{self._chance.randrange(3)}")

    def _unmake(self, server: Server, _name: str) -> None:
        if self._manifests:
            name, manifest = self._chance.choice(self._manifests)
            ask(server, "DELETE", f"/v2/{name}/manifests/{manifest['digest']}")

    def _blob(self, server: Server, name: str) -> None:
        content = b"%d" % self._chance.randrange(10)
        put_blob(server, name, content, self._chance.choice((digest_of, wide_digest))(content))
        self._blobs.append((name, digest_of(content)))

    def _forget(self, server: Server, _name: str) -> None:
        if self._blobs:
            name, digest = self._chance.choice(self._blobs)
            ask(server, "DELETE", f"/v2/{name}/blobs/{digest}")

    def _mount(self, server: Server, name: str) -> None:
        if self._blobs:
            source, digest = self._chance.choice(self._blobs)
            ask(server, "POST", f"/v2/{name}/blobs/uploads/?mount={digest}&from={source}")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_each_has_what_the_other_one_has_after_whatever_was_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    somebody, before = Somebody(seed), None
    for kind in ("original", "ours") * 3:
        with serving(kind, tmp_path) as server:
            assert before in (None, shown(server))
            for _ in range(15):
                somebody.act(server)
            before = shown(server)
        if seed % 2:
            collect_originally(tmp_path) if kind == "ours" else collect(tmp_path, capsys)


@pytest.mark.slow
def test_the_suite_finds_nothing_and_leaves_what_both_read(tmp_path: Path) -> None:
    with serving("ours", tmp_path) as server:
        run = run_suite(server.url)
        assert run.broken == []
        assert len(run.decided) > 350
        before = shown(server)
    assert check(tmp_path / "content").found == []
    with serving("original", tmp_path) as server:
        assert shown(server) == before
    collect_originally(tmp_path, "--delete-untagged")
