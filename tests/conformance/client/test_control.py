"""A failure that comes each time, while controls succeed, is the target's answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest

from conformance.client.control import Control
from conformance.client.http.exchange import Response
from conformance.client.journal import Journal
from conformance.client.registry import Registry, Repository
from tests.conformance.client.test_client import client_of
from tests.support.scripted.server import Answer, Asked, serve

_DIGEST = "sha256:" + "0" * 64


def _upload(asked: Asked) -> Answer:
    """Take every upload, and know every content."""
    if asked.path.endswith("/uploads/"):
        return Answer(202, headers=(("Location", "/v2/a/blobs/uploads/1"),))
    return Answer({"PUT": 201, "DELETE": 202}.get(asked.method, 200))


def _asked(answer: Callable[[Asked], Answer], ask: Callable[[Repository], Response], *, pushed: bool = False) -> bool:
    """Return whether an answer is taken for the target's own."""
    with serve(answer) as target, client_of(target.url) as client:
        repo = Repository(Registry(client), "a")
        if pushed:
            start = repo.start_upload()
            location = start.header("Location") or ""
            assert repo.put_upload(target.url + location, _DIGEST, b"").ok
        return ask(repo).repeated


def _when(pattern: str, status: int, **headers: str) -> Callable[[Asked], Answer]:
    """Answer what a pattern of method and path fits with a status, and everything else well."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())

    def answer(asked: Asked) -> Answer:
        if re.search(pattern, f"{asked.method} {asked.path}"):
            return Answer(status, headers=fields)
        return _upload(asked)

    return answer


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("pattern", ["GET .*/tags/list", "DELETE .*/manifests"])
def test_one_operation(status: int, pattern: str) -> None:
    answer = _when(pattern, status)
    ask = Repository.list_tags if "tags" in pattern else lambda repo: repo.delete_manifest(_DIGEST)
    assert _asked(answer, ask)


@pytest.mark.parametrize("pushed", [False, True])
def test_a_write(*, pushed: bool) -> None:
    """A size or kind that is refused; without an earlier push, the control shows nothing."""
    assert _asked(_when("PUT .*/manifests", 503), lambda repo: repo.put_manifest("t", b"{}"), pushed=pushed)


def test_a_limit_that_was_reached() -> None:
    """From some moment on an operation is served no more, in whichever form it is asked for."""
    for pattern, ask in (
        ("GET .*/manifests", lambda repo: repo.get_manifest("t")),
        ("(PUT|POST) ", lambda repo: repo.start_upload()),
    ):
        full = False
        busy = _when(pattern, 503)

        def ask_twice(repo: Repository, ask: Callable[[Repository], Response] = ask) -> Response:
            nonlocal full
            ask(repo)
            full = True
            return ask(repo)

        assert not _asked(lambda asked: busy(asked) if full else _upload(asked), ask_twice, pushed=True)  # noqa: B023  # asked at once


@pytest.mark.parametrize("headers", [{"Retry_After": "3600"}, {"RateLimit_Remaining": "0;w=21600"}])
def test_a_budget_that_was_used_up_before(headers: dict[str, str]) -> None:
    """Some registries count pulls of manifests, and nothing else."""
    assert not _asked(_when("GET .*/manifests", 429, **headers), lambda repo: repo.get_manifest("t"))


@pytest.mark.parametrize("period", range(2, 9))
@pytest.mark.parametrize("offset", range(8))
def test_every_so_many_requests(period: int, offset: int) -> None:
    """One of several servers behind a gateway is dead."""
    count = itertools.count(offset)

    def answer(asked: Asked) -> Answer:
        return Answer(502) if next(count) % period == 0 else _upload(asked)

    assert not _asked(answer, lambda repo: repo.list_tags())


def test_everything() -> None:
    assert not _asked(_when("", 503), lambda repo: repo.list_tags())


def test_the_looks_are_bounded() -> None:
    with serve(_when("GET .*/tags/list", 503)) as target, client_of(target.url) as client:
        repo = Repository(Registry(client), "a")
        answers = [repo.list_tags() for _ in range(200)]
        assert len(target.asked) < 700
    assert [answers[0].repeated, answers[-1].repeated] == [True, False]


def test_what_is_pushed_for_a_look_is_removed() -> None:
    noted: list[tuple[str, str]] = []

    class Noting(Journal):
        def blob(self, name: str, digest: str) -> None:
            noted.append((name, digest))

    with serve(_when("PUT .*/manifests", 503)) as target, client_of(target.url) as client:
        registry = Registry(client)
        registry.control = Control(Noting())
        repo = Repository(registry, "a")
        location = target.url + (repo.start_upload().header("Location") or "")
        repo.put_upload(location, _DIGEST, b"")
        assert repo.put_manifest("t", b"{}").repeated
        pushed = {asked.path.partition("digest=")[2] for asked in target.asked if "digest=sha256:" in asked.path}
    assert {digest for _, digest in noted} == pushed


def _each_first(pattern: str, answer: Answer) -> Callable[[Asked], Answer]:
    """Answer the first request for a path otherwise, where it fits a pattern."""
    seen: set[str] = set()

    def answered(asked: Asked) -> Answer:
        place = f"{asked.method} {asked.path}"
        if place in seen or not re.search(pattern, place):
            return Answer(200)
        seen.add(place)
        return answer

    return answered


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"a", (("Content-Length", "9"), ("Connection", "close"))),
        Answer(503, headers=(("Retry-After", "0"),)),
    ],
)
@pytest.mark.parametrize("pattern", ["GET .*/blobs", "GET .*"])
def test_first_tries(pattern: str, answer: Answer) -> None:
    """What fails at first each time is told; a 503 that comes to every operation is an overload."""
    with serve(_each_first(pattern, answer)) as target, client_of(target.url) as client:
        repo = Repository(Registry(client), "a")
        for number in range(8):
            repo.get_manifest(f"t{number}")
        told = [repo.get_blob(f"sha256:{number:064}").repeated for number in range(8)]
    cut = answer.status == 200
    assert told[:4] == [False] * 4
    assert told[5:] == [cut or "blobs" in pattern] * 3
