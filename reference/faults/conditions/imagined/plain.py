"""Strange faults that show without a condition: forms of headers and documents, and what is left behind."""

from __future__ import annotations

import json

from reference.app import Registry
from reference.faults.shared import recoded
from reference.grammar import digest_of
from reference.messages import JSON, Handler, Request, Response
from reference.modifications import Fault, answers, around, on, override

_INTERNAL = "<http://registry.internal:5000/"


def _two_digests(_request: Request, response: Response) -> None:
    digest = response.headers.get("Docker-Content-Digest")
    response.headers.set("Docker-Content-Digest", f"{digest}, {digest_of(digest.encode(), 'sha512')}")


def _null_behind(_request: Request, response: Response) -> None:
    if response.status < 500 and response.headers.get("Content-Type") == JSON and response.body:
        body = json.loads(response.body)
        response.body = json.dumps({**body, "errors": [*body["errors"], None]}).encode()


def _refusal_with_null(registry: Registry) -> None:
    refuse = registry.refuse

    def changed(request: Request, error: object) -> Response:
        response = refuse(request, error)  # type: ignore[arg-type]  # handed on as it came
        _null_behind(request, response)
        return response

    override(registry, refuse=changed)


def _subject_as_tag(_request: Request, response: Response) -> None:
    subject = response.headers.get("OCI-Subject")
    if subject:
        response.headers.set("OCI-Subject", subject.replace(":", "-"))


def _internal_link(_request: Request, response: Response) -> None:
    link = response.headers.get("Link")
    if link:
        response.headers.set("Link", link.replace("</", _INTERNAL, 1))


def _one_name_more(registry: Registry) -> None:
    """A page of the catalog has the first name of the next page, too."""

    def change(request: Request, response: Response) -> None:
        if "Link" in response.headers and request.query.get("n"):
            body = json.loads(response.body)
            names = list(registry.storage.repositories())
            behind = names[names.index(body["repositories"][-1]) + 1 :]
            response.body = json.dumps({"repositories": [*body["repositories"], *behind[:1]]}).encode()

    on("catalog.list", status=200, change=change)(registry)


def _cancelled_answers(registry: Registry) -> None:
    """The status of a cancelled upload is still told."""
    gone: dict[str, Response] = {}

    @around("upload.delete")
    async def cancel(_registry: Registry, request: Request, handler: Handler) -> Response:
        progress = registry.uploads.progress(registry.uploads.find(request))
        response = await handler(request)
        if response.status == 204:
            gone[request.reference] = Response(204, progress)
        return response

    @around("upload.get")
    async def status(_registry: Registry, request: Request, handler: Handler) -> Response:
        kept = gone.get(request.reference)
        return Response(204, kept.headers.pairs) if kept is not None else await handler(request)

    cancel(registry)
    status(registry)


FAULTS = (
    Fault(
        name="head-of-a-blob-with-two-digests-in-a-field",
        title="Docker-Content-Digest at HEAD of a blob is a list of two digests.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR", "PULL-BLOB-HEAD-DCD-TRUE"),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=on("blob.head", status=200, change=_two_digests),
    ),
    Fault(
        name="errors-end-in-a-null",
        title="The array of errors of a refusal has a null behind the error.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        apply=_refusal_with_null,
    ),
    Fault(
        name="oci-subject-in-the-form-of-a-tag",
        title="OCI-Subject has a hyphen in the place of the colon, as the tag of referrers has.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        apply=on("manifest.put", status=201, change=_subject_as_tag),
    ),
    Fault(
        name="tag-link-to-the-host-behind-the-proxy",
        title="The Link of a list of tags leads to a host that clients do not reach.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-NAME-RESERVED-WORD",),
        apply=on("tags.list", status=200, change=_internal_link),
    ),
    Fault(
        name="catalog-page-with-a-name-too-many",
        title="A page of the catalog that is not the last has one name more than n.",
        breaks=("DISC-CATALOG-N-LAST",),
        also=("DISC-CATALOG-LINK-WALK",),
        apply=_one_name_more,
    ),
    Fault(
        name="referrers-schema-version-in-quotes",
        title="The schemaVersion of a list of referrers is a string.",
        breaks=("DISC-REFERRERS-INDEX-SHAPE",),
        apply=answers("referrers.list", status=200, change=recoded('"schemaVersion": 2', '"schemaVersion": "2"')),
    ),
    Fault(
        name="status-of-a-cancelled-upload-told",
        title="A GET of a cancelled upload is answered 204; PATCH and PUT are refused.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        also=("PUSH-SESSION-UNKNOWN-404",),
        apply=_cancelled_answers,
    ),
)
