"""Variants of refusals: bodies of any kind, and statuses that are as good."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.documents import Document
from reference.faults.acceptance import has_unknown_member
from reference.messages import Request, Response
from reference.modifications import OCI, Variant, answers, override


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


def _digest_404(request: Request, response: Response) -> None:
    if b"DIGEST_INVALID" in response.body and request.method in ("GET", "HEAD"):
        response.status = 404
        response.body = response.body.replace(b"DIGEST_INVALID", b"BLOB_UNKNOWN")


def _name_404(_request: Request, response: Response) -> None:
    if b"NAME_INVALID" in response.body:
        response.status, response.body = 404, b"404 page not found\n"
        response.headers.set("Content-Type", "text/plain")


def _hidden(registry: Registry) -> None:
    """What is in no repository of one's own is not talked about."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        check(request)
        if request.name and request.method != "POST" and not registry.storage.exists(request.name):
            if request.operation.startswith("upload."):
                return
            raise errors.RegistryError(403, (errors.ErrorEntry("DENIED"),))

    override(registry, check_allowed=changed)


def _no_such_method(request: Request, response: Response) -> None:
    """A method that a resource lacks is as unknown as the resource; HEAD is no method of lists."""
    if response.status == 405 and not request.operation:
        response.status, response.body = 404, b"404 page not found\n"
        response.headers.drop("Allow")
        response.headers.set("Content-Type", "text/plain")
    elif request.method == "HEAD" and request.operation in ("tags.list", "catalog.list", "referrers.list"):
        response.status = 405
        response.headers.set("Allow", "GET")


def _unknown_members_refused(registry: Registry) -> None:
    check = registry.manifests.check_references

    def changed(name: str, document: Document) -> None:
        if has_unknown_member(document):
            raise errors.manifest_invalid("a member of the manifest is unknown")
        check(name, document)

    override(registry.manifests, check_references=changed)


VARIANTS = (
    Variant(
        name="unknown-repository-403",
        title="Reads and deletions in an unknown repository are answered 403.",
        latitude=("LOGIN-401-403-404",),
        apply=_hidden,
    ),
    Variant(
        name="method-unknown-404",
        title="A method that a resource lacks is answered 404, HEAD of a list 405.",
        latitude=("METHOD-REFUSED-STATUS",),
        apply=answers(change=_no_such_method),
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
        name="errors-talkative",
        title="Refusals have several errors, details of any type and further members.",
        latitude=("ERROR-SEVERAL", "ERROR-MEMBERS-FREE"),
        profiles=OCI,
        warns=("PUSH-MANIFEST-MISSING-BLOB-DETAIL",),
        apply=answers(change=_talkative),
    ),
    Variant(
        name="errors-bare",
        title="Refusals have codes alone.",
        latitude=("ERROR-MEMBERS-FREE",),
        profiles=OCI,
        warns=("PUSH-MANIFEST-MISSING-BLOB-DETAIL",),
        apply=answers(change=_bare),
    ),
    Variant(
        name="digest-malformed-404",
        title="A malformed digest in a pull is answered 404.",
        latitude=("DIGEST-MALFORMED-STATUS",),
        profiles=("oci-1.0",),
        warns=("PULL-BLOB-GET-BAD-DIGEST-400",),
        apply=answers("blob.get", "blob.head", "manifest.get", "manifest.head", status=400, change=_digest_404),
    ),
    Variant(
        name="name-invalid-as-by-router",
        title="An invalid name is answered 404 as by a router.",
        latitude=("NAME-OR-TAG-INVALID-STATUS",),
        profiles=OCI,
        warns=("BASE-NAME-INVALID-400",),
        apply=answers(status=400, change=_name_404),
    ),
    Variant(
        name="manifest-unknown-members-refused",
        title="A manifest with members that nobody knows is refused.",
        latitude=("MANIFEST-MEMBERS-UNKNOWN",),
        warns=("PUSH-MANIFEST-UNKNOWN-MEMBER",),
        apply=_unknown_members_refused,
    ),
)
