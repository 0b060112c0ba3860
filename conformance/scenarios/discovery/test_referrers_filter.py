"""Filters and pages of the referrers, and the tag that stands in for them."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_INDEX, Repository, next_link
from conformance.scenarios.shared.artifacts import CONFIG_TYPE, LIKE_SBOM, SBOM, SIGNATURE, listed, refer
from conformance.settings import Settings
from conformance.target.content import Manifest, index
from conformance.target.lists import descriptors_of, referrer_pages
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, field_of, verifies

APPLIED = "OCI-Filters-Applied"
SUPPORTED = "DISC-REFERRERS-FILTER-SUPPORTED"
MATCHING = "DISC-REFERRERS-FILTER-ONLY-MATCHING"
HEADER = "DISC-REFERRERS-FILTER-HEADER"
HONEST = "DISC-REFERRERS-FILTER-HEADER-HONEST"
PAGES = "DISC-REFERRERS-LINK-PAGES"
TAG = "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE"
#: Referrers with annotations of this many bytes fill a page of 4 MiB soon.
MANY = 120
LARGE = 40_000


def _says_so(answer: Response) -> bool:
    """Return whether an answer claims that the filter was applied."""
    return "artifactType" in [word.strip() for word in (answer.header(APPLIED) or "").split(",")]


@verifies(SUPPORTED, MATCHING, HEADER, HONEST)
def test_filter_by_artifact_type(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A list that is filtered says so and holds what matches; one that is not does not say so."""
    subject = setup.image(repo)
    # Two of one type: a registry that lists one at a time has to keep the filter in its Link.
    sboms = [refer(repo, setup, subject.descriptor(), artifactType=SBOM) for _ in range(2)]
    config = refer(repo, setup, subject.descriptor(), config_type=CONFIG_TYPE)
    like = refer(repo, setup, subject.descriptor(), artifactType=LIKE_SBOM)
    of_type = {sbom.digest for sbom in sboms}
    everything = {*of_type, config.digest, like.digest}
    # Before any whole list: a registry that keeps lists without their filter gives this one for that.
    repo.referrers(subject.digest, SBOM)
    plain = repo.referrers(subject.digest)
    judge(HONEST, not _says_so(plain), f"no {APPLIED} where no filter was asked for", plain)
    if set(listed(repo, subject.digest, settings, *sboms, config, like)) != everything:
        raise Undecided("blocked by DISC-REFERRERS-COMPLETE")
    whole = []
    # The first was asked for before: what a list was filtered by is told of the answer that a registry has kept, too.
    for wanted, expected in ((SBOM, of_type), (CONFIG_TYPE, {config.digest}), (SIGNATURE, set())):
        answer = repo.referrers(subject.digest, wanted)
        found = {str(entry.get("digest")) for page in _walk(repo, answer) for entry in descriptors_of(page, MATCHING)}
        shown = f"{len(found)} of {len(everything)} referrers, {field_of(answer, APPLIED)}"
        whole += [wanted] if found == everything else []
        if found != everything:
            judge(HEADER, _says_so(answer), f"{APPLIED}: artifactType on a filtered list", answer, actual=shown)
        if _says_so(answer):
            judge(HONEST, found != everything, f"a list filtered by {wanted}, as the header says", answer, actual=shown)
            judge(MATCHING, found == expected, f"{len(expected)} referrers of type {wanted}", answer, actual=shown)
    filtered = "a list filtered by every artifactType"
    judge(SUPPORTED, not whole, filtered, answer, actual=f"all referrers came for {' and '.join(dict.fromkeys(whole))}")
    for requirement in (HEADER, MATCHING):
        if requirement not in judge.judgements:
            judge.unsupported(requirement, "no list was filtered, or none said so")


def _walk(repo: Repository, first: Response) -> list[Response]:
    pages = [first]
    while (following := repo.follow_link(pages[-1], "referrers.list")) is not None and len(pages) < 10:
        pages.append(following)
    return pages


@verifies(PAGES)
def test_many_referrers(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A list that is given in pages leads by Links to every referrer, each once."""
    thorough = settings.effort == "thorough"
    subject = setup.image(repo)
    filler = "x" * (LARGE if thorough else 1)
    pushed = [
        refer(repo, setup, subject.descriptor(), annotations={"filler": filler, "number": str(number)})
        for number in range(MANY if thorough else 3)
    ]
    listed(repo, subject.digest, settings, *pushed)
    pages = referrer_pages(repo, subject.digest)
    if next_link(pages[0]) is None:
        raise Unsupported("the whole list came in one answer")
    digests = [str(entry.get("digest")) for page in pages for entry in descriptors_of(page)]
    held = sorted(digests) == sorted(manifest.digest for manifest in pushed)
    actual = f"{len(digests)} entries, {len(set(digests))} of them different"
    judge(PAGES, held, f"each of {len(pushed)} referrers once over all pages", *pages, actual=actual)


@verifies(TAG)
def test_tag_in_place_of_referrers(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A tag of the referrers tag schema can be pushed, for a full and an empty index."""
    child = setup.image(repo)
    subject = setup.make.digest()
    tag = subject.replace(":", "-")
    for entries in ([child.descriptor(artifactType=SBOM)], []):
        manifest = Manifest.of(index(entries), OCI_INDEX)
        answer = repo.put_manifest(tag, manifest.body, OCI_INDEX)
        if not entries and answer.refused:  # a target may hold tags for immutable
            return
        if not judge.status(TAG, answer, 201, when="to the push of an index under a referrers tag"):
            return
        pulled = setup.read_manifest(repo, tag, OCI_INDEX, manifest.body)
        judge.gives(TAG, pulled, manifest.body, "the index that was pushed", answer)
