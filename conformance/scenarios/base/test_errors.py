"""Error answers: their body and their codes."""

from __future__ import annotations

import re
from collections.abc import Callable

from conformance.client.bare_connection import content_after_head
from conformance.client.error_codes import CODES
from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_MANIFEST, Repository
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, clip, codes_of, verifies

#: With the two codes of schema 1 that the legacy chapter admits.
REGISTERED = CODES | {"TAG_INVALID", "MANIFEST_UNVERIFIED"}
SYNTAX = re.compile(r"[A-Z_]+")
NOT_FOUND = 404
UNAUTHORIZED = 401

#: Servers may choose a language, and no other form.
GERMAN = ("Accept-Language", "de, en;q=0.5")
Provoke = Callable[[Repository, Repository, SetUp], Response]
PROVOKED: dict[str, Provoke] = {
    "manifest": lambda repo, _, setup: repo.get_manifest(setup.make.tag(), OCI_MANIFEST, headers=(GERMAN,)),
    "blob": lambda repo, _, setup: repo.get_blob(setup.make.digest()),
    "digest": lambda repo, _, setup: repo.get_blob("sha256:abc"),
    "repository": lambda _, unknown, setup: unknown.get_blob(setup.make.digest()),
    "tags": lambda _, unknown, setup: unknown.list_tags(),
}
#: What asks for content that is unknown.
UNKNOWN = ("manifest", "blob", "repository")


def _is_json(answer: Response) -> bool:
    """Whether a body claims to be JSON, or is a JSON object or array."""
    return answer.says_json or isinstance(answer.json, dict | list)


def _errors(answer: Response) -> list[dict[str, object]] | None:
    """Return the list of errors, or ``None`` where the body has another shape."""
    document = answer.json
    errors = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(errors, list):
        return None
    fitting = [e for e in errors if isinstance(e, dict) and isinstance(e.get("code"), str)]
    return fitting if len(fitting) == len(errors) else None


@verifies(
    "BASE-ERROR-JSON-PRESENT",
    "BASE-ERROR-JSON-SHAPE",
    "BASE-ERROR-CONTENT-TYPE",
    "BASE-ERROR-NONEMPTY",
    "BASE-ERROR-CODE-SYNTAX",
    "BASE-ERROR-CODE-REGISTERED",
    "BASE-ERROR-MESSAGE",
)
def test_json_body_of_an_error(repo: Repository, unknown_repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The error for unknown content has a JSON body, which lists errors with known codes."""
    setup.image(repo)
    answers = {fault: provoke(repo, unknown_repo, setup) for fault, provoke in PROVOKED.items()}
    judge.unsupported("BASE-ERROR-JSON-PRESENT", "nothing was answered 404")
    for fault in UNKNOWN:
        if answers[fault].status == NOT_FOUND:
            _judge_present(judge, answers[fault])
    fitting = [answer for answer in answers.values() if answer.refused and _is_json(answer)]
    if not fitting:
        raise Unsupported("no refusal has a JSON body")
    for answer in fitting:
        _judge_errors(judge, answer)


def _judge_present(judge: Judge, answer: Response) -> None:
    actual = f"the body was {clip(answer.body.decode('utf-8', 'replace')) or 'empty'}"
    expected = "a JSON body with the 404"
    judge("BASE-ERROR-JSON-PRESENT", isinstance(answer.json, dict), expected, answer, actual=actual)


def _judge_errors(judge: Judge, answer: Response) -> None:
    errors = _errors(answer)
    body = f"the body was {clip(answer.body.decode('utf-8', 'replace'))}"
    judge.require(
        "BASE-ERROR-JSON-SHAPE",
        errors is not None,
        "an object whose errors are objects with a code",
        answer,
        actual=body,
    )
    codes = answer.error_codes or []
    judge("BASE-ERROR-NONEMPTY", errors, "at least one error in the list", answer, actual=body)
    judge.header("BASE-ERROR-CONTENT-TYPE", answer, "Content-Type", _labelled, "Content-Type: application/json")
    judge("BASE-ERROR-CODE-SYNTAX", all(map(SYNTAX.fullmatch, codes)), "codes of A-Z and _", answer, actual=body)
    judge(
        "BASE-ERROR-CODE-REGISTERED",
        set(codes) <= REGISTERED,
        "codes that the specification lists",
        answer,
        actual=codes_of(answer),
    )
    messages = [e["message"] for e in errors or [] if "message" in e]
    strings = all(isinstance(m, str) for m in messages)
    judge("BASE-ERROR-MESSAGE", strings, "messages that are strings", answer, actual=body)


def _labelled(value: str) -> bool:
    return value.split(";", maxsplit=1)[0].strip().lower() == "application/json"


@verifies("BASE-ERROR-HEAD-NO-BODY")
def test_head_of_unknown_content_has_no_body(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Nothing follows the header section of an error answer to HEAD."""
    setup.image(repo)
    for kind in ("manifests", "blobs"):
        digest = setup.make.digest()
        answer = repo.head_manifest(digest) if kind == "manifests" else repo.head_blob(digest)
        wire = content_after_head(repo.registry.client, f"/v2/{repo.name}/{kind}/{digest}", repo.name)
        if not wire.status:
            raise Undecided("a bare connection got no answer")
        judge(
            "BASE-ERROR-HEAD-NO-BODY",
            not wire.content,
            "no content after the headers of a HEAD",
            answer,
            actual=f"{len(wire.content)} bytes followed",
        )


@verifies("BASE-ERROR-401-PULL")
def test_pull_without_credentials(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A 401 to a pull carries a challenge, and the code UNAUTHORIZED where its body is JSON."""
    manifest = setup.image(repo)
    answer = repo.get_manifest(manifest.digest, manifest.media_type, authenticate=False)
    if answer.status != UNAUTHORIZED:
        raise Unsupported("a pull without credentials is not answered 401")
    if judge.header("BASE-ERROR-401-PULL", answer, "WWW-Authenticate") and answer.error_codes is not None:
        judge.code("BASE-ERROR-401-PULL", answer, "UNAUTHORIZED")
