"""Malformed and strange requests are refused or ignored, without a server error."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from conformance.client.http.exchange import Response
from conformance.client.registry import DOCKER_LIST, OCI_MANIFEST, Registry, Repository
from conformance.target.content import Manifest, docker_list
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, describe, verifies

FAULT = "BASE-ERROR-CLIENT-FAULT-4XX"
STRANGE = "BASE-ERROR-STRANGE-INPUT"
SERVER_ERROR = 500
NOT_IMPLEMENTED = 501
#: Digests that fit the grammar, of an algorithm that nobody has.
INVENTED = "made-up:" + "a" * 40
#: The credentials of a name that ends with a line.
_WITH_LINE_END = "Basic " + base64.b64encode(b"somebody\n:").decode()

#: What was sent, in words, and what came.
Tried = tuple[str, Response]


def no_server_error(judge: Judge, requirement: str, tried: Iterator[Tried]) -> None:
    """Judge that no request is answered 5xx (but 501); one finding names all that are."""
    wrong = [(what, a) for what, a in tried if a.status >= SERVER_ERROR and a.status != NOT_IMPLEMENTED]
    actual = "; ".join(f"{describe([answer])} to {what}" for what, answer in wrong)
    judge(requirement, not wrong, "no server error (5xx)", *(answer for _, answer in wrong), actual=actual)


@verifies(FAULT)
def test_strange_references(repo: Repository, registry: Registry, setup: SetUp, judge: Judge) -> None:
    """A reference or digest that cannot be right is no server error, by whatever route it comes."""
    setup.image(repo)
    no_server_error(judge, FAULT, _references(repo, registry, setup))


def _references(repo: Repository, registry: Registry, setup: SetUp) -> Iterator[Tried]:
    for path in (
        "manifests/" + "a" * 300,
        "manifests/a%00b",
        "manifests/%ff%fe",
        "manifests/%2e%2e%2f",
        f"manifests/{INVENTED}",
        "blobs/sha256:" + "a" * 300,
        "blobs/sha256:%00",
        f"referrers/{INVENTED}",
    ):
        url = f"/v2/{repo.name}/{path}"
        yield f"GET {path[:60]}", registry.request("GET", url, headers=(("Accept", OCI_MANIFEST),))
    # What came is told in many errors, in more bytes than letters.
    yield "GET of a tag with letters beyond ASCII", repo.get_manifest("täg-łąkę", OCI_MANIFEST)
    if setup.read_only:
        return
    manifest = setup.unpushed_image([setup.blob(repo)])
    yield f"PUT manifests/{INVENTED}", repo.put_manifest(INVENTED, manifest.body)
    blob = setup.make.blob()
    yield f"POST blobs/uploads/?digest={INVENTED}", repo.upload_single(INVENTED, blob.content)
    yield f"PUT of an upload with digest={INVENTED}", repo.put_upload(setup.upload(repo), INVENTED, blob.content)
    yield f"POST blobs/uploads/?mount={INVENTED}", repo.mount(INVENTED, repo.name)


@verifies(STRANGE)
def test_strange_fields_and_parameters(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A meaningless parameter, field or body is refused or ignored, without a server error."""
    manifest = setup.image(repo)
    no_server_error(judge, STRANGE, _strange(repo, setup, manifest))


def _strange(repo: Repository, setup: SetUp, manifest: Manifest) -> Iterator[Tried]:
    for query in ("last=%00", "last=%ff", f"n={'9' * 20}"):
        yield f"tags/list?{query}", repo.registry.request("GET", f"/v2/{repo.name}/tags/list?{query}")
    reference = manifest.tag or manifest.digest
    for field in (("Accept", ";;=, /"), ("If-None-Match", "no, quotes"), ("If-Modified-Since", "yesterday")):
        yield ": ".join(field), repo.get_manifest(reference, headers=(field,))
    # Mirrors are asked so for the host that a name belongs to.
    query = f"manifests/{setup.make.tag()}?ns=example.com"
    yield query, repo.registry.request("GET", f"/v2/{repo.name}/{query}", headers=(("Accept", OCI_MANIFEST),))
    login = ("Authorization", _WITH_LINE_END)
    yield (
        "a login with a line end in its name",
        repo.registry.request("GET", "/v2/", headers=(login,), authenticate=False),
    )
    if setup.read_only:
        return
    for media_type in ("text/plain", "application/octet-stream; charset=binary"):
        yield (
            f"PATCH of an upload with Content-Type: {media_type}",
            repo.patch_upload(setup.upload(repo), setup.make.bytes(), media_type=media_type),
        )
    for media_type in ("nonsense", "; charset=utf-8"):
        yield (
            f"PUT of a manifest with Content-Type: {media_type}",
            repo.put_manifest(setup.make.tag(), manifest.body, media_type),
        )
    nothing = Manifest.of(docker_list([]), DOCKER_LIST)
    yield "PUT of a Docker list of nothing", repo.put_manifest(nothing.digest, nothing.body, DOCKER_LIST)
    for what, body in _bodies(manifest):
        yield f"PUT of a manifest with {what}", repo.put_manifest(setup.make.tag(), body)


def _bodies(manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    """Return manifests that a registry may take or refuse: RFC 8259 leaves that to the parser."""
    opened = manifest.body.rstrip()[:-1]
    yield "a member twice", opened + b', "schemaVersion": 2}'
    yield "no UTF-8", opened + b', "annotations": {"org.example.name": "\xff\xfe"}}'
    yield "a zero character", opened + b', "annotations": {"org.example.name": "a\\u0000b"}}'
    yield "arrays a thousand deep", opened + b', "org.example.deep": ' + b"[" * 1000 + b"]" * 1000 + b"}"
