"""Faults of refusals and warnings: their bodies, their lengths, limits on how often one may ask."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.upload_answers import recoded
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, override, set_header


def _text(_request: Request, response: Response) -> None:
    if response.body:
        response.body = b"404 page not found\n"
        response.headers.set("Content-Type", "text/plain")


def _encoded_500(request: Request, response: Response) -> Response | None:
    """What percent-encoding holds beyond text makes the server stumble."""
    if "%00" in request.path or "%ff" in request.path.lower():
        return Response(500, [("Content-Type", "text/plain")], b"internal server error")
    return None


def _each_tenth(change: Response) -> Apply:
    """Refuse one pull of a manifest in ten for being too many."""

    def apply(registry: Registry) -> None:
        count = 0

        def limited(_request: Request, response: Response) -> Response | None:
            nonlocal count
            count += 1
            if count % 10:
                return None
            if response.content is not None:
                response.content.close()
            return Response(change.status, change.headers.pairs, change.body)

        answers("manifest.get", change=limited)(registry)

    return apply


def _busy(code: str, retry_after: str) -> Response:
    headers = [("Content-Type", "application/json"), ("Retry-After", retry_after)]
    return Response(429, headers, b'{"errors": [{"code": "' + code.encode() + b'", "message": "slow down"}]}')


def _length_of_the_blob(request: Request, response: Response) -> None:
    response.headers.set("Content-Length", response.headers.get("Content-Range").rpartition("/")[2])


def _allow_everything(request: Request, response: Response) -> None:
    response.headers.set("Allow", f"GET, HEAD, {request.method}")


def _blob_digest_404(_request: Request, response: Response) -> None:
    """A malformed digest is unknown as well; its code stays."""
    if b"DIGEST_INVALID" in response.body:
        response.status = 404


def _two_slashes_500(request: Request, response: Response) -> Response | None:
    if "//" in request.path:
        return Response(500, [("Content-Type", "text/plain")], b"internal server error")
    return None


def _never_mounted(registry: Registry) -> None:
    override(registry.uploads, mounted=lambda *_: False)


FAULTS = (
    Fault(
        name="unknown-as-text",
        title="What is unknown is answered 404 with a line of text.",
        breaks=("BASE-ERROR-JSON-PRESENT",),
        apply=answers(status=404, change=_text),
    ),
    Fault(
        name="encoded-path-500",
        title="Octets in a path that are no text are answered 500.",
        breaks=("BASE-ERROR-CLIENT-FAULT-4XX",),
        apply=answers(change=_encoded_500),
    ),
    Fault(
        name="limit-code-wrong",
        title="One pull of a manifest in ten is answered 429 with the code DENIED.",
        breaks=("BASE-RATE-429",),
        apply=_each_tenth(_busy("DENIED", "0")),
    ),
    Fault(
        name="limit-retry-after-malformed",
        title="One pull of a manifest in ten is answered 429 with the word soon in Retry-After.",
        breaks=("BASE-RATE-RETRY-AFTER",),
        apply=_each_tenth(_busy("TOOMANYREQUESTS", "soon")),
    ),
    Fault(
        name="warning-too-long",
        title="Each answer has a Warning of five thousand bytes.",
        breaks=("BASE-WARNING-SIZE",),
        apply=answers(change=set_header("Warning", '299 - "' + "long " * 1000 + '"')),
    ),
    Fault(
        name="range-refused-with-the-length-of-the-blob",
        title="A 416 has the Content-Length of the whole blob and no content.",
        breaks=("BASE-CONTENT-LENGTH-TRUE",),
        apply=answers("blob.get", status=416, change=_length_of_the_blob),
    ),
    Fault(
        name="allow-names-the-method",
        title="The Allow of a 405 has the method that is not allowed.",
        breaks=("BASE-METHOD-405-ALLOW",),
        also=("MGMT-DELETE-405-ALLOW",),
        apply=answers(status=405, change=_allow_everything),
    ),
    Fault(
        name="name-invalid-code-unknown",
        title="A pull with an invalid name has the code NAME_UNKNOWN.",
        breaks=("BASE-NAME-INVALID-400",),
        apply=answers("manifest.get", "blob.get", status=400, change=recoded("NAME_INVALID", "NAME_UNKNOWN")),
    ),
    Fault(
        name="blob-bad-digest-404",
        title="A malformed digest in a blob's path is answered 404 with the code DIGEST_INVALID.",
        breaks=("PULL-BLOB-GET-BAD-DIGEST-400",),
        apply=answers("blob.get", status=400, change=_blob_digest_404),
    ),
    Fault(
        name="two-slashes-500",
        title="A path with two slashes is answered 500.",
        breaks=("BASE-NAME-REJECT-EMPTY-COMPONENT",),
        apply=answers("upload.start", change=_two_slashes_500),
    ),
    Fault(
        name="mount-declared-and-absent",
        title="No blob is mounted, though the owner says that mounts are offered.",
        breaks=("BASE-CAPABILITY-DECLARED",),
        options=("--capability", "mount=yes"),
        apply=_never_mounted,
    ),
)
