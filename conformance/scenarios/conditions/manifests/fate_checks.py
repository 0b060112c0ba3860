"""The looks at what becomes of a manifest, and the requirement that a breach of each is booked to."""

from __future__ import annotations

from conformance.scenarios.conditions.manifests.checks import REFUSED_LATER
from conformance.scenarios.conditions.rows.attempt import Check

DELETED = Check("manifest-deleted", "the deletion of a manifest", "MGMT-MANIFEST-DELETE-202", about="manifest-fate")
TAG_DELETED = Check("manifest-deleted", "the deletion of a tag", "MGMT-TAG-DELETE-202", about="manifest-fate")
GONE = Check(
    "manifest-deleted", "GET of a deleted manifest by its digest", "MGMT-MANIFEST-DELETE-GET-404", about="manifest-fate"
)
GONE_HEAD = Check(
    "manifest-deleted",
    "HEAD of a deleted manifest by its digest",
    "MGMT-MANIFEST-DELETE-HEAD-404",
    about="manifest-fate",
)
GONE_TAG = Check(
    "manifest-deleted", "GET of a deleted manifest by its tag", "MGMT-MANIFEST-DELETE-TAGS-404", about="manifest-fate"
)
UNLISTED = Check(
    "manifest-deleted",
    "the tag of a deleted manifest in the list of tags",
    "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
    REFUSED_LATER,
    about="manifest-fate",
)
UNREFERRED = Check(
    "manifest-deleted",
    "a deleted manifest in the list of referrers",
    "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
    about="manifest-fate",
)
CHILD_KEPT = Check(
    "manifest-deleted",
    "GET of a manifest beside one that was deleted",
    "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
    about="manifest-fate",
)
OTHERS_LISTED = Check(
    "manifest-deleted",
    "another tag in the list of tags after the deletion of a manifest",
    "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
    about="manifest-fate",
)
TAG_OTHERS_LISTED = Check(
    "manifest-deleted",
    "another tag in the list of tags after the deletion of one",
    "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
    about="manifest-fate",
)
REFERRERS_KEPT = Check(
    "manifest-deleted",
    "the other referrers after the deletion of one",
    "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
    about="manifest-fate",
)
BLOBS_KEPT = Check(
    "manifest-deleted",
    "a layer that a deleted manifest shared with another",
    "MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",
    about="manifest-fate",
)
PART_DELETED = Check(
    "manifest-kept",
    "GET of a manifest after the deletion of one that it refers to",
    "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
    about="manifest-fate",
)
PART_GONE = Check(
    "manifest-deleted",
    "GET of a deleted manifest that another one refers to",
    "MGMT-MANIFEST-DELETE-GET-404",
    about="manifest-fate",
)
SUBJECT_DELETED = Check(
    "manifest-lists",
    "a manifest in the list of referrers after the deletion of another",
    "DISC-REFERRERS-SUBJECT-DELETED",
    about="manifest-fate",
)
MOVED = Check("manifest-kept", "a tag that moved", "PULL-CONSIST-TAG-MOVE", about="manifest-fate")
LEFT = Check("manifest-kept", "a manifest that its tag left", "PULL-CONSIST-OLD-DIGEST", about="manifest-fate")
SIBLING_LEFT = Check(
    "manifest-kept", "a tag like one that another manifest was pushed to", "PUSH-MANIFEST-KEPT", about="manifest-fate"
)
TAG_GONE = Check("manifest-deleted", "GET of a deleted tag", "MGMT-TAG-DELETE-GET-404", about="manifest-fate")
TAG_GONE_AGAIN = Check(
    "manifest-deleted", "GET of a tag that was deleted a second time", "MGMT-TAG-DELETE-GET-404", about="manifest-fate"
)
TAG_GONE_HEAD = Check("manifest-deleted", "HEAD of a deleted tag", "MGMT-TAG-DELETE-HEAD-404", about="manifest-fate")
TAG_UNLISTED = Check(
    "manifest-deleted",
    "a deleted tag in the list of tags",
    "MGMT-TAG-DELETE-NOT-LISTED",
    REFUSED_LATER,
    about="manifest-fate",
)
TAG_OTHER_KEPT = Check(
    "manifest-deleted",
    "GET of another tag of a manifest after the deletion of one",
    "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
    about="manifest-fate",
)
TAG_REFERRED = Check(
    "manifest-lists",
    "a manifest whose tag was deleted in the list of referrers",
    "MGMT-TAG-DELETE-REFERRER-LISTED",
    about="manifest-fate",
)
STRAYED = Check(
    "manifest-kept",
    "GET of a tag after another manifest was pushed to another tag",
    "PUSH-MANIFEST-KEPT",
    about="manifest-fate",
)
TAG_AGAIN = Check(
    "manifest-kept",
    "GET of a deleted tag to which another manifest was pushed",
    "PUSH-MANIFEST-BY-TAG-PULLABLE",
    about="manifest-fate",
)
STILL = Check("manifest-kept", "GET of a manifest after others came and went", "PUSH-MANIFEST-KEPT")
OTHER_REFERRED = Check(
    "manifest-deleted",
    "the list of referrers of another repository after the deletion of a manifest that it has, too",
    "DISC-REFERRERS-COMPLETE",
    about="manifest-fate",
)
OTHER_KEPT = Check(
    "manifest-deleted",
    "GET of a tag of another repository after the deletion of a manifest",
    "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",
    about="manifest-fate",
)
OTHER_LISTED = Check(
    "manifest-deleted",
    "a tag in the list of another repository after the deletion of the manifest in one",
    "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",
    about="manifest-fate",
)
TAG_ELSEWHERE_KEPT = Check(
    "manifest-deleted",
    "GET of a tag of another repository after the deletion of the same tag",
    "PULL-MANIFEST-OTHER-REPO-TAG",
    about="manifest-fate",
)
