"""Faults of the start of an upload."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.push.shared import capitals_accepted, denied, with_body
from reference.faults.shared import no_content, recoded
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, on, override, set_header, set_status, wrap
from reference.storage import Upload

_UUID = "Docker-Upload-UUID"


def _third_session(registry: Registry) -> None:
    """Of the sessions of a repository each third is refused once."""
    start = registry.storage.start_upload
    count: dict[str, int] = {}

    def changed(name: str) -> object:
        count[name] = count.get(name, 0) + 1
        if count[name] == 3:
            raise denied()
        return start(name)

    override(registry.storage, start_upload=changed)


def _uuid_shared(_request: Request, response: Response) -> None:
    if _UUID in response.headers:
        response.headers.set(_UUID, "11111111-2222-3333-4444-555555555555")


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


def _not_made(status: int, code: str) -> Apply:
    """Make no repository whose name ends with a reserved word, as a policy of names would."""

    def around(start: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.name.endswith("-used"):
                raise errors.RegistryError(status, (errors.ErrorEntry(code),))
            return await start(request)

        return changed

    return lambda registry: wrap(registry, ["upload.start"], around)


FAULTS = (
    Fault(
        name="third-session-denied",
        title="The third upload of a repository returns 403 DENIED, and the fourth begins.",
        breaks=("PUSH-START-STATUS-202",),
        apply=_third_session,
    ),
    Fault(
        name="start-range-below-zero",
        title="The Range of an upload without data counts down to -1.",
        breaks=("PUSH-START-RANGE-FORM",),
        apply=on("upload.start", status=202, change=set_header("Range", "0--1")),
    ),
    Fault(
        name="upload-start-answered-200",
        title="The start of an upload returns 200.",
        breaks=("PUSH-START-STATUS-202",),
        apply=on("upload.start", status=202, change=set_status(200)),
    ),
    Fault(
        name="upload-start-answered-204",
        title="The start of an upload returns 204.",
        breaks=("PUSH-START-STATUS-202",),
        apply=on("upload.start", status=202, change=no_content),
    ),
    Fault(
        name="upload-start-always-203",
        title="The start of an upload returns 203, also where it is refused.",
        breaks=("PUSH-START-STATUS-202",),
        apply=answers("upload.start", change=set_status(203)),
    ),
    Fault(
        name="fresh-upload-with-progress",
        title="The Range of an upload that has received nothing tells of a hundred bytes.",
        breaks=("PUSH-SESSION-FRESH-RANGE-TRUE",),
        apply=on("upload.start", status=202, change=set_header("Range", "0-99")),
    ),
    Fault(
        name="upload-uuid-shared",
        title="Every upload has the same Docker-Upload-UUID.",
        breaks=("PUSH-UPLOAD-UUID-TRUE",),
        apply=answers(change=_uuid_shared),
    ),
    Fault(
        name="upload-uuid-changes",
        title="The answer to a chunk has another Docker-Upload-UUID than its upload.",
        breaks=("PUSH-UPLOAD-UUID-TRUE",),
        apply=answers("upload.patch", status=202, change=_uuid_shared),
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
        title="An upload in a repository that is not made by a push returns 400.",
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
        name="upload-start-without-location",
        title="The 202 that opens a session has no Location.",
        breaks=("PUSH-START-LOCATION-PRESENT",),
        apply=on("upload.start", change=drop_header("Location")),
    ),
    Fault(
        name="upload-start-201",
        title="The start of a session returns 201.",
        breaks=("PUSH-START-STATUS-202",),
        apply=on("upload.start", status=202, change=set_status(201)),
    ),
    Fault(
        name="upload-start-location-wrong",
        title="The Location of a session leads to another port.",
        breaks=("PUSH-START-LOCATION-RESOLVABLE",),
        apply=on("upload.start", status=202, change=set_header("Location", "http://127.0.0.1:1/v2/x/blobs/uploads/1")),
    ),
    Fault(
        name="upload-start-without-uuid",
        title="No answer has Docker-Upload-UUID.",
        breaks=("PUSH-START-UPLOAD-UUID-HEADER",),
        apply=answers(change=drop_header("Docker-Upload-UUID")),
    ),
    Fault(
        name="upload-start-without-range",
        title="The start of a session has no Range.",
        breaks=("PUSH-START-RANGE-HEADER",),
        apply=on("upload.start", change=drop_header("Range")),
    ),
    Fault(
        name="chunk-minimum-malformed",
        title="OCI-Chunk-Min-Length has a unit.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-SYNTAX",),
        apply=on("upload.start", status=202, change=set_header("OCI-Chunk-Min-Length", "1kB")),
    ),
)
