"""The list of referrers: its form, and what stands in it."""

from __future__ import annotations

from typing import Any

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_INDEX, OCI_MANIFEST, Repository, next_link
from conformance.contract.wording import quoted
from conformance.scenarios.shared.artifacts import (
    ANNOTATIONS,
    CONFIG_TYPE,
    SBOM,
    SIGNATURE,
    listed,
    refer,
    refer_by_index,
)
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
from conformance.target.content import ANY_MANIFEST, EMPTY_TYPE, Descriptor, Manifest, image, index
from conformance.target.lists import HIDDEN, NOT_FOUND, OK, all_referrers, descriptors_of, member_of, referrer_pages
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, field_of, listing, told, verifies
from spec.model import Withheld

#: Bytes of a list with one large entry.
LARGE = 8 * 1024 * 1024
#: Bytes of the annotations of such an entry: above 4 MiB, and what registries have to take.
SIZES = (4_300_000, 3_900_000)
#: So many entries of a list are pulled.
SAMPLED = 5
STATUS = "DISC-REFERRERS-STATUS-200"
CREATED, NOT_MODIFIED = 201, 304
SHAPE = "DISC-REFERRERS-INDEX-SHAPE"
TYPE = "DISC-REFERRERS-CONTENT-TYPE"
COMPLETE = "DISC-REFERRERS-COMPLETE"
ONLY = "DISC-REFERRERS-ONLY-MATCHING-SUBJECT"
FIELDS = "DISC-REFERRERS-DESCRIPTOR-FIELDS"
OWN_TYPE = "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST"
FROM_CONFIG = "DISC-REFERRERS-ARTIFACTTYPE-CONFIG"
NOTES = "DISC-REFERRERS-ANNOTATIONS"
INDEX_LISTED = "DISC-REFERRERS-COMPLETE-INDEX"
OMITTED = "DISC-REFERRERS-ARTIFACTTYPE-INDEX-OMITTED"
EMPTY = "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY"
ABSENT = "DISC-REFERRERS-UNSUPPORTED-404"
UNKNOWN = "DISC-REFERRERS-UNKNOWN-REPO"
INVALID = "DISC-REFERRERS-INVALID-DIGEST-400"
BEFORE = "DISC-REFERRERS-BEFORE-SUBJECT"
ISOLATION = "DISC-REFERRERS-ISOLATION-REPO"


def _form(judge: Judge, answer: Response) -> None:
    """Judge the status and the form of a list of referrers."""
    judge.require_status(STATUS, answer, OK, when="to the referrers of a manifest that has some")
    judge(
        TYPE,
        answer.media_type == OCI_INDEX,
        f"Content-Type: {OCI_INDEX}",
        answer,
        actual=field_of(answer, "Content-Type"),
    )
    document: dict[str, Any] = answer.json if isinstance(answer.json, dict) else {}
    manifests = document.get("manifests")
    held = (
        document.get("schemaVersion") == 2
        and document.get("mediaType", OCI_INDEX) == OCI_INDEX
        and isinstance(manifests, list)
        and all(isinstance(entry, dict) for entry in manifests)
    )
    actual = ", ".join(member_of(answer, name) for name in ("schemaVersion", "mediaType", "manifests"))
    judge.require(SHAPE, held, "an image index with an array of manifests", answer, actual=actual)


def _entry(judge: Judge, requirement: str, answer: Response, entry: dict[str, Any], **wanted: Any) -> None:
    """Judge members of a descriptor."""
    for name, value in wanted.items():
        found = entry.get(name)
        actual = f"{name} was {quoted(found)}" if name in entry else f"there was no {name}"
        judge(requirement, found == value, f"{name} {quoted(value)}", answer, actual=actual)


