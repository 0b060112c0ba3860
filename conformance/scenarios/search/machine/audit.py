"""Look at everything that a registry must remember, and say where it does not."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.search.machine import blame
from conformance.scenarios.search.machine.blame import Deed
from conformance.scenarios.search.machine.lists import digests_of, pages, tags_of
from conformance.scenarios.search.machine.model import There, World, certain
from conformance.scenarios.search.trial import Trial
from conformance.target.content import ANY_MANIFEST
from conformance.verdict.judge import content_of, listing, status_of
from conformance.verdict.presence import served


class Audit:
    """One look at repositories after an operation; ``bodies`` has the content of each digest."""

    def __init__(
        self, trial: Trial, world: World, repositories: list[Repository], deed: Deed, bodies: dict[str, bytes]
    ) -> None:
        self._trial = trial
        self._world = world
        self._repositories = repositories
        self._deed = deed
        self._bodies = bodies

    def run(self, symptom: str = "", *, referrers: bool) -> None:
        """Compare all that is certain, or, where a symptom is pursued, what can show it."""
        looks = {
            "tag-": self._tags,
            "manifest-": self._manifests,
            "blob-": self._blobs,
            "list-": self._list,
            "referrer": self._referrers,
        }
        for number, repo in enumerate(self._repositories):
            for beginning, look in looks.items():
                if (symptom.startswith(beginning) or not symptom) and (referrers or beginning != "referrer"):
                    look(number, repo)

    # -- reads, each as soon as the target has settled

    def _manifest(self, repo: Repository, reference: str, digest: str = "") -> Response:
        """Pull a manifest that should be there; without ``digest``, one that should not."""
        body = self._bodies.get(digest)
        return self._trial.settings.ask(
            lambda: repo.get_manifest(reference, ANY_MANIFEST),
            lambda answer: answer.refused if body is None else served(answer, body),
        )

    def _blob(self, repo: Repository, digest: str, *, there: bool) -> Response:
        return self._trial.settings.ask(
            lambda: repo.get_blob(digest), lambda answer: answer.status == 200 if there else answer.refused
        )

    def _same(self, answer: Response, digest: str) -> bool:
        return served(answer, self._bodies[digest])

    # -- what is compared

    def _tags(self, number: int, repo: Repository) -> None:
        contents = self._world.repositories[number]
        for tag, digest in contents.tagged().items():
            answer = self._manifest(repo, tag, digest)
            requirement = blame.lost_tag(self._deed, number, tag, digest)
            expected = f"the manifest {_short(digest)} under the tag {tag}"
            held = self._same(answer, digest)
            if not self._trial(requirement, held, expected, answer, actual=content_of(answer), symptom="tag-lost"):
                self._world.loosen(number, tag)
        for tag, why in [*contents.gone_tags.items()]:
            answer = self._manifest(repo, tag)
            requirement = "MGMT-TAG-DELETE-GET-404" if why == "tag" else "MGMT-MANIFEST-DELETE-TAGS-404"
            expected = f"no tag {tag} any more"
            if not self._trial(requirement, answer.refused, expected, answer, symptom=f"tag-back-{why}"):
                self._world.loosen(number, tag)

    def _manifests(self, number: int, repo: Repository) -> None:
        contents = self._world.repositories[number]
        for digest in certain(contents.manifests, There.PRESENT):
            answer = self._manifest(repo, digest, digest)
            tagged = digest in contents.tagged().values()
            requirement = blame.lost_manifest(self._deed, number, digest, tagged=tagged)
            expected = f"the manifest {_short(digest)} by its digest"
            held = self._same(answer, digest)
            if not self._trial(requirement, held, expected, answer, actual=content_of(answer), symptom="manifest-lost"):
                self._world.loosen(number, digest)
        for digest in certain(contents.manifests, There.GONE):
            shared = self._elsewhere(number, digest)
            answer = self._manifest(repo, digest)
            requirement = "PULL-MANIFEST-OTHER-REPO-DIGEST-404" if shared else "MGMT-MANIFEST-DELETE-GET-404"
            expected = f"no manifest {_short(digest)} any more"
            symptom = f"manifest-back-{shared}"
            if not self._trial(requirement, answer.refused, expected, answer, symptom=symptom):
                self._world.loosen(number, digest)

    def _blobs(self, number: int, repo: Repository) -> None:
        contents = self._world.repositories[number]
        for digest in certain(contents.blobs, There.PRESENT):
            answer = self._blob(repo, digest, there=True)
            used = self._world.used(number, digest)
            requirement = blame.lost_blob(self._deed, number, digest, used=used)
            expected = f"the blob {_short(digest)}"
            held = self._same(answer, digest)
            if not self._trial(requirement, held, expected, answer, actual=content_of(answer), symptom="blob-lost"):
                self._world.loosen(number, digest)
        gone = certain(contents.blobs, There.GONE)
        for digest in gone:
            shared = self._elsewhere(number, digest)
            answer = self._blob(repo, digest, there=False)
            requirement = "PULL-BLOB-OTHER-REPO-404" if shared else "MGMT-BLOB-DELETE-GET-404"
            expected = f"no blob {_short(digest)} any more"
            if not self._trial(requirement, answer.refused, expected, answer, symptom=f"blob-back-{shared}"):
                self._world.loosen(number, digest)

    def _elsewhere(self, number: int, digest: str) -> bool:
        """Whether another repository may hold some content: a registry may share its store."""
        others = [c for other, c in enumerate(self._world.repositories) if other != number]
        return any({c.blob(digest), c.manifest(digest)} != {There.GONE} for c in others)

    def _list(self, number: int, repo: Repository) -> None:
        contents = self._world.repositories[number]
        must = set(contents.tagged())
        if not must and not contents.gone_tags:
            return
        answers: list[Response] = []

        def complete() -> bool:
            answers[:] = pages(repo, repo.list_tags())
            found = {tag for answer in answers for tag in tags_of(answer)}
            return must <= found and not found & set(contents.gone_tags)

        self._trial.settings.wait(complete)
        first = answers[0]
        found = [tag for answer in answers for tag in tags_of(answer)]
        told = f"the list was {listing(found)}"
        judge = self._trial
        if must and not judge(
            "DISC-TAGS-STATUS-200", first.status == 200, "status 200 to the tag list", first, symptom="list-status"
        ):
            return
        judge(
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            must <= set(found),
            f"{listing(sorted(must))} in the list",
            *answers,
            actual=told,
            symptom="list-missing",
        )
        judge(
            "DISC-TAGS-NO-DUPLICATES",
            len(found) == len(set(found)),
            "each tag once in the list",
            *answers,
            actual=told,
            symptom="list-twice",
        )
        for tag, why in contents.gone_tags.items():
            requirement = "MGMT-TAG-DELETE-NOT-LISTED" if why == "tag" else "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED"
            expected = f"no {tag} in the list any more"
            judge(requirement, tag not in found, expected, *answers, actual=told, symptom=f"list-back-{why}")
        foreign = {tag for c in self._world.repositories for tag in c.used} - contents.used
        judge(
            "DISC-TAGS-ISOLATION-REPO",
            not foreign & set(found),
            "no tag of another repository in the list",
            *answers,
            actual=told,
            symptom="list-foreign",
        )

    def _referrers(self, number: int, repo: Repository) -> None:
        subjects = {d.subject for d in self._world.documents.values() if d.subject is not None}
        contents = self._world.repositories[number]
        for subject in sorted(subjects) if contents.manifests else ():
            must, may = self._world.referrers(number, subject)
            if not must and not may and subject not in contents.manifests:
                continue
            deleted = contents.manifests.get(subject) is There.GONE
            answers = self._settled_referrers(repo, subject, must, may)
            self._judge_referrers(number, subject, must, may, answers, deleted=deleted)

    def _settled_referrers(self, repo: Repository, subject: str, must: set[str], may: set[str]) -> list[Response]:
        answers: list[Response] = []

        def fits() -> bool:
            answers[:] = pages(repo, repo.referrers(subject), "referrers.list")
            return must <= {digest for answer in answers for digest in digests_of(answer)} <= must | may

        self._trial.settings.wait(fits)
        return answers

    def _judge_referrers(
        self, number: int, subject: str, must: set[str], may: set[str], answers: list[Response], *, deleted: bool
    ) -> None:
        first = answers[0]
        asked = "DISC-REFERRERS-SUBJECT-DELETED" if deleted else "DISC-REFERRERS-STATUS-200"
        expected = f"status 200 to the referrers of {_short(subject)}"
        if not self._trial(asked, first.status == 200, expected, first, actual=status_of(first), symptom="referrers"):
            return
        found = [digest for answer in answers for digest in digests_of(answer)]
        told = f"the referrers were {listing(map(_short, found))}"
        self._trial(
            "DISC-REFERRERS-COMPLETE",
            must <= set(found) and len(found) == len(set(found)),
            f"{listing(map(_short, sorted(must)))} among the referrers, once each",
            *answers,
            actual=told,
            symptom="referrer-missing",
        )
        for digest in sorted(set(found) - must - may):
            document = self._world.documents.get(digest)
            here = self._world.repositories[number].manifests
            if document is not None and document.subject == subject:
                requirement = (
                    "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED" if digest in here else "DISC-REFERRERS-ISOLATION-REPO"
                )
            else:
                requirement = "DISC-REFERRERS-ONLY-MATCHING-SUBJECT"
            expected = f"no {_short(digest)} among the referrers of {_short(subject)}"
            self._trial(requirement, False, expected, *answers, actual=told, symptom=f"referrer-extra-{digest in here}")


def _short(digest: str) -> str:
    return digest[:19]
