"""Sequences of operations that are made up, beside a model of what a registry must remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.scenarios.search.outcome import conclude, prepare  # noqa: F401  the run calls it
from conformance.settings import Settings
from conformance.verdict.judge import Judge, verifies

if TYPE_CHECKING:
    from conformance.scenarios.search.engine import Explorer

#: Examples of one kind (more where they take few requests, fewer where many), of all kinds, and
#: their steps. The rows of `conformance/scenarios/conditions/` try pairs of operations by default;
#: sequences look for more than two.
EXAMPLES = {"quick": 0, "default": 0, "thorough": 150}
DEAR = {"quick": 0, "default": 0, "thorough": 100}
CHEAP = {"quick": 0, "default": 0, "thorough": 400}
MIXED = {"quick": 2, "default": 1, "thorough": 150}
STEPS = {"quick": 12, "default": 12, "thorough": 30}

TAGS = (
    "PUSH-MANIFEST-STATUS-201",
    "PUSH-MANIFEST-IDEMPOTENT",
    "PUSH-MANIFEST-BY-TAG-PULLABLE",
    "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
    "PUSH-MANIFEST-RETAG-MOVES",
    "PUSH-MANIFEST-MULTIPLE-TAGS",
    "PUSH-MANIFEST-REFUSED-NOT-STORED",
    "PULL-MANIFEST-GET-TAG-200",
    "PULL-MANIFEST-GET-DIGEST-200",
    "PULL-MANIFEST-OTHER-REPO-TAG",
    "PULL-MANIFEST-OTHER-REPO-DIGEST-404",
    "DISC-TAGS-STATUS-200",
    "DISC-TAGS-COMPLETE-AFTER-PUSH",
    "DISC-TAGS-NO-DUPLICATES",
    "DISC-TAGS-ISOLATION-REPO",
    "MGMT-TAG-DELETE-202",
    "MGMT-TAG-DELETE-GET-404",
    "MGMT-TAG-DELETE-NOT-LISTED",
    "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
    "MGMT-MANIFEST-DELETE-202",
    "MGMT-MANIFEST-DELETE-GET-404",
    "MGMT-MANIFEST-DELETE-TAGS-404",
    "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
    "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
    "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",
    "MGMT-DELETE-REFUSED-NO-EFFECT",
)
BLOBS = (
    "PUSH-START-STATUS-202",
    "PUSH-PUT-MONOLITHIC-201",
    "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
    "PUSH-BLOB-REUPLOAD-IDEMPOTENT",
    "PUSH-MOUNT-STATUS",
    "PUSH-MOUNT-BLOB-AVAILABLE",
    "PULL-BLOB-GET-200",
    "PULL-BLOB-OTHER-REPO-404",
    "MGMT-BLOB-DELETE-202",
    "MGMT-BLOB-DELETE-GET-404",
    "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
    "MGMT-BLOB-DELETE-REUPLOAD",
    "MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",
)
UPLOADS = (
    "PUSH-PATCH-RANGE-VALUE",
    "PUSH-PATCH-CHUNKS-CONCATENATED",
    "PUSH-PUT-FINAL-CHUNK-CLOSES",
    "PUSH-STATUS-RANGE-VALUE",
    "PUSH-CANCEL-SESSION-GONE",
    "PUSH-CANCEL-NO-BLOB",
    "PUSH-SESSION-PARALLEL-ISOLATED",
)
REFERRERS = (
    "PUSH-MANIFEST-INDEX-ACCEPTED",
    "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED",
    "DISC-REFERRERS-STATUS-200",
    "DISC-REFERRERS-COMPLETE",
    "DISC-REFERRERS-ONLY-MATCHING-SUBJECT",
    "DISC-REFERRERS-ISOLATION-REPO",
    "DISC-REFERRERS-SUBJECT-DELETED",
    "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
)


@verifies(*TAGS, *BLOBS)
def test_search_states_of_tags(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Images and their tags are there, moved and gone as the operations on them say."""
    from conformance.scenarios.search.machine.state_machines import Tags  # noqa: PLC0415  # brings Hypothesis

    explorer.machine(Tags, EXAMPLES[settings.effort], STEPS[settings.effort])
    conclude(explorer, judge)


@verifies(*TAGS, *BLOBS)
def test_search_states_of_blobs(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Blobs are there, mounted or gone in each of two repositories, as their operations imply."""
    from conformance.scenarios.search.machine.state_machines import Blobs  # noqa: PLC0415  # brings Hypothesis

    explorer.machine(Blobs, EXAMPLES[settings.effort], STEPS[settings.effort])
    conclude(explorer, judge)


@verifies(*BLOBS, *UPLOADS)
def test_search_states_of_uploads(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Uploads beside each other keep their bytes, whatever becomes of the others."""
    from conformance.scenarios.search.machine.state_machines import Uploads  # noqa: PLC0415  # brings Hypothesis

    explorer.machine(Uploads, CHEAP[settings.effort], STEPS[settings.effort])
    conclude(explorer, judge)


@verifies(*TAGS, *BLOBS, *REFERRERS)
def test_search_states_of_referrers(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """Referrers are listed as long as they are there, and indexes beside them do no harm."""
    from conformance.scenarios.search.machine.state_machines import Referrers  # noqa: PLC0415  # brings Hypothesis

    explorer.machine(Referrers, DEAR[settings.effort], STEPS[settings.effort])
    conclude(explorer, judge)


@verifies(*TAGS, *BLOBS, *UPLOADS, *REFERRERS)
def test_search_states_of_everything(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """All operations at once leave what they should."""
    from conformance.scenarios.search.machine.state_machines import Everything  # noqa: PLC0415  # brings Hypothesis

    explorer.machine(Everything, MIXED[settings.effort], STEPS[settings.effort])
    conclude(explorer, judge)
