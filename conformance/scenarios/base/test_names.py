"""Names of repositories: the grammar's edges, what lies outside it, and its length."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_MANIFEST, Repository, upload_location
from conformance.scenarios.shared.upload_steps import leads_to
from conformance.settings import NAMESPACE, Settings
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, status_of, told, verifies

USABLE = {
    "BASE-NAME-PLAIN": ("0/a",),
    "BASE-NAME-SINGLE-SEPARATOR": ("a.b_c-d/b-0",),
    "BASE-NAME-REPEATED-SEPARATOR": ("a__b/a---b",),
    "BASE-NAME-ROUTE-WORDS": ("blobs", "manifests", "tags", "uploads", "referrers"),
}
#: Names like /s-t.u_v/w, which a careless registry may keep in the same place.
ALIKE = (
    *("/s/t.u_v/w", "-s-t.u_v/w", "/s-t-u_v/w", "/s-t.u-v/w", "/s-t.u__v/w", "/s--t.u_v/w", "/s-t.u_v-w", "/st.u_v/w"),
    *("/s-t.u_v", "/s-t.u_v/w/w", "/s-t.u_v/x", "/w"),
)
KEPT = "BASE-NAME-ACCEPTED-KEPT"
OTHER = "PULL-MANIFEST-OTHER-REPO-TAG"
LOCATED = "PUSH-MANIFEST-LOCATION-PULLABLE"
TAGGED, LISTED = "PULL-MANIFEST-GET-TAG-200", "DISC-TAGS-STATUS-200"
CREATED, ACCEPTED = 201, 202
LONGEST = 255


def _use(repo: Repository, setup: SetUp, judge: Judge) -> tuple[str, list[Response]]:
    """Push a blob under a name and judge its pull; return the push's failure and the answers."""
    start = repo.start_upload()
    location = upload_location(start)
    if start.status != 202 or location is None:
        return f"the start of an upload had {told(start, 'Location')}", [start]
    blob = setup.make.blob()
    closed = repo.put_upload(location, blob.digest, blob.content)
    if closed.status != 201:
        return f"the PUT of a blob had {status_of(closed)}", [start, closed]
    answer = setup.read_blob(repo, blob.digest)
    judge.gives(KEPT, answer, blob.content, f"the blob that was accepted in {repo.name}", start, closed)
    return "", []


