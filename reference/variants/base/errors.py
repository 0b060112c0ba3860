"""Variants of errors, their bodies and codes, and limits of the rate."""

from __future__ import annotations

import json

from reference.messages import Request, Response
from reference.modifications import OCI, Apply, Variant, answers


def _recoded(codes: dict[bytes, bytes]) -> Apply:
    def change(_request: Request, response: Response) -> None:
        if response.status >= 400:
            for old, new in codes.items():
                response.body = response.body.replace(b'"' + old + b'"', b'"' + new + b'"')

    return answers(change=change)


def _empty(_request: Request, response: Response) -> None:
    if response.status >= 400:
        response.body = b""
        response.headers.drop("Content-Type")


def _text(_request: Request, response: Response) -> None:
    if response.status >= 400:
        response.body = f"sorry: {response.status}\n".encode()
        response.headers.set("Content-Type", "text/plain; charset=utf-8")


def _talkative(_request: Request, response: Response) -> None:
    if response.status >= 400 and response.body:
        body = json.loads(response.body)
        for entry in body["errors"]:
            entry.update({"detail": ["any", None, 1], "help": "https://registry.example/help"})
        body["errors"].append({"code": "UNSUPPORTED", "message": ""})
        body["trace"] = {"id": 1}
        response.body = json.dumps(body).encode()


def _bare(_request: Request, response: Response) -> None:
    if response.status >= 400 and response.body:
        codes = [{"code": entry["code"]} for entry in json.loads(response.body)["errors"]]
        response.body = json.dumps({"errors": codes}).encode()


VARIANTS = (
    Variant(
        name="error-codes-own",
        title="Refusals have codes that no table lists.",
        latitude=("ERROR-CODE-UNLISTED",),
        profiles=("docker-v2",),
        warns=("BASE-ERROR-CODE-REGISTERED",),
        apply=_recoded({b"MANIFEST_UNKNOWN": b"NOT_FOUND", b"UNSUPPORTED": b"METHOD_UNKNOWN"}),
    ),
    Variant(
        name="error-codes-broad",
        title="Refusals have codes that tell less.",
        latitude=("ERROR-CODE-CHOICE",),
        warns=(
            "PULL-BLOB-GET-BAD-DIGEST-400",
            "PUSH-PUT-DIGEST-MISMATCH-CODE",
            "PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE",
            "MGMT-MANIFEST-DELETE-UNKNOWN-CODE",
            "MGMT-BLOB-DELETE-UNKNOWN-CODE",
        ),
        apply=_recoded(
            {b"BLOB_UNKNOWN": b"NAME_UNKNOWN", b"MANIFEST_UNKNOWN": b"NAME_UNKNOWN", b"DIGEST_INVALID": b"SIZE_INVALID"}
        ),
    ),
    Variant(
        name="errors-without-body",
        title="Refusals have no body.",
        latitude=("ERROR-BODY-ABSENT",),
        profiles=OCI,
        warns=("BASE-ERROR-JSON-PRESENT",),
        apply=answers(change=_empty),
    ),
    Variant(
        name="errors-as-text",
        title="Refusals are text.",
        latitude=("ERROR-BODY-NOT-JSON",),
        profiles=OCI,
        warns=("BASE-ERROR-JSON-PRESENT",),
        apply=answers(change=_text),
    ),
    Variant(
        name="errors-with-details",
        title="Refusals have several errors, details of any type and further members.",
        latitude=("ERROR-SEVERAL", "ERROR-MEMBERS-FREE"),
        profiles=OCI,
        warns=("PUSH-MANIFEST-MISSING-BLOB-DETAIL",),
        apply=answers(change=_talkative),
    ),
    Variant(
        name="errors-with-code-only",
        title="Refusals have codes alone.",
        latitude=("ERROR-MEMBERS-FREE",),
        profiles=OCI,
        warns=("PUSH-MANIFEST-MISSING-BLOB-DETAIL",),
        apply=answers(change=_bare),
    ),
)