def _described(
    judge: Judge, answer: Response, found: dict[str, dict[str, Any]], typed: Manifest, plain: Manifest
) -> None:
    """Judge that a list describes a referrer with an artifactType, and one without, as they were pushed."""
    for manifest in (typed, plain):
        _entry(judge, FIELDS, answer, found[manifest.digest], **manifest.descriptor())
    _entry(judge, OWN_TYPE, answer, found[typed.digest], artifactType=SBOM)
    _entry(judge, FROM_CONFIG, answer, found[plain.digest], artifactType=CONFIG_TYPE)
    _noted(judge, answer, found[typed.digest], ANNOTATIONS)


def _noted(judge: Judge, answer: Response, entry: dict[str, Any], wanted: dict[str, str]) -> None:
    """Judge that a descriptor has annotations, others beside them or not; those that are told are the ones amiss."""
    found = entry.get("annotations")
    notes = found if isinstance(found, dict) else {}
    amiss = {key: value for key, value in wanted.items() if notes.get(key) != value}
    shown = {key: notes[key] for key in amiss if key in notes}
    actual = f"they were {quoted(shown)}" if isinstance(found, dict) else f"annotations was {quoted(found)}"
    judge(NOTES, not amiss, f"the annotations {quoted(amiss)}", answer, actual=actual)


def _of_a_referrer(judge: Judge, repo: Repository, referrer: Manifest, own: Manifest) -> None:
    """Judge that a referrer has referrers, too."""
    answer = repo.referrers(referrer.digest)
    there = own.digest in [entry.get("digest") for entry in descriptors_of(answer)]
    judge(COMPLETE, there, "what refers to a referrer, in the list of that", answer)


def _without_layers(repo: Repository, setup: SetUp, subject: Descriptor) -> str:
    """Push an artifact without a layer, which a registry may refuse; return its digest if it is there."""
    config = setup.blob(repo, b"{}").descriptor(EMPTY_TYPE)
    document = image(config, [], subject=subject, artifactType=SBOM)
    manifest = Manifest.of(document, OCI_MANIFEST)
    pushed = repo.put_manifest(manifest.digest, manifest.body, manifest.media_type)
    return manifest.digest if pushed.status == CREATED else ""


