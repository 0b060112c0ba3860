"""Digests, ranges and chunkings that are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.search.machine.actions import pushed
from conformance.scenarios.search.outcome import conclude, prepare  # noqa: F401  the run calls it
from conformance.scenarios.search.trial import Trial, Unclear
from conformance.scenarios.shared.partial_content import LABEL, TRUE, came, expected_of, false_of
from conformance.scenarios.shared.pull_answers import holds_part
from conformance.scenarios.shared.upload_steps import range_end
from conformance.settings import Settings
from conformance.target.content import Blob
from conformance.verdict.judge import Judge, content_of, status_of, told, verifies
from conformance.verdict.presence import served

if TYPE_CHECKING:
    from conformance.scenarios.search.engine import Explorer
    from conformance.scenarios.search.machine.strategies import Asked, Chunking

MALFORMED = "BASE-DIGEST-MALFORMED"
FOREIGN = "BASE-DIGEST-UNKNOWN-ALGORITHM"
PART = "PULL-BLOB-RANGE-206"
OPEN = "PULL-BLOB-RANGE-OPEN"
SUFFIX = "PULL-BLOB-RANGE-SUFFIX"
CLIPPED = "PULL-BLOB-RANGE-CLIPPED"
BEYOND = "PULL-BLOB-RANGE-416"
WRONG = "PULL-BLOB-RANGE-MALFORMED"
BY_KIND = {"inside": PART, "open": OPEN, "suffix": SUFFIX, "clipped": CLIPPED}
JOINED = "PUSH-PATCH-CHUNKS-CONCATENATED"
LAST = "PUSH-PUT-FINAL-CHUNK-CLOSES"
COUNTED = "PUSH-PATCH-RANGE-VALUE"
PARTIAL = 206
EXAMPLES = {"quick": 0, "default": 0, "thorough": 60}
#: Digests of one example.
AT_ONCE = 10


@verifies(MALFORMED, FOREIGN)
def test_search_digests_that_name_nothing(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Near misses of a digest, and digests of unknown algorithms, are refused."""
    from hypothesis import strategies as st  # noqa: PLC0415  # takes a third of a second

    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    blob = explorer.made.blob()
    wrong = st.tuples(st.just(MALFORMED), strategies.wrong_digests(blob.digest))
    foreign = st.tuples(st.just(FOREIGN), strategies.foreign_digests())
    digests = st.lists(st.one_of(wrong, wrong, foreign), max_size=AT_ONCE)
    explorer.values(digests, lambda trial, value: _refused(trial, blob, value), EXAMPLES[settings.effort])
    conclude(explorer, judge)


