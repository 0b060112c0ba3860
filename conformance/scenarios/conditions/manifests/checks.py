"""The looks at the laws of manifests, and the requirement that a breach of each is booked to."""

from __future__ import annotations

from conformance.scenarios.conditions.rows.attempt import Check

_NAMES = {"repository=longest": "BASE-NAME-LENGTH-MAX"}
_NAMED = {"repository=longest": "BASE-NAME-ACCEPTED-KEPT"}
_KINDS = {
    "kind=index": "PUSH-MANIFEST-INDEX-ACCEPTED",
    "kind=nested": "PUSH-MANIFEST-INDEX-NESTED",
    "kind=docker-image": "PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",
    "kind=docker-list": "PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",
    "kind=large": "PUSH-MANIFEST-4MB-ACCEPTED",
}
_PULLED = {
    "kind=index": "PULL-TYPE-OCI-INDEX",
    "kind=nested": "PULL-TYPE-OCI-INDEX",
    "kind=docker-image": "PULL-TYPE-DOCKER-V2",
    "kind=docker-list": "PULL-TYPE-DOCKER-LIST",
    "kind=large": "PUSH-MANIFEST-4MB-ACCEPTED",
}
_PUSHES = {
    "push=by-sha512": "PULL-MANIFEST-SHA512",
    "manifest-before=deleted": "MGMT-MANIFEST-DELETE-REPUSH",
    "manifest-before=pushed": "PUSH-MANIFEST-IDEMPOTENT",
}
REFUSED_LATER = {"manifest-refused=later": "PUSH-MANIFEST-REFUSED-NOT-STORED"}
_MOVED = {"manifest-before=another": "PULL-CONSIST-TAG-MOVE"}
_SUBJECTS = {"subject=absent": "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED"}
_CAME = {**_PUSHES, "push=streamed": "PUSH-MANIFEST-STREAMED-WHOLE"}
_FORMS = ("one-character", "longest", "capitals", "digest-like", "word")
_TAGS = {f"tag={form}": "BASE-TAG-ACCEPT" for form in _FORMS}
_TAGGED = {f"tag={form}": "BASE-TAG-ACCEPTED-KEPT" for form in _FORMS}
_INDEXES = {f"kind={kind}": "DISC-REFERRERS-COMPLETE-INDEX" for kind in ("index", "nested")}
_ACCEPTS = {
    "accept=list": "PULL-ACCEPT-LIST",
    "accept=fields": "PULL-ACCEPT-REPEATED-FIELD",
    "accept=weights": "PULL-ACCEPT-QVALUE",
    "accept=any": "PULL-ACCEPT-WILDCARD",
}