@verifies(STATUS, TYPE, SHAPE, COMPLETE, ONLY, FIELDS, OWN_TYPE, FROM_CONFIG, NOTES)
def test_referrers_of_an_image(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """The list has each manifest with that subject once, described as pushed, and nothing else."""
    if setup.read_only:
        _existing(repo, setup, judge)
        return
    subject = setup.image(repo)
    target = subject.descriptor()
    typed = refer(
        repo, setup, target, setup.make.tag(), artifactType=SBOM, config_type=CONFIG_TYPE, annotations=ANNOTATIONS
    )
    setup.manifest(repo, typed, setup.make.tag())
    early = repo.referrers(subject.digest).header("ETag") or ""
    plain = refer(repo, setup, target, config_type=CONFIG_TYPE)
    farther = refer(repo, setup, typed.descriptor(), artifactType=SBOM)
    bare = _without_layers(repo, setup, target)
    # An index that lists a referrer takes it from nobody, whether it is accepted or not.
    beside = Manifest.of(index([plain.descriptor()]), OCI_INDEX)
    repo.put_manifest(beside.digest, beside.body, OCI_INDEX)
    if settings.settle:
        settings.wait(
            lambda: {typed.digest, plain.digest} <= {e.get("digest") for e in all_referrers(repo, subject.digest)}
        )
    answer = repo.referrers(subject.digest)
    _form(judge, answer)
    for digest in (subject.digest, setup.make.digest()):
        for accept in (OCI_INDEX, "*/*", f"{OCI_INDEX}, application/json"):
            asked = repo.referrers(digest, headers=(("Accept", accept),))
            actual = f"{told(asked, 'Content-Type')} to Accept: {accept}"
            if asked.status != OK and digest != subject.digest:
                # A scenario of its own judges what has no referrers.
                continue
            judge(TYPE, asked.media_type == OCI_INDEX, f"Content-Type: {OCI_INDEX}", asked, actual=actual)
    entries = descriptors_of(answer) if "Link" not in answer.headers else all_referrers(repo, subject.digest)
    digests = [entry.get("digest") for entry in entries]
    strange = sorted({str(d) for d in digests} - {typed.digest, plain.digest} - ({bare} if bare else set()))
    named = ", ".join("the referrer's own referrer" if d == farther.digest else d for d in strange)
    judge(ONLY, not strange, "only manifests with that subject", answer, actual=f"it had {named}")
    counts = [digests.count(manifest.digest) for manifest in (typed, plain)]
    judge.require(
        COMPLETE,
        counts == [1, 1],
        "each referrer once",
        answer,
        actual=f"they were listed {counts[0]} times and {counts[1]} times",
    )
    if not settings.settle:
        _of_a_referrer(judge, repo, typed, farther)
        judge(COMPLETE, not bare or bare in digests, "a referrer whose array of layers is empty, too", answer)
    found = {str(entry.get("digest")): entry for entry in entries}
    _described(judge, answer, found, typed, plain)
    if bare in found:
        _entry(judge, OWN_TYPE, answer, found[bare], artifactType=SBOM)
    wanted = {typed.digest, plain.digest}
    _changed(judge, repo, subject, answer, early=early, beside=beside, wanted=wanted)


def _changed(
    judge: Judge,
    repo: Repository,
    subject: Manifest,
    answer: Response,
    *,
    early: str,
    beside: Manifest,
    wanted: set[str],
) -> None:
    """Judge the list when the tag of the subject leads to another manifest, asked for by the ETag of a shorter one."""
    moved = repo.put_manifest(subject.tag or "", beside.body, OCI_INDEX)
    asked = repo.referrers(subject.digest, headers=(("If-None-Match", early),) if early else ())
    expected = "the list, as it has one referrer more than that with this ETag"
    judge(COMPLETE, not early or asked.status != NOT_MODIFIED, expected, answer, asked)
    if not moved.ok or not asked.ok:
        # A target may hold tags for immutable.
        return
    entries = descriptors_of(asked) if "Link" not in asked.headers else all_referrers(repo, subject.digest)
    missing = wanted - {str(entry.get("digest")) for entry in entries}
    # What has no tag may be collected, and its referrers with it.
    if missing and repo.head_manifest(subject.digest, ANY_MANIFEST).ok:
        expected = "each referrer of a manifest whose only tag moved to another one"
        judge(COMPLETE, False, expected, moved, asked, actual=f"{listing(sorted(missing))} lacked")


def _existing(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Judge the list of referrers in which an artifact that is there already has to stand."""
    item = setup.existing.find(repo.name, "artifact with a subject", lambda item: item.subject)
    answer = repo.referrers(item.subject)
    _form(judge, answer)
    pages = referrer_pages(repo, item.subject)
    digests = [str(entry.get("digest")) for page in pages for entry in descriptors_of(page)]
    manifest = item.manifest
    times = digests.count(manifest.digest)
    judge.require(COMPLETE, times == 1, f"{manifest.digest} once", *pages, actual=f"it was listed {times} times")
    entry = next(e for page in pages for e in descriptors_of(page) if e.get("digest") == manifest.digest)
    _entry(judge, FIELDS, answer, entry, **manifest.descriptor())
    document = manifest.document
    config = document.get("config")
    if isinstance(document.get("artifactType"), str):
        _entry(judge, OWN_TYPE, answer, entry, artifactType=document["artifactType"])
    elif isinstance(config, dict):
        _entry(judge, FROM_CONFIG, answer, entry, artifactType=config.get("mediaType"))
    if notes := document.get("annotations"):
        _noted(judge, answer, entry, notes)
    for other in list(dict.fromkeys(digests))[:SAMPLED]:
        found = repo.get_manifest(other, ANY_MANIFEST)
        subject = found.json.get("subject") if isinstance(found.json, dict) else None
        named = subject.get("digest") if isinstance(subject, dict) else None
        actual = f"the subject of {other} was {named}"
        judge(
            ONLY, found.status != OK or named == item.subject, "only manifests with that subject", found, actual=actual
        )
    for requirement in (OWN_TYPE, FROM_CONFIG, NOTES):
        if requirement not in judge.judgements:
            judge.not_tested(requirement, "--existing names no artifact of the kind", Withheld.CONTENT)


@verifies(INDEX_LISTED, OMITTED, OWN_TYPE)
def test_referrers_that_are_indexes(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """An index with a subject is listed as well, with its artifactType or with none."""
    subject = setup.image(repo)
    plain = refer_by_index(repo, subject.descriptor(), subject)
    typed = refer_by_index(repo, subject.descriptor(), subject, artifactType=SIGNATURE)
    empty = Manifest.of(index([], subject=subject.descriptor(), artifactType=SIGNATURE), OCI_INDEX)
    pushed = repo.put_manifest(empty.digest, empty.body, OCI_INDEX)
    wanted = [plain, typed, *([empty] if pushed.status == CREATED else [])]
    found = listed(repo, subject.digest, settings, *wanted)
    answer = repo.referrers(subject.digest)
    missing = [m.digest for m in wanted if m.digest not in found]
    judge.require(
        INDEX_LISTED, not missing, "each index with that subject", answer, actual=f"{', '.join(missing)} lacked"
    )
    held = "artifactType" not in found[plain.digest]
    shown = f"it was {quoted(found[plain.digest].get('artifactType'))}"
    judge(OMITTED, held, "no artifactType for an index that has none", answer, actual=shown)
    _entry(judge, OWN_TYPE, answer, found[typed.digest], artifactType=SIGNATURE)


@verifies(EMPTY, ABSENT)
def test_referrers_where_there_are_none(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities
) -> None:
    """Without referrers the list is empty; a registry that does not list referrers answers 404."""
    subject = setup.image(repo)
    if not setup.read_only:
        refer(repo, setup, subject.descriptor())
    known = repo.referrers(subject.digest)
    if known.status in HIDDEN and capabilities.has("referrers"):
        judge.stop(STATUS)
    if known.status in HIDDEN:
        raise Unsupported(f"access control refuses the referrers (status {known.status})")
    if known.status != OK:
        judge.unsupported(EMPTY, f"the target has no referrers API (status {known.status})")
        if known.refused:
            judge.status(ABSENT, known, NOT_FOUND, when="to the referrers of a manifest, or 200 with the list")
        else:
            judge.inconclusive(ABSENT, f"blocked by {STATUS}")
        return
    judge.unsupported(ABSENT, "the target has the referrers API")
    asked = [(repo, setup.make.digest(), "an unknown digest")]
    if not setup.read_only:
        asked.insert(0, (repo, setup.another(repo, subject).digest, "a manifest without referrers"))
        blob = setup.blob(other_repo)
        asked.append((other_repo, blob.digest, "a digest where there are blobs alone"))
    for where, digest, kind in asked:
        answer = where.referrers(digest)
        manifests = answer.json.get("manifests") if isinstance(answer.json, dict) else None
        held = answer.status == OK and not manifests
        judge(EMPTY, held, f"status 200 and an empty list for {kind}", answer)
        filtered = where.referrers(digest, SBOM)
        judge(EMPTY, filtered.status == OK, f"status 200 to a filtered list of the referrers of {kind}", filtered)
        if held and manifests is None:  # what stands in the place of the empty array is the form's matter
            raise Undecided(f"blocked by {SHAPE}")


@verifies(UNKNOWN, INVALID, SHAPE, ONLY)
def test_referrers_of_what_cannot_have_any(
    repo: Repository, unknown_repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities
) -> None:
    """A malformed digest is refused; an unknown repository has no referrers, in one of two ways."""
    setup.image(repo)
    # The length of a digest is that of its own algorithm.
    other = [f"sha512:{'a' * 64}"] if capabilities.has("sha512") else []
    for digest in (f"sha256:{'z' * 64}", "sha256:", *other):
        judge.status(INVALID, repo.referrers(digest), 400, when="to a malformed digest")
    empty = repo.referrers(setup.make.digest())
    if empty.status == OK:
        manifests = empty.json.get("manifests") if isinstance(empty.json, dict) else None
        judge(SHAPE, isinstance(manifests, list), "an array of manifests, also when it is empty", empty)
    else:
        judge.unsupported(SHAPE, "there is no empty list to look at")
    judge.unsupported(ONLY, "no list has entries here")
    answer = unknown_repo.referrers(setup.make.digest())
    if answer.status in HIDDEN:
        judge.unsupported(UNKNOWN, f"access control hides unknown repositories (status {answer.status})")
        return
    manifests = answer.json.get("manifests") if isinstance(answer.json, dict) else None
    if answer.status == OK and manifests:
        judge(ONLY, False, "no referrers in a repository that does not exist", answer)
    held = answer.status == NOT_FOUND or (answer.status == OK and not manifests)
    judge(UNKNOWN, held, "status 404, or 200 with an empty list", answer)


@verifies(BEFORE)
def test_referrer_before_its_subject(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A referrer is listed before its subject is there, and stays when it comes."""
    subject: Manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    early = refer(repo, setup, subject.descriptor(), artifactType=SBOM)
    for when in ("before", "after"):
        answer = _settled(repo, subject.digest, settings, early)
        found = [str(entry.get("digest")) for entry in descriptors_of(answer, BEFORE)]
        actual = f"the list was {listing(found)}"
        judge(BEFORE, found == [early.digest], f"the referrer alone, {when} its subject", answer, actual=actual)
        if when == "before":
            setup.manifest(repo, subject, setup.make.tag())


def _settled(repo: Repository, subject: str, settings: Settings, wanted: Manifest) -> Response:
    """Return the referrers of a subject when the wanted one is there, or after the settle time."""
    return settings.ask(lambda: repo.referrers(subject), lambda answer: wanted.digest.encode() in answer.body)


@verifies(ISOLATION)
def test_referrers_in_another_repository(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """A referrer counts in its own repository alone."""
    subject = setup.image(repo)
    for blob in subject.blobs:
        setup.blob(other_repo, blob)
    setup.manifest(other_repo, subject, setup.make.tag())
    mine = refer(repo, setup, subject.descriptor())
    if mine.digest not in listed(repo, subject.digest, settings, mine):
        raise Undecided(f"blocked by {COMPLETE}")
    answer = other_repo.referrers(subject.digest)
    strange = [str(entry.get("digest")) for entry in descriptors_of(answer)]
    judge(
        ISOLATION,
        mine.digest not in strange,
        "no referrer of another repository",
        answer,
        actual=f"it had {listing(strange)}",
    )


@verifies(COMPLETE)
def test_referrer_with_large_annotations(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A referrer whose descriptor alone fills an answer is listed, by a Link or without."""
    subject = setup.image(repo)
    for size in SIZES:
        notes = {"org.example.filler": "x" * size}
        manifest = setup.unpushed_image([subject.blobs[0]], subject=subject.descriptor(), annotations=notes)
        pushed = repo.put_manifest(manifest.digest, manifest.body, manifest.media_type)
        if pushed.status == CREATED:
            break
    else:
        raise Unsupported(f"a manifest of {len(manifest.body)} bytes was not accepted (status {pushed.status})")
    wanted = manifest.digest.encode()
    pages = [settings.ask(lambda: repo.referrers(subject.digest, max_body=LARGE), lambda page: wanted in page.body)]
    while wanted not in pages[-1].body and (target := next_link(pages[-1])) and len(pages) < SAMPLED:
        pages.append(repo.registry.request("GET", target, max_body=LARGE))
    actual = f"{len(pages)} pages without it came, {field_of(pages[-1], 'Link')}"
    expected = f"a referrer with annotations of {size} bytes in the list"
    judge(COMPLETE, wanted in pages[-1].body, expected, pushed, *pages, actual=actual)
