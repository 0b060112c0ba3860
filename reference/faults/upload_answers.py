"""Faults of what uploads answer: bodies, headers, statuses and codes; and of where an upload may begin."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.grammar import is_digest, is_name, is_supported
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, Transform, answers, drop_header, on, override, set_status, wrap
from reference.storage import Upload

_TEXT = b"well done\n"


def with_body(_request: Request, response: Response) -> None:
    """Add a body where none is wanted."""
    response.body = _TEXT
    response.headers.set("Content-Type", "text/plain")


def recoded(old: str, new: str) -> Transform:
    """Replace an error code."""

    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(old.encode(), new.encode())

    return change


def where(condition: Callable[[Request], object], change: Transform) -> Transform:
    """Change only what some requests are answered."""
    return lambda request, response: change(request, response) if condition(request) else None


def capitals_accepted(*operations: str) -> Apply:
    """Accept names with a component in capitals for some operations."""

    def apply(registry: Registry) -> None:
        check = registry.check_name

        def changed(request: Request) -> None:
            plain = "/".join(part.lower() if part.isupper() else part for part in request.name.split("/"))
            if request.operation not in operations or not is_name(plain):
                check(request)

        override(registry, check_name=changed)

    return apply


def _patch_405(_request: Request, _response: Response) -> Response:
    body = b'{"errors": [{"code": "UNSUPPORTED", "message": "no chunks"}]}'
    return Response(405, [("Allow", "PUT, GET, DELETE"), ("Content-Type", "application/json")], body)


def _session_shared(registry: Registry) -> None:
    """From the third on, a session without data is given away again."""
    start = registry.storage.start_upload
    waiting: dict[str, list[Upload]] = {}

    def changed(name: str) -> Upload:
        unused = [upload for upload in waiting.get(name, ()) if not upload.closed and not upload.size]
        if len(unused) >= 2:
            return unused[0]
        upload = start(name)
        waiting[name] = [*unused, upload]
        return upload

    override(registry.storage, start_upload=changed)


def _digest_of(request: Request) -> str:
    return request.query.get("digest") or ""


def _is_malformed(request: Request) -> bool:
    return request.query.get("digest") is not None and not is_digest(_digest_of(request))


def _is_unknown(request: Request) -> bool:
    return is_digest(_digest_of(request)) and not is_supported(_digest_of(request))


def _put(around: Callable[[Handler], Handler]) -> Apply:
    return lambda registry: wrap(registry, ["upload.put"], around)


def _lower_case(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        request.query.pairs = [(k, v.lower() if k == "digest" else v) for k, v in request.query.pairs]
        return await put(request)

    return changed


def _unknown_accepted(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        if not _is_unknown(request):
            return await put(request)
        digest = _digest_of(request)
        location = f"/v2/{request.name}/blobs/{digest}"
        return Response(201, [("Location", location), ("Docker-Content-Digest", digest)])

    return changed


def _two_digests_500(put: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        if len(request.query.all("digest")) > 1:
            return Response(500)
        return await put(request)

    return changed


def _one_sha512(put: Handler) -> Handler:
    seen = False

    async def changed(request: Request) -> Response:
        nonlocal seen
        if _digest_of(request).startswith("sha512:"):
            if seen:
                raise errors.digest_invalid(_digest_of(request))
            seen = True
        return await put(request)

    return changed


def _mount_of_malformed_404(mount: Handler) -> Handler:
    async def changed(request: Request) -> Response:
        digest = request.query.get("mount") or ""
        if not is_digest(digest):
            raise errors.blob_unknown(digest)
        return await mount(request)

    return changed


def _not_made(status: int, code: str) -> Apply:
    """Make no repository whose name ends with a reserved word, as where names are subject to a policy."""

    def around(start: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.name.endswith("-used"):
                raise errors.RegistryError(status, (errors.ErrorEntry(code),))
            return await start(request)

        return changed

    return lambda registry: wrap(registry, ["upload.start"], around)


FAULTS = (
    Fault(
        name="patch-405",
        title="PATCH is answered 405: uploads are taken whole only.",
        breaks=("PUSH-CATEGORY-COMPLETE",),
        apply=answers("upload.patch", change=_patch_405),
    ),
    Fault(
        name="session-given-twice",
        title="The third of three uploads without data has the Location of the first.",
        breaks=("PUSH-START-LOCATION-UNIQUE-ID",),
        apply=_session_shared,
    ),
    Fault(
        name="upload-start-with-body",
        title="The 202 that opens a session has a body.",
        breaks=("PUSH-START-BODY-EMPTY",),
        apply=on("upload.start", status=202, change=with_body),
    ),
    Fault(
        name="upload-start-unknown-repository-400",
        title="An upload in a repository that is not made by a push is answered 400.",
        breaks=("PUSH-START-REPO-UNKNOWN-404",),
        apply=_not_made(400, "NAME_UNKNOWN"),
    ),
    Fault(
        name="upload-start-unknown-repository-code",
        title="An upload in a repository that is not made by a push has the code BLOB_UPLOAD_UNKNOWN.",
        breaks=("PUSH-START-REPO-UNKNOWN-CODE",),
        apply=_not_made(404, "BLOB_UPLOAD_UNKNOWN"),
    ),
    Fault(
        name="upload-start-name-in-capitals",
        title="POST takes a name with a component in capitals.",
        breaks=("PUSH-START-NAME-INVALID-REJECTED",),
        apply=capitals_accepted("upload.start"),
    ),
    Fault(
        name="upload-start-name-invalid-code",
        title="An upload with an invalid name has the code UNSUPPORTED.",
        breaks=("PUSH-START-NAME-INVALID-400-CODE",),
        apply=answers("upload.start", status=400, change=recoded("NAME_INVALID", "UNSUPPORTED")),
    ),
    Fault(
        name="put-with-body",
        title="The 201 that completes an upload has a body.",
        breaks=("PUSH-PUT-BODY-EMPTY",),
        apply=on("upload.put", status=201, change=with_body),
    ),
    Fault(
        name="patch-with-body",
        title="The answer to a chunk has a body.",
        breaks=("PUSH-PATCH-BODY-EMPTY",),
        apply=on("upload.patch", status=202, change=with_body),
    ),
    Fault(
        name="put-without-digest-404",
        title="A PUT without digest is answered 404.",
        breaks=("PUSH-PUT-DIGEST-MISSING-400",),
        apply=answers("upload.put", status=400, change=where(lambda r: not _digest_of(r), set_status(404))),
    ),
    Fault(
        name="put-digest-malformed-404",
        title="A PUT with a malformed digest is answered 404.",
        breaks=("PUSH-PUT-DIGEST-MALFORMED-400",),
        apply=answers("upload.put", status=400, change=where(_is_malformed, set_status(404))),
    ),
    Fault(
        name="put-digest-algorithm-unknown-404",
        title="A PUT with a digest of an unknown algorithm is answered 404.",
        breaks=("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-400",),
        apply=answers("upload.put", status=400, change=where(_is_unknown, set_status(404))),
    ),
    Fault(
        name="put-digest-algorithm-unknown-accepted",
        title="What cannot be verified is accepted: a PUT with a digest of an unknown algorithm is answered 201.",
        breaks=("PUSH-PUT-DIGEST-ALGORITHM-UNKNOWN-REJECTED",),
        apply=_put(_unknown_accepted),
    ),
    Fault(
        name="put-digest-folded",
        title="A PUT takes a digest in upper case for the one in lower case.",
        breaks=("PUSH-PUT-DIGEST-UPPERCASE",),
        apply=_put(_lower_case),
    ),
    Fault(
        name="put-two-digests-500",
        title="A PUT with two digests is answered 500.",
        breaks=("PUSH-PUT-DIGEST-MULTIPLE",),
        apply=_put(_two_digests_500),
    ),
    Fault(
        name="sha512-once",
        title="Only one blob is accepted under a sha512 digest.",
        breaks=("PUSH-BLOB-SHA512-ACCEPTED",),
        apply=_put(_one_sha512),
    ),
    Fault(
        name="upload-start-algorithm-unknown-404",
        title="An upload for an unknown digest algorithm is answered 404.",
        breaks=("PUSH-START-DIGEST-ALGORITHM-UNSUPPORTED-400",),
        apply=answers(
            "upload.start", status=400, change=where(lambda r: r.query.get("digest-algorithm"), set_status(404))
        ),
    ),
    Fault(
        name="single-post-fallback-without-location",
        title="A POST of a blob is answered 202 without Location.",
        breaks=("PUSH-SINGLE-FALLBACK-LOCATION",),
        variants=("single-post-202",),
        apply=answers("upload.start-digest", status=202, change=drop_header("Location")),
    ),
    Fault(
        name="single-post-wrong-digest-404",
        title="A single POST with a wrong digest is answered 404.",
        breaks=("PUSH-SINGLE-DIGEST-INVALID-400",),
        apply=answers("upload.start-digest", status=400, change=set_status(404)),
    ),
    Fault(
        name="mount-digest-malformed-404",
        title="The mount of a malformed digest is answered 404.",
        breaks=("PUSH-MOUNT-DIGEST-MALFORMED",),
        apply=lambda registry: wrap(registry, ["upload.mount"], _mount_of_malformed_404),
    ),
    Fault(
        name="read-only-manifest-400",
        title="A registry that takes no pushes answers a manifest with 400.",
        breaks=("PUSH-READONLY-405",),
        configuration="pull-only",
        apply=answers("manifest.put", status=405, change=set_status(400)),
    ),
)
