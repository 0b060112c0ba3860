"""A recording has every exchange of a run, whichever process sent it, and no secret."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.client.redaction import Redactor
from conformance.contract import Contract, ContractResult
from conformance.recording import Recorder, RecordingError, entries, gather, open_spool
from tests.support.servers import reference
from tests.support.suite import SuiteRun, run_suite

_CHOSEN = ("--category", "management", "--category", "base", "--effort", "quick")
_MOST = 3 * 1024 * 1024


def read(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    log: dict[str, Any] = json.loads(gzip.decompress(data) if path.name.endswith(".gz") else data)["log"]
    return log


def counted(run: SuiteRun) -> int:
    assert run.report is not None, run.stdout + run.stderr
    return int(run.report["run"]["exchanges"]["count"])


@pytest.mark.parametrize("processes", [(), ("-n", "2"), ("-n", "0")], ids=["crew", "xdist", "one"])
def test_all_exchanges_of_all_processes_come_together(tmp_path: Path, processes: tuple[str, ...]) -> None:
    path = tmp_path / "recordings" / "run.har.gz"
    with reference(tmp_path) as server:
        run = run_suite(server.url, *_CHOSEN, *processes, "--record", str(path))
    assert run.exit_code in {0, 1}, run.stdout + run.stderr
    log = read(path)
    of_scenarios = [one for one in log["entries"] if "::" in one["_scenario"]]
    assert len(of_scenarios) == counted(run)
    assert {one["_scenario"] for one in log["entries"]} - {one["_scenario"] for one in of_scenarios} == {
        "preflight",
        "clean-up",
    }
    moments = [one["startedDateTime"] for one in log["entries"]]
    assert sum(a > b for a, b in itertools.pairwise(moments)) < len(moments) / 10
    assert {one["pageref"] for one in log["entries"]} <= {page["id"] for page in log["pages"]}
    judged = {name: outcome for page in log["pages"] for name, outcome in page["_requirements"].items()}
    assert judged["BASE-V2-200"] == "held"
    assert log["_run"]["seed"] == run.report["run"]["seed"] if run.report else None
    assert path.stat().st_size < _MOST
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_replay_finds_what_the_run_found(tmp_path: Path) -> None:
    path = tmp_path / "run.har"
    with reference(tmp_path, faults=("delete-blob-without-digest",)) as server:
        run = run_suite(server.url, *_CHOSEN, "--record", str(path))
    assert "MGMT-BLOB-DELETE-HEADERS" in run.broken
    contract = Contract.load()
    found = [(each, contract.check(each.exchange)) for each in entries(path)]
    assert [each.exercised for each, _ in found] == [checked.exercised for _, checked in found]
    assert [{*each.breaches} for each, _ in found] == [{b.requirement for b in c.breaches} for _, c in found]
    assert any("MGMT-BLOB-DELETE-HEADERS" in each.breaches for each, _ in found)
    broken = [one["_judgements"] for one in read(path)["entries"] if one["_judgements"]]
    assert {"MGMT-BLOB-DELETE-HEADERS": "broken"} in broken


def test_credentials_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "run.har"
    with reference(tmp_path, users={"ann": "c4nary-in-a-mine"}) as server:
        run = run_suite(
            server.url, *_CHOSEN, "--record", str(path), "--username", "ann", "--password", "c4nary-in-a-mine"
        )
    assert counted(run)
    text = path.read_text(encoding="ascii")
    assert "(removed)" in text
    for form in ("c4nary-in-a-mine", base64.b64encode(b"ann:c4nary-in-a-mine").decode()):
        assert form not in text


def _exchange(body: bytes, media_type: str, sent: bytes | None = None) -> Exchange:
    headers = Headers([("Content-Type", media_type)])
    request = Request("PUT", "http://r.example/v2/?a=b", headers, sent, len(sent or b""))
    return Exchange("blob.get", {"name": "a"}, request, Response(200, "OK", headers, body), None, 1.0, 2.0, 3.0)


def _unchecked(_: Exchange) -> ContractResult:
    return ContractResult()


def recorded(folder: Path, *exchanges: Exchange) -> Path:
    path = folder / "run.har.gz"
    spool = open_spool(path, "id")
    Recorder(spool, Redactor(), _unchecked).add("a::b", exchanges)
    assert gather(spool, path, {"name": "a", "version": "1"}, {}) == len(exchanges)
    return path


def test_large_bodies_are_kept_by_digest_and_length(tmp_path: Path) -> None:
    long = json.dumps(["a"] * 5000).encode()
    path = recorded(
        tmp_path,
        _exchange(b"x" * 5000, "application/octet-stream", b"y" * 5000),
        _exchange(long, "application/json"),
        _exchange(b"\xff\xfe", "application/octet-stream"),
    )
    first, second, third = read(path)["entries"]
    content = first["response"]["content"]
    assert content.pop("_digest") == "sha256:" + hashlib.sha256(b"x" * 5000).hexdigest()
    assert content == {
        "size": 5000,
        "mimeType": "application/octet-stream",
        "_size": 5000,
    }
    assert first["request"]["postData"]["_size"] == 5000
    assert second["response"]["content"]["text"] == long.decode()
    assert third["response"]["content"]["encoding"] == "base64"
    assert [bool(each.exchange.response and each.exchange.response.body) for each in entries(path)] == [True] * 3


def test_what_a_lost_process_left_is_taken_as_far_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "run.har.gz"
    spool = open_spool(path, "id")
    Recorder(spool, Redactor(), _unchecked).add("a::b", [_exchange(b"x", "text/plain")])
    (own,) = spool.iterdir()
    whole = own.read_bytes()
    (spool / "1.gz").write_bytes(whole + whole[: len(whole) // 2])
    assert gather(spool, path, {"name": "a", "version": "1"}, {}) == 2


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "run.har", "id")
    recorder = Recorder(spool / "gone", Redactor(), _unchecked)
    recorder.add("a::b", [_exchange(b"x", "text/plain")])
    assert recorder.problem == "No such file or directory"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is no recording"),
        (b"[]", "has no log.entries"),
        (b"\x1f\x8b\x08", "is no recording"),
        (b'{"log": {"entries": [{"request": {}}]}}', "entry 0 was not made by this suite"),
    ],
)
def test_what_is_no_recording_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "run.har"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=words):
        [*entries(path)]
    with pytest.raises(RecordingError, match="cannot be read"):
        [*entries(tmp_path / "none.har")]
