"""GET of manifests that are there."""

from __future__ import annotations

import json

from conformance.client.digests import is_digest_of, well_formed
from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_MANIFEST, Repository
from conformance.scenarios.shared.pull_answers import DIGEST, digest_headers, judge_decoded, judge_type
from conformance.target.content import Manifest
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, content_of, declined, verifies
from spec.model import Withheld

#: Characters that make a manifest longer than what servers leave unpacked.
LONG = 20_000


def _type_of(manifest: Manifest) -> str:
    declared = manifest.document.get("mediaType")
    return declared if isinstance(declared, str) else manifest.media_type


@verifies(
    "PULL-MANIFEST-GET-TAG-200",
    "PULL-MANIFEST-GET-CONTENT-TYPE",
    "PULL-MANIFEST-GET-CONTENT-TYPE-BARE",
    "PULL-MANIFEST-GET-CONTENT-LENGTH",
    "PULL-MANIFEST-GET-DCD",
    "PULL-MANIFEST-GET-DCD-TRUE",
    "BASE-DIGEST-HEADER-GRAMMAR",
)
def test_get_by_tag(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest is pulled by its tag, and its headers tell of it truly."""
    manifest = setup.image(repo)
    tag = manifest.tag or manifest.digest
    answer = setup.read_manifest(repo, tag, manifest.media_type)
    judge.require_status("PULL-MANIFEST-GET-TAG-200", answer, 200)
    wanted = _type_of(manifest)
    judge_type(judge, "PULL-MANIFEST-GET-CONTENT-TYPE", answer, wanted)
    judge.header(
        "PULL-MANIFEST-GET-CONTENT-TYPE-BARE",
        answer,
        "Content-Type",
        lambda value: ";" not in value,
        "a Content-Type without parameters",
    )
    judge.header(
        "PULL-MANIFEST-GET-CONTENT-LENGTH",
        answer,
        "Content-Length",
        str(len(answer.body)),
    )
    judge.header("PULL-MANIFEST-GET-DCD", answer, DIGEST)
    judge_digest(judge, "PULL-MANIFEST-GET-DCD-TRUE", answer)


def judge_digest(judge: Judge, requirement: str, answer: Response) -> None:
    """Judge the digest header of a whole answer: its grammar, and its truth (``requirement``)."""
    values = digest_headers(answer)
    if not values:
        judge.unsupported(requirement, f"there is no {DIGEST} header")
        judge.unsupported("BASE-DIGEST-HEADER-GRAMMAR", f"there is no {DIGEST} header")
        return
    judge(
        "BASE-DIGEST-HEADER-GRAMMAR",
        all(map(well_formed, values)),
        "a well-formed digest",
        answer,
        actual=f"{DIGEST}: {', '.join(values)}",
    )
    for value in values:
        true = is_digest_of(value, answer.body)
        if true is None:
            judge.unsupported(requirement, f"the algorithm of {value} is not known here")
        else:
            judge(requirement, true, f"a {DIGEST} that is true of the body", answer, actual=f"{DIGEST}: {value}")


@verifies("PULL-MANIFEST-GET-DIGEST-200", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY", "PULL-TYPE-OCI-IMAGE")
def test_get_by_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest that was pushed by tag is pulled by its digest, unchanged and under its type."""
    manifest = setup.image(repo)
    answer = setup.read_manifest(repo, manifest.digest, manifest.media_type)
    judge.require_status("PULL-MANIFEST-GET-DIGEST-200", answer, 200)
    judge(
        "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
        answer.content_digest() == manifest.digest,
        f"a body with the digest {manifest.digest}",
        answer,
        actual=f"its digest was {answer.content_digest()}",
    )
    if manifest.media_type != OCI_MANIFEST:
        judge.not_tested("PULL-TYPE-OCI-IMAGE", "--existing names no OCI image manifest", Withheld.CONTENT)
        return
    judge(
        "PULL-TYPE-OCI-IMAGE",
        answer.body == manifest.body and answer.media_type == OCI_MANIFEST,
        f"the pushed bytes under {OCI_MANIFEST}",
        answer,
        actual=f"{len(answer.body)} bytes with the digest {answer.content_digest()} under {answer.media_type}",
    )


def _odd_image(setup: SetUp, repo: Repository) -> Manifest:
    """Make an image manifest with odd spacing, order and escapes and a final newline."""
    plain = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    document = dict(reversed(plain.document.items()))
    body = json.dumps(document, indent="\t", separators=(" ,", " :  ")).encode() + b"\r\n\n"
    return Manifest.of(body.replace(b'"layers"', b'"l\\u0061yers"'), OCI_MANIFEST)


@verifies("PULL-MANIFEST-GET-BODY-EXACT", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY")
def test_get_of_unusual_bytes(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest comes back byte for byte, however its JSON is laid out."""
    manifest = _odd_image(setup, repo)
    tag = setup.make.tag()
    pushed = repo.put_manifest(tag, manifest.body, manifest.media_type)
    if pushed.status != 201:
        raise Undecided(f"a manifest of unusual layout was not accepted (status {pushed.status})", pushed)
    answer = setup.pulled_manifest(repo, tag, OCI_MANIFEST)
    came = f"{len(answer.body)} bytes with the digest {answer.content_digest()}"
    wanted = f"the {len(manifest.body)} bytes that were pushed, digest {manifest.digest}"
    judge("PULL-MANIFEST-GET-BODY-EXACT", answer.body == manifest.body, wanted, answer, actual=came)
    answer = setup.pulled_manifest(repo, manifest.digest, OCI_MANIFEST)
    judge(
        "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
        answer.content_digest() == manifest.digest,
        f"a body with the digest {manifest.digest}",
        answer,
        actual=f"its digest was {answer.content_digest()}",
    )


@verifies("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED")
def test_get_of_a_manifest_without_media_type(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest without a mediaType member is pulled under the type that it was pushed under."""
    document = setup.unpushed_image([setup.blob(repo, setup.make.config())]).document
    del document["mediaType"]
    manifest = Manifest.of(document, OCI_MANIFEST)
    tag = setup.make.tag()
    pushed = repo.put_manifest(tag, manifest.body, manifest.media_type)
    if pushed.status != 201:
        raise declined(pushed, "a manifest without mediaType was not accepted")
    answer = setup.pulled_manifest(repo, tag, OCI_MANIFEST)
    judge_type(judge, "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED", answer, OCI_MANIFEST)
    again = setup.pulled_manifest(repo, manifest.digest, OCI_MANIFEST)
    judge_type(judge, "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED", again, OCI_MANIFEST)


@verifies("PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE", "PULL-MANIFEST-GET-TAG-200")
def test_get_of_a_manifest_of_an_unknown_type(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest of a possibly unknown type is pulled under the type that it names itself."""
    kind = "application/vnd.example.manifest.v1+json"
    image = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    manifest = Manifest.of(image.document | {"mediaType": kind}, kind)
    tag = setup.make.tag()
    pushed = repo.put_manifest(tag, manifest.body, kind)
    if pushed.status != 201:
        raise declined(pushed, "a manifest of an unknown type was not accepted")
    answer = setup.read_manifest(repo, tag, kind)
    judge.require_status("PULL-MANIFEST-GET-TAG-200", answer, 200, when="to the GET of a manifest that was accepted")
    judge_type(judge, "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE", answer, kind)


@verifies("PULL-MANIFEST-TAG-DIGEST-AGREE")
def test_get_by_two_tags_and_digest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Two tags and the digest of a manifest give the same bytes, type and digest."""
    if setup.read_only:
        manifest = setup.existing.find(repo.name, "tag", lambda item: item.manifest.tag).manifest
        references = [manifest.tag or "", manifest.digest]
    else:
        references = [setup.make.tag(), setup.make.tag()]
        manifest = setup.tags(repo, *references)
        references.append(manifest.digest)
    answers = [setup.pulled_manifest(repo, reference, manifest.media_type) for reference in references]
    same = {(a.body, a.media_type, a.header(DIGEST)) for a in answers}
    judge("PULL-MANIFEST-TAG-DIGEST-AGREE", len(same) == 1, "the same bytes, Content-Type and digest", *answers)


@verifies("PULL-MANIFEST-GET-CODING-TRUE")
def test_get_by_a_client_that_takes_codings(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest comes as it is, or coded as its Content-Encoding says."""
    # Servers pack what is long.
    manifest = setup.image(repo) if setup.read_only else setup.image(repo, annotations={"org.example.long": "x" * LONG})
    for coding in ("gzip", "deflate", "br, zstd"):
        headers = (("Accept-Encoding", coding),)
        answer = repo.get_manifest(manifest.digest, manifest.media_type, headers=headers)
        if answer.status != 200:
            raise Undecided(f"the manifest came with status {answer.status}")
        judge_decoded(judge, "PULL-MANIFEST-GET-CODING-TRUE", answer, manifest.body)
    # What comes packed to one client is not for each that asks behind it.
    plain = repo.get_manifest(manifest.digest, manifest.media_type)
    expected = "the manifest as it was pushed, to a client that takes no coding"
    held = plain.status != 200 or plain.body == manifest.body
    judge.beside("PULL-MANIFEST-GET-BODY-EXACT", held, expected, answer, plain, actual=content_of(plain))
    # Some clients send it with each request.
    typed = repo.get_manifest(manifest.digest, manifest.media_type, headers=(("Content-Type", "application/json"),))
    expected = "status 200 to a pull whose request has a Content-Type, as without"
    judge.beside("PULL-MANIFEST-GET-DIGEST-200", typed.status == plain.status, expected, plain, typed)