@verifies(PART, OPEN, SUFFIX, CLIPPED, BEYOND, WRONG, TRUE, LABEL)
def test_search_ranges(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Any range of a blob gives those bytes and no others."""
    from hypothesis import strategies as st  # noqa: PLC0415  # takes a third of a second

    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    sizes = st.sampled_from((1, 1, 2, 2, 100, 1000, 4096))
    asked = sizes.flatmap(lambda size: st.tuples(st.just(size), st.lists(strategies.ranges(size), max_size=12)))
    explorer.values(asked, lambda trial, value: _ranges(trial, *value), EXAMPLES[settings.effort])
    conclude(explorer, judge)


@verifies(JOINED, LAST, COUNTED)
def test_search_chunkings(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Chunks of any sizes join to the blob, whether the last comes in a PATCH or in the PUT."""
    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    explorer.values(strategies.chunkings(), _chunks, EXAMPLES[settings.effort])
    conclude(explorer, judge)


def _refused(trial: Trial, blob: Blob, digests: list[tuple[str, str]]) -> None:
    repo = trial.repositories(1)[0]
    if digests:
        trial.step("push a blob")
        pushed(trial, repo, blob)
    for requirement, digest in digests:
        trial.step(f"pull by the digest {digest}")
        answer = repo.get_blob(digest)
        trial(requirement, answer.refused, f"a refusal (4xx) to the digest {digest}", answer)


def _ranges(trial: Trial, size: int, asked: list[Asked]) -> None:
    repo = trial.repositories(1)[0]
    if not asked:
        return
    trial.step(f"push a blob of {size} bytes")
    head = f"{trial.mark} ".encode()
    text = b" ".join(b"%d" % number for number in range(size))
    blob = pushed(trial, repo, Blob.of((head + text)[-size:] if size > 2 else trial.make.bytes(size)))
    for one in asked:
        trial.step(f"pull it with Range: {one.value}")
        answer = _part(repo, blob, one)
        _range(trial, blob, one, answer)


def _part(repo: Repository, blob: Blob, asked: Asked) -> Response:
    """Pull with a Range; a malformed one has no operation, as the contract excludes it."""
    headers = (("Range", asked.value),)
    if asked.kind != "malformed":
        return repo.get_blob(blob.digest, headers=headers)
    path = f"/v2/{repo.name}/blobs/{blob.digest}"
    return repo.registry.request("GET", path, parameters={"name": repo.name}, headers=headers)


def _range(trial: Trial, blob: Blob, asked: Asked, answer: Response) -> None:
    """Judge the answer to one range; one that is ignored gives the whole blob."""
    shown = came(answer)
    whole = served(answer, blob.content)
    if asked.kind == "malformed":
        held = whole or answer.refused
        trial(WRONG, held, f"the whole blob or a 4xx to Range: {asked.value}", answer, actual=shown)
        return
    wanted = () if asked.first is None else ((asked.first, asked.last),)
    broken = false_of(answer, blob.content, *wanted)
    for requirement in (TRUE, LABEL) if answer.status == PARTIAL else (LABEL,) if broken else ():
        expected = expected_of(answer, len(blob.content), *wanted)
        trial(requirement, broken != requirement, expected, answer, actual=shown)
    if asked.first is None:
        if not whole:
            trial(BEYOND, answer.status == 416, f"status 416 to Range: {asked.value}", answer, actual=shown)
    elif not whole or len(blob.content) == answer.size:
        held = answer.status == 206 and holds_part(answer, blob.content, asked.first, asked.last)
        expected = f"status 206 and the bytes {asked.first} to {asked.last} of {len(blob.content)}"
        trial(BY_KIND[asked.kind], held or whole, expected, answer, actual=shown)


def _chunks(trial: Trial, chunking: Chunking) -> None:
    """Push a blob in chunks, and pull it."""
    repo = trial.repositories(1)[0]
    if not chunking.sizes:
        return
    trial.step("start an upload")
    start = repo.start_upload()
    location = upload_location(start)
    if start.status != 202 or location is None:
        raise Unclear
    least = repo.least_chunk(start)
    # The last one, which comes with the close, may be smaller.
    last = len(chunking.sizes) - 1 if chunking.closing else -1
    sizes = [size for place, size in enumerate(chunking.sizes) if least <= size or place == last]
    if not sizes:
        return
    content = b""
    for number, size in enumerate(sizes):
        letter = "abcdefghijklmnopqrstuvwxyz"[number]
        data = (f"{trial.mark}{number}:".encode() + letter.encode() * size)[-size:]
        if chunking.closing and number == len(sizes) - 1:
            _close(trial, repo, location, content, data)
            return
        location = _chunk(trial, repo, location, content, data)
        content += data
    _close(trial, repo, location, content, b"")


def _chunk(trial: Trial, repo: Repository, location: str, content: bytes, data: bytes) -> str:
    """Send a chunk; return the location for the next."""
    trial.step(f"send a chunk of {len(data)} bytes")
    answer = repo.patch_upload(location, data, f"{len(content)}-{len(content) + len(data) - 1}")
    if not answer.ok:
        # A minimum may not be announced.
        raise Unclear
    end = range_end(answer)
    last = len(content) + len(data) - 1
    shown = told(answer, "Range")
    trial(COUNTED, end in {None, last}, f"a Range that ends at {last}", answer, actual=shown)
    return upload_location(answer) or location


def _close(trial: Trial, repo: Repository, location: str, content: bytes, data: bytes) -> None:
    """Close an upload, with a last chunk if there is one, and pull the blob."""
    blob = Blob.of(content + data)
    requirement = LAST if data and content else JOINED
    trial.step(f"close it with the last {len(data)} bytes" if data else "close it")
    span = f"{len(content)}-{len(blob.content) - 1}" if data and content else None
    closed = repo.put_upload(location, blob.digest, data, span)
    expected = f"a blob of {len(blob.content)} bytes, as they were sent"
    shown = f"the closing PUT had {status_of(closed)}"
    if not trial(requirement, closed.status == 201, expected, closed, actual=shown, symptom="joined"):
        return
    answer = repo.get_blob(blob.digest)
    held = served(answer, blob.content)
    trial(requirement, held, expected, answer, actual=f"the pull had {content_of(answer)}", symptom="joined")
