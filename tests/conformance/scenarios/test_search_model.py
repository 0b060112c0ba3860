"""The model of the search: what is there, gone, or open by the specification."""

from __future__ import annotations

from conformance.scenarios.search.machine import blame
from conformance.scenarios.search.machine.blame import Deed
from conformance.scenarios.search.machine.model import Document, There, World

IMAGE = Document("sha256:image", ("sha256:config", "sha256:layer"))
OTHER = Document("sha256:other", ("sha256:config",))


def world(*tags: str | None, document: Document = IMAGE) -> World:
    made = World(2)
    for blob in document.blobs:
        made.put_blob(0, blob)
    for tag in tags:
        made.put_manifest(0, document, tag)
    return made


def test_a_deleted_tag_leaves_the_manifest_to_another_tag() -> None:
    made = world("a", "b")
    made.delete_tag(0, "a")
    here = made.repositories[0]
    assert here.tagged() == {"b": IMAGE.digest}
    assert here.gone_tags == {"a": "tag"}
    assert here.manifest(IMAGE.digest) is There.PRESENT


def test_a_manifest_that_lost_its_last_tag_may_be_collected_with_its_blobs() -> None:
    made = world("a")
    made.delete_tag(0, "a")
    here = made.repositories[0]
    assert here.manifest(IMAGE.digest) is There.OPEN
    assert {here.blob(blob) for blob in IMAGE.blobs} == {There.OPEN}


def test_what_no_tag_leads_to_may_be_collected_with_any_deletion() -> None:
    made = world(None)
    made.put_blob(0, "sha256:alone")
    made.put_manifest(0, OTHER, "a")
    made.put_manifest(0, OTHER, "b")
    assert made.repositories[0].manifest(IMAGE.digest) is There.PRESENT
    made.delete_tag(0, "a")
    here = made.repositories[0]
    assert here.manifest(IMAGE.digest) is There.OPEN
    assert here.manifest(OTHER.digest) is There.PRESENT
    assert here.blob("sha256:config") is There.PRESENT
    assert here.blob("sha256:alone") is There.OPEN


def test_a_moved_tag_leaves_the_former_manifest_open() -> None:
    made = world("a")
    made.put_manifest(0, OTHER, "a")
    here = made.repositories[0]
    assert here.tagged() == {"a": OTHER.digest}
    assert here.manifest(IMAGE.digest) is There.OPEN
    assert here.blob("sha256:config") is There.PRESENT
    assert here.blob("sha256:layer") is There.OPEN


def test_a_deleted_manifest_takes_its_tags_and_no_other() -> None:
    made = world("a", "b")
    made.put_manifest(0, OTHER, "c")
    made.delete_manifest(0, IMAGE.digest)
    here = made.repositories[0]
    assert here.gone_tags == {"a": "manifest", "b": "manifest"}
    assert here.tagged() == {"c": OTHER.digest}
    assert here.manifest(IMAGE.digest) is There.GONE


def test_what_a_deleted_index_listed_is_open_unless_it_has_a_tag() -> None:
    made = world(None)
    made.put_manifest(0, OTHER, "kept")
    index = Document("sha256:index", children=(IMAGE.digest, OTHER.digest))
    made.put_manifest(0, index, "i")
    made.delete_manifest(0, index.digest)
    here = made.repositories[0]
    assert here.manifest(IMAGE.digest) is There.OPEN
    assert here.manifest(OTHER.digest) is There.PRESENT


def test_referrers_must_be_listed_as_long_as_their_subject_is_there() -> None:
    made = world("a")
    referrer = Document("sha256:referrer", ("sha256:config",), subject=IMAGE.digest)
    made.put_manifest(0, referrer, None)
    assert made.referrers(0, IMAGE.digest) == ({referrer.digest}, set())
    assert made.referrers(1, IMAGE.digest) == (set(), set())
    made.delete_manifest(0, IMAGE.digest)
    assert made.referrers(0, IMAGE.digest) == (set(), {referrer.digest})


def test_repositories_are_apart() -> None:
    made = world("a")
    made.put_blob(1, "sha256:config")
    made.delete_blob(1, "sha256:config")
    assert made.repositories[0].blob("sha256:config") is There.PRESENT
    assert made.repositories[0].manifest(IMAGE.digest) is There.PRESENT


def test_uploads_know_of_each_other() -> None:
    made = World(1)
    first = made.begin(0)
    made.received(first, b"a")
    before = first.crossed
    second = made.begin(0)
    assert (before, first.crossed, second.crossed) == (False, True, True)
    made.end(second)
    assert made.uploads == [first]


def test_what_was_seen_to_be_wrong_is_no_longer_expected() -> None:
    made = world("a", "b")
    made.loosen(0, "a")
    assert made.repositories[0].tagged() == {"b": IMAGE.digest}
    made.loosen(0, IMAGE.digest)
    assert made.repositories[0].tagged() == {}
    assert made.repositories[0].manifest(IMAGE.digest) is There.OPEN


def test_blame_falls_on_what_was_done_last() -> None:
    def lost(deed: Deed) -> str:
        return blame.lost_tag(deed, 0, "a", IMAGE.digest)

    assert lost(Deed("delete-tag", 0, "b")) == "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"
    assert lost(Deed("delete-manifest", 0, OTHER.digest)) == "MGMT-MANIFEST-DELETE-OTHERS-KEPT"
    assert lost(Deed("delete-manifest", 1, IMAGE.digest)) == "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT"
    assert lost(Deed("delete-tag", 0, "a", refused=True)) == "MGMT-DELETE-REFUSED-NO-EFFECT"
    assert lost(Deed("tag", 0, "a", IMAGE.digest, moved=True)) == "PUSH-MANIFEST-RETAG-MOVES"
    assert lost(Deed("tag", 0, "a", IMAGE.digest)) == "PUSH-MANIFEST-BY-TAG-PULLABLE"
    assert lost(Deed("close", 0, "sha256:layer")) == "PULL-MANIFEST-GET-TAG-200"
