"""The looks at the laws of lists, and the requirement that a breach of each is booked to."""

from __future__ import annotations

from conformance.scenarios.conditions.rows.attempt import Check

PUSHED = Check("lists", "a push of one more manifest", "PUSH-MANIFEST-STATUS-201")
LISTED = Check("lists", "the list of tags", "DISC-TAGS-STATUS-200")
PAGE = Check("lists", "a page of the list of tags", "DISC-TAGS-N-AT-MOST", about="page")
TAGS = Check(
    "lists",
    "the list of tags",
    "DISC-TAGS-COMPLETE-AFTER-PUSH",
    {f"count={count}": "DISC-TAGS-NO-N-PAGE-LIMIT" for count in ("twenty-one", "hundred", "thousand")},
)
ORDER = Check("lists", "the pages of the list of tags", "DISC-TAGS-ORDER-LEXICAL", ends=False, about="page")
NEXT = Check("lists", "a page that a Link leads to", "DISC-TAGS-LINK-WALK-COMPLETE", about="page")
PAGES = Check("lists", "the pages of the list of tags", "DISC-TAGS-LINK-WALK-COMPLETE", about="page")
TWICE = Check("lists", "a tag in the list of tags", "DISC-TAGS-NO-DUPLICATES")
PAGES_TWICE = Check("lists", "a tag in the pages of the list of tags", "DISC-TAGS-LINK-WALK-COMPLETE", about="page")
REFERRERS_ANSWER = Check("lists", "the answer with referrers", "DISC-REFERRERS-STATUS-200", about="list")
REFERRERS_SHAPE = Check("lists", "the form of the answer with referrers", "DISC-REFERRERS-INDEX-SHAPE", about="list")
MORE = Check("lists", "a tag that nobody pushed in the list of tags", "DISC-TAGS-ISOLATION-REPO")
HEADED = Check("lists", "HEAD of the first manifest", "PULL-MANIFEST-HEAD-200")
DIGESTS = Check("lists", "the digest of a manifest in the list of tags", "DISC-TAGS-DIGEST-NOT-LISTED")
POSITION = Check("lists", "the list of tags", "DISC-TAGS-LAST-EXCLUSIVE", about="list")
DELETED = Check("lists", "the tags of a deleted manifest", "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED", about="list")
DELETION = Check("lists", "the deletion of a manifest with many tags", "MGMT-MANIFEST-DELETE-202", about="list")
TAG_DELETION = Check("lists", "the deletion of a tag", "MGMT-TAG-DELETE-202", about="list")
REPLACED = Check("lists", "a deleted tag in the list of tags", "MGMT-TAG-DELETE-NOT-LISTED", about="list")
KEPT = Check("lists", "other tags beside those of a deleted manifest", "MGMT-MANIFEST-DELETE-OTHERS-KEPT", about="list")
REFERRERS = Check("lists", "the list of referrers", "DISC-REFERRERS-COMPLETE", about="list")
FILTERED = Check("lists", "the list of referrers of one type", "DISC-REFERRERS-FILTER-ONLY-MATCHING", about="list")
