"""A registry under load that is killed, or whose disk loses its power, and what is left of what it acknowledged."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

IMAGE = "application/vnd.oci.image.manifest.v1+json"
_SIZES = (0, 1, 5000, 300_000, 1_500_000)
_TAGS = 4


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass
class Acknowledged:
    """What a writer was told is there, and what it asked for last without an answer."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    pending: dict[tuple[str, str], str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.blobs) + len(self.manifests) + len(self.tags)


class Writer(threading.Thread):
    """Pushes blobs in several ways, manifests and tags, into a repository of its own, until the registry is gone."""

    def __init__(self, url: str, name: str, seed: object) -> None:
        super().__init__(daemon=True)
        self.told = Acknowledged()
        self.failure = ""
        self._url, self._name = f"{url}/v2/{name}", name
        self._chance = random.Random(str(seed))
        self._session = requests.Session()

    def run(self) -> None:
        try:
            while True:
                self._image()
        except requests.RequestException:
            pass
        except AssertionError as error:
            self.failure = str(error)
        finally:
            self._session.close()

    def _image(self) -> None:
        layers = [self._blob(self._chance.choice(_SIZES)) for _ in range(2)]
        config = self._blob(20)
        entry = {"mediaType": "application/octet-stream"}
        parts = [{**entry, "digest": digest(each), "size": len(each)} for each in (config, *layers)]
        body = json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": parts[0], "layers": parts[1:]}).encode()
        tag = f"t{self._chance.randrange(_TAGS)}"
        self.told.pending[self._name, tag] = digest(body)
        answer = self._session.put(
            f"{self._url}/manifests/{tag}", data=body, headers={"Content-Type": IMAGE}, timeout=30
        )
        assert answer.status_code == 201, answer.text
        self.told.manifests[self._name, digest(body)] = body
        self.told.tags[self._name, tag] = digest(body)
        del self.told.pending[self._name, tag]

    def _blob(self, size: int) -> bytes:
        content = self._chance.randbytes(size)
        params = {"digest": digest(content)}
        if self._chance.random() < 0.5:
            answer = self._session.post(f"{self._url}/blobs/uploads/", params=params, data=content, timeout=30)
        else:
            opened = self._session.post(f"{self._url}/blobs/uploads/", timeout=30)
            location = self._url.partition("/v2/")[0] + opened.headers["Location"]
            half = len(content) // 2
            sent = self._session.patch(location, data=content[:half], timeout=30)
            assert sent.status_code == 202, sent.text
            answer = self._session.put(location, params=params, data=content[half:], timeout=30)
        assert answer.status_code == 201, answer.text
        self.told.blobs[self._name, digest(content)] = content
        return content


@contextmanager
def writing(url: str, count: int, seed: object) -> Iterator[list[Writer]]:
    """Writers at work."""
    writers = [Writer(url, f"writer/w{number}", f"{seed} {number}") for number in range(count)]
    for writer in writers:
        writer.start()
    yield writers
    for writer in writers:
        writer.join(60)
        assert not writer.is_alive()
        assert not writer.failure, writer.failure


def lost(url: str, told: Acknowledged) -> list[str]:
    """What was acknowledged and is not there as it was."""
    missing = []
    with requests.Session() as session:
        for (name, known), content in told.blobs.items():
            if session.get(f"{url}/v2/{name}/blobs/{known}", timeout=30).content != content:
                missing.append(f"blob {name}@{known}")
        for (name, known), content in told.manifests.items():
            if session.get(f"{url}/v2/{name}/manifests/{known}", timeout=30).content != content:
                missing.append(f"manifest {name}@{known}")
        for (name, tag), known in told.tags.items():
            found = session.get(f"{url}/v2/{name}/manifests/{tag}", timeout=30)
            if found.status_code != 200 or digest(found.content) not in (known, told.pending.get((name, tag))):
                missing.append(f"tag {name}:{tag}")
    return missing


def torn(root: Path) -> list[str]:
    """The stored files that are not what their names say, in either layout."""
    named = [(path, path.name, path.parents[1].name) for path in (root / "blobs").rglob("*")]
    theirs = root / "docker" / "registry" / "v2"
    named += [(path, path.parent.name, path.parents[2].name) for path in (theirs / "blobs").rglob("data")]
    bad = [
        path
        for path, encoded, algorithm in named
        if path.is_file() and hashlib.new(algorithm, path.read_bytes()).hexdigest() != encoded
    ]
    bad += [path for path in theirs.rglob("link") if not path.read_text().startswith("sha256:")]
    # The original lists a tag by its folder.
    bad += [path for path in theirs.glob("repositories/**/_manifests/tags/*") if not (path / "current/link").is_file()]
    return [path.as_posix() for path in bad]