def _lead(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Push a manifest, and judge where its Location leads: a word of the routes is part of its name."""
    manifest = setup.unpushed_image([setup.blob(repo, setup.make.config())])
    pushed = repo.put_manifest(setup.make.tag(), manifest.body)
    if pushed.status == CREATED:
        leads_to(judge, LOCATED, pushed, manifest, repo=repo)


@verifies(*USABLE, KEPT, LOCATED)
def test_names_within_the_grammar(repository: Repositories, setup: SetUp, judge: Judge) -> None:
    """A name that fits the grammar can be pushed to and pulled from."""
    parent = f"{repository.own_name}/n"
    for requirement, names in USABLE.items():
        for last in names:
            repo = repository.named(f"{parent}/{last}")
            wrong, answers = _use(repo, setup, judge)
            for answer in answers[-1:]:
                judge.granted(answer)
            judge(requirement, not wrong, f"a blob accepted in {repo.name}", *answers, actual=wrong)
            if not wrong and last == "manifests":
                _lead(repo, setup, judge)
    if LOCATED not in judge.judgements:
        judge.unsupported(LOCATED, "no manifest was accepted under any of the names")
    if KEPT not in judge.judgements:
        judge.unsupported(KEPT, "no blob was accepted under any of the names")


@verifies("BASE-NAME-REJECT-UPPERCASE", "BASE-NAME-INVALID-400", "BASE-NAME-REJECT-SEPARATORS")
def test_names_outside_the_grammar(repository: Repositories, setup: SetUp, judge: Judge) -> None:
    """A name outside the grammar is refused."""
    parent = f"{repository.own_name}/n"
    upper = repository.named(f"{parent}/Upper")
    for answer in (upper.get_manifest(setup.make.tag(), OCI_MANIFEST), upper.get_blob(setup.make.digest())):
        judge.refused("BASE-NAME-REJECT-UPPERCASE", answer, when="to a name in upper case")
        codes = answer.error_codes
        judge(
            "BASE-NAME-INVALID-400",
            answer.status == 400 and (codes is None or "NAME_INVALID" in codes),
            "status 400 with NAME_INVALID",
            answer,
        )
    judge.refused("BASE-NAME-REJECT-UPPERCASE", upper.start_upload(), when="to a name in upper case")
    for last in ("-a", "a.", "a._b", "a___b"):
        repo = repository.named(f"{parent}/{last}")
        judge.refused("BASE-NAME-REJECT-SEPARATORS", repo.start_upload(), when=f"to a name that ends in /{last}")


@verifies(TAGGED, LISTED)
def test_name_with_an_encoded_letter(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A letter of a name means the same when it is percent-encoded (RFC 3986, 6.2.2.2)."""
    manifest = setup.image(repo)
    path = f"/v2/{repo.name[:-1]}%{ord(repo.name[-1]):02X}"
    parameters = {"name": repo.name, "reference": manifest.tag or ""}
    headers = (("Accept", manifest.media_type),)
    pulled = repo.registry.request(
        "GET", f"{path}/manifests/{manifest.tag}", operation="manifest.get", parameters=parameters, headers=headers
    )
    when = f"to {path}/..., where the last letter of {repo.name} is encoded"
    judge.require_status(TAGGED, pulled, 200, when=when)
    listed = repo.registry.request("GET", f"{path}/tags/list", operation="tags.list", parameters={"name": repo.name})
    judge.status(LISTED, listed, 200, when=when)


@verifies(OTHER)
def test_names_that_are_alike(repository: Repositories, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A tag is unknown in repositories whose names differ from that of its own in a separator, or in a component."""
    parent = f"{repository.own_name}/n"
    repo = repository.named(f"{parent}/s-t.u_v/w")
    tag = setup.make.tag()
    setup.image(repo, tag)
    for alike in ALIKE:
        answer = repository.named(f"{parent}{alike}").get_manifest(tag, OCI_MANIFEST)
        judge.refused(OTHER, answer, f"to the tag in {parent}{alike}, which nobody pushed to")
    if settings.namespace == NAMESPACE:
        # Clients take a first component with a dot for a host.
        host = repository.named(f"{NAMESPACE}-{settings.run_id}.example.com/{parent}/host")
        if host.start_upload().status == ACCEPTED:  # which first components there may be is the registry's
            setup.image(host, tag)
            answer = repository.named(f"{parent}/host").get_manifest(tag, OCI_MANIFEST)
            judge.refused(OTHER, answer, f"to the tag of {host.name} in {parent}/host, which nobody pushed to")


@verifies("BASE-NAME-REJECT-EMPTY-COMPONENT")
def test_name_with_an_empty_component(repository: Repositories, setup: SetUp, judge: Judge) -> None:
    """Two slashes in a name do not make a repository of its own."""
    parent = f"{repository.own_name}/n"
    double = repository.named(f"{parent}//x")
    start = double.start_upload(follow=False)
    if not start.ok:
        judge("BASE-NAME-REJECT-EMPTY-COMPONENT", start.status < 500, "a refusal or a redirect", start)
        return
    location = upload_location(start)
    blob = setup.make.blob()
    if location is None or double.put_upload(location, blob.digest, blob.content).status != 201:
        raise Undecided("the upload could not be finished")
    apart = double.get_blob(blob.digest, follow=False)
    plain = repository.named(f"{parent}/x")
    merged = plain.get_blob(blob.digest)
    judge(
        "BASE-NAME-REJECT-EMPTY-COMPONENT",
        not apart.ok or merged.status == 200,
        "a refusal, or the same repository as with one slash",
        start,
        apart,
        merged,
        actual="there is a repository of its own under the name with two slashes",
    )


@verifies("BASE-NAME-LENGTH-MAX", KEPT)
def test_longest_name(repository: Repositories, setup: SetUp, judge: Judge) -> None:
    """A name of 255 characters is accepted, one of 256 is refused."""
    parent = f"{repository.own_name}/n"
    room = LONGEST - len(parent) - 1
    if room < 3:
        raise Undecided("the prefix leaves no room for a name of that length")
    name = f"{parent}/{_of_length(room)}"
    longest = repository.named(name)
    wrong, answers = _use(longest, setup, judge)
    for answer in answers[-1:]:
        judge.granted(answer)
    wanted = "a blob accepted under a name of 255 characters"
    judge("BASE-NAME-LENGTH-MAX", not wrong, wanted, *answers, actual=wrong)
    if KEPT not in judge.judgements:
        judge.unsupported(KEPT, "no blob was accepted under the longest name")
    longer = repository.named(name + "a")
    judge.refused("BASE-NAME-LENGTH-MAX", longer.start_upload(), when="to a name of 256 characters")


def _of_length(length: int) -> str:
    """Return components of that length together, none longer than 60 characters."""
    name = "/".join(["a" * 59] * (length // 60 + 1))[:length]
    return name[:-1] + "a"
