"""The laws of manifests, tried on one row: the push, and what the row goes on with."""

from __future__ import annotations

from conformance.scenarios.conditions.manifests.looks import ManifestLook
from conformance.scenarios.conditions.manifests.push import Push
from conformance.scenarios.conditions.rows.attempt import Attempt
from conformance.scenarios.conditions.rows.kinds import DEEPER, DOCKER, NAMELESS_INDEX, SUBJECTS, WRITTEN, Shelf
from conformance.scenarios.conditions.rows.places import no_room
from conformance.scenarios.conditions.rows.rows import Row

#: Subjects in words.
_NAMED = {"index": "an index", "docker-image": "a Docker image", "docker-list": "a Docker manifest list"}


def possible(row: Row) -> bool:
    """Whether a row, or a part of one, does not contradict itself."""
    docker = row.get("kind") in DOCKER
    if docker and (
        row.get("accept") == "any" or row.get("subject", "none") != "none" or row.get("listed") == "filtered"
    ):
        # A Docker manifest may be converted for a client that does not name its type, and has no subject.
        return False
    if row.get("listed") == "filtered" and row.get("subject", "there") == "none":
        return False
    if row.get("manifest-fate") == "part-deleted" and row.get("subject") == "absent":
        return False
    if row.get("push") == "by-sha512" and row.get("manifest-elsewhere") == "digest-tag":
        return False
    return not no_room(row)


def attempt_manifest(attempt: Attempt) -> None:
    """Push a manifest as a row says, and try the laws on it."""
    place = attempt.place
    shelf = place.shelf or Shelf(attempt.session.setup(f"shelf {place.repository.name}"), attempt.repo)
    place.shelf = shelf
    kind = attempt.row["kind"]
    if kind == "nameless" and attempt.number % 2 == 0:
        kind = NAMELESS_INDEX
        attempt.notes.append("as an index")
    subject, about = attempt.row["subject"], SUBJECTS[attempt.number % (4 if attempt.has("docker-manifests") else 2)]
    if subject in {"there", "sha512"} and about != "image":
        attempt.notes.append(f"which is {_NAMED[about]}")
    if kind == "nested" and attempt.number % 2 == 0:
        kind = DEEPER
        attempt.notes.append("of three levels")
    chosen = {"empty": attempt.number % 2 > 0, "noted": attempt.number % 3 == 1, "told": attempt.number % 3 == 0}
    chosen["foreign"] = subject == "absent" and attempt.number % 2 == 0
    if chosen["foreign"]:
        attempt.notes.append("of a type that no manifest has")
    chosen["mixed"] = kind == "index" and attempt.number % 2 > 0 and attempt.has("docker-manifests")
    if chosen["mixed"]:
        attempt.notes.append("with a Docker image in it")
    if kind == "image" and subject != "none" and chosen["noted"]:
        attempt.notes.append("with many annotations")
    written = "" if kind in DOCKER else WRITTEN[attempt.number // 2 % len(WRITTEN)]
    if written:
        attempt.notes.append(written)
    made = shelf.make(kind, subject, attempt.make, about=about, written=written, **chosen)
    if made.manifest.document.get("artifactType") == "":
        attempt.notes.append("with an empty artifactType")
    push = Push(attempt, shelf, made)
    created = push.run()
    ManifestLook(attempt, push, created).run()