PUSHED = Check(
    "manifest-accepted",
    "a push of a manifest",
    "PUSH-MANIFEST-STATUS-201",
    {**_KINDS, **_TAGS, **_PUSHES, **_NAMES, **_SUBJECTS, "manifest-before=another": "PUSH-MANIFEST-RETAG-MOVES"},
)
REFUSED = Check(
    "manifest-refused",
    "a push of a manifest by the digest of other bytes",
    "PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",
    about="manifest-refused",
)
ABSENT = Check(
    "manifest-refused",
    "GET of a manifest that was refused",
    "PUSH-MANIFEST-REFUSED-NOT-STORED",
    about="manifest-refused",
)
ABSENT_REFERRED = Check(
    "manifest-refused",
    "a manifest that was refused in the list of referrers",
    "PUSH-MANIFEST-REFUSED-NOT-STORED",
    about="manifest-refused",
)
ABSENT_PART = Check(
    "manifest-refused",
    "HEAD of a layer that is missing where a manifest was refused for it",
    "PULL-BLOB-HEAD-UNKNOWN-404",
    about="manifest-refused",
)
UNPUSHED = Check(
    "manifest-refused", "a manifest that was not pushed yet", "PULL-MANIFEST-GET-UNKNOWN-404", about="manifest-before"
)
UNPUSHED_HEAD = Check(
    "manifest-refused",
    "HEAD of a manifest that was not pushed yet",
    "PULL-MANIFEST-HEAD-UNKNOWN-404",
    about="manifest-before",
)
TAG_BACK = Check(
    "manifest-deleted",
    "the tag of a deleted manifest that was pushed again by its digest",
    "MGMT-MANIFEST-DELETE-TAGS-404",
    about="manifest-before",
)
SAID = Check(
    "manifest-headers",
    "the Docker-Content-Digest of a push of a manifest",
    "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
    ends=False,
)
LOCATED = Check(
    "manifest-headers", "the Location of a push of a manifest", "PUSH-MANIFEST-LOCATION-PULLABLE", ends=False
)
SUBJECT = Check(
    "manifest-headers", "the OCI-Subject of a push of a manifest", "PUSH-MANIFEST-OCI-SUBJECT-VALUE", ends=False
)
SUBJECT_THERE = Check(
    "manifest-headers",
    "the presence of OCI-Subject on a push of a manifest",
    "PUSH-MANIFEST-OCI-SUBJECT-PRESENT",
    {"kind=index": "PUSH-MANIFEST-OCI-SUBJECT-INDEX", "kind=nested": "PUSH-MANIFEST-OCI-SUBJECT-INDEX"},
    ends=False,
)
NO_SUBJECT = Check(
    "manifest-headers",
    "OCI-Subject on a push of a manifest without subject",
    "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",
    ends=False,
)
GOT_TAG = Check(
    "manifest-kept",
    "GET of a manifest by its tag",
    "PULL-MANIFEST-GET-TAG-200",
    {
        **REFUSED_LATER,
        **_ACCEPTS,
        **_CAME,
        "manifest-before=another": "PUSH-MANIFEST-RETAG-MOVES",
        **_TAGGED,
        **_PULLED,
        **_NAMED,
    },
)
GOT = Check(
    "manifest-kept",
    "GET of a manifest by its digest",
    "PULL-MANIFEST-GET-DIGEST-200",
    {**REFUSED_LATER, **_ACCEPTS, **_CAME, **_PULLED, **_NAMED},
)
SAME_TAG = Check(
    "manifest-kept",
    "the bytes of a manifest by its tag",
    "PULL-MANIFEST-GET-BODY-EXACT",
    {**REFUSED_LATER, **_MOVED, **_ACCEPTS, **_TAGGED, **_CAME, **_PULLED},
)
SAME = Check(
    "manifest-kept",
    "the bytes of a manifest by its digest",
    "PULL-MANIFEST-GET-BODY-EXACT",
    {**REFUSED_LATER, **_ACCEPTS, **_CAME, **_PULLED},
)
TYPE = Check(
    "manifest-headers",
    "the Content-Type of a manifest",
    "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
    {**REFUSED_LATER, **_MOVED, **_PULLED},
    ends=False,
)
GOT_DIGEST = Check(
    "manifest-headers", "the Docker-Content-Digest of a manifest", "PULL-MANIFEST-GET-DCD-TRUE", ends=False
)
HEADED_TAG = Check("manifest-head", "HEAD of a manifest by its tag", "PULL-MANIFEST-HEAD-200", _ACCEPTS)
HEADED = Check("manifest-head", "HEAD of a manifest by its digest", "PULL-MANIFEST-HEAD-200", _ACCEPTS)
LENGTH = Check(
    "manifest-head",
    "the Content-Length on HEAD of a manifest",
    "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
    _MOVED,
    ends=False,
)
HEAD_DIGEST = Check(
    "manifest-head",
    "the Docker-Content-Digest on HEAD of a manifest",
    "PULL-MANIFEST-HEAD-DCD-TRUE",
    _MOVED,
    ends=False,
)
HEAD_TYPE = Check(
    "manifest-head",
    "the Content-Type on HEAD of a manifest",
    "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
    _MOVED,
    ends=False,
)
AGAIN = Check(
    "manifest-again",
    "another GET of a manifest",
    "PULL-CONSIST-REPEATABLE",
    {"manifest-asked=condition": "PULL-CACHE-MANIFEST-304"},
)
NAMED_CLIENT = Check("manifest-again", "GET of a manifest with its type in Accept", "PULL-ACCEPT-EXACT")
CONDITION = Check(
    "manifest-again", "GET of a manifest on a condition that does not hold", "PULL-CACHE-FALSE-304", ends=False
)
AS_BLOB = Check(
    "manifest-nowhere-else",
    "HEAD and GET of the digest of a manifest among the blobs",
    "PULL-BLOB-HEAD-GET-AGREE",
    ends=False,
    about="manifest-elsewhere",
)
OTHER = Check(
    "manifest-nowhere-else",
    "GET of a manifest in another repository by its digest",
    "PULL-MANIFEST-OTHER-REPO-DIGEST-404",
    ends=False,
    about="manifest-elsewhere",
)
OTHER_TAG = Check(
    "manifest-nowhere-else",
    "GET of a manifest in another repository by its tag",
    "PULL-MANIFEST-OTHER-REPO-TAG",
    ends=False,
    about="manifest-elsewhere",
)
DIGEST_TAG = Check(
    "manifest-nowhere-else",
    "GET of a tag made of the digest of a manifest",
    "PULL-MANIFEST-GET-UNKNOWN-404",
    {"push=by-digest": "PUSH-MANIFEST-BY-DIGEST-NO-TAG"},
    ends=False,
    about="manifest-elsewhere",
)
CASE = Check(
    "manifest-nowhere-else",
    "GET of a tag in letters of the other case",
    "BASE-TAG-CASE",
    ends=False,
    about="manifest-elsewhere",
)
ALIKE = Check(
    "manifest-nowhere-else",
    "GET of a tag that begins like that of a manifest",
    "PULL-MANIFEST-GET-UNKNOWN-404",
    ends=False,
    about="manifest-elsewhere",
)
MALFORMED = Check(
    "manifest-nowhere-else",
    "a manifest asked for by a digest of another length",
    "BASE-DIGEST-MALFORMED",
    ends=False,
    about="manifest-elsewhere",
)
NEAR = Check(
    "manifest-nowhere-else",
    "a manifest asked for by a digest that nothing has",
    "PULL-MANIFEST-GET-UNKNOWN-404",
    ends=False,
    about="manifest-elsewhere",
)
LISTED_THERE = Check(
    "manifest-nowhere-else",
    "the tag of a manifest in the list of tags of another repository",
    "DISC-TAGS-ISOLATION-REPO",
    ends=False,
    about="listed",
)
REFERRED_THERE = Check(
    "manifest-nowhere-else",
    "a manifest in the list of referrers of another repository",
    "DISC-REFERRERS-ISOLATION-REPO",
    ends=False,
    about="listed",
)
LISTED = Check("manifest-lists", "the tag of a manifest in the list of tags", "DISC-TAGS-COMPLETE-AFTER-PUSH")
REFERRED = Check(
    "manifest-lists",
    "a manifest with a subject in the list of referrers",
    "DISC-REFERRERS-COMPLETE",
    {**_INDEXES, "subject=absent": "DISC-REFERRERS-BEFORE-SUBJECT"},
)
DESCRIBED = Check(
    "manifest-lists",
    "the descriptor of a manifest in the list of referrers",
    "DISC-REFERRERS-DESCRIPTOR-FIELDS",
    ends=False,
)
DESCRIBED_TYPE = Check(
    "manifest-lists",
    "the artifactType in the list of referrers",
    "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",
    {f"kind={kind}": "DISC-REFERRERS-ARTIFACTTYPE-CONFIG" for kind in ("nameless", "many")},
    ends=False,
)
DESCRIBED_NOTES = Check(
    "manifest-lists", "the annotations in the list of referrers", "DISC-REFERRERS-ANNOTATIONS", ends=False
)
REFERRERS = Check("manifest-lists", "the list of referrers", "DISC-REFERRERS-STATUS-200")
REFERRERS_SHAPE = Check("manifest-lists", "the form of the list of referrers", "DISC-REFERRERS-INDEX-SHAPE")
TAGS_SHAPE = Check("manifest-lists", "the form of the list of tags", "DISC-TAGS-BODY-ARRAY")
TAGS = Check("manifest-lists", "the list of tags", "DISC-TAGS-STATUS-200")
TAGS_NAME = Check("manifest-lists", "the name in the list of tags", "DISC-TAGS-BODY-NAME", ends=False)
PAGES = Check(
    "manifest-lists", "the pages of the list of tags", "DISC-TAGS-LINK-WALK-COMPLETE", ends=False, about="listed"
)
ORDER = Check("manifest-lists", "the pages of the list of tags", "DISC-TAGS-ORDER-LEXICAL", ends=False, about="listed")
BEHIND = Check(
    "manifest-lists",
    "the list of tags behind that of a manifest",
    "DISC-TAGS-LAST-EXCLUSIVE",
    ends=False,
    about="listed",
)
FILTERED = Check(
    "manifest-lists",
    "a manifest in the list of referrers of its type",
    "DISC-REFERRERS-FILTER-ONLY-MATCHING",
    about="listed",
)
UNRELATED = Check(
    "manifest-lists",
    "the list of referrers of a manifest without any",
    "DISC-REFERRERS-ONLY-MATCHING-SUBJECT",
    about="listed",
)
LISTED_ONCE = Check("manifest-lists", "a tag in the list of tags", "DISC-TAGS-NO-DUPLICATES")
LISTED_DIGEST = Check(
    "manifest-lists",
    "the digest of a manifest in the list of tags",
    "DISC-TAGS-DIGEST-NOT-LISTED",
    {"manifest-refused=digest": "PUSH-MANIFEST-REFUSED-NOT-STORED"},
)
LISTED_MORE = Check("manifest-lists", "a tag that is not there in the list of tags", "DISC-TAGS-ISOLATION-REPO")
REFUSED_LISTED = Check(
    "manifest-refused",
    "the tag of a refused push in the list of tags",
    "PUSH-MANIFEST-REFUSED-NOT-STORED",
    about="manifest-refused",
)
