"""The looks at each law, and the requirement that a breach of each is booked to."""

from __future__ import annotations

from .attempt import Check

#: Conditions that have requirements of their own, for what a blob gives when it is pulled.
_KEPT = {
    "arrival=mounted": "PUSH-MOUNT-BLOB-AVAILABLE",
    "arrival=chunks-2": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=chunks-4": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=chunks-7": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=streamed": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=resumed": "PUSH-STATUS-RESUME",
    "arrival=misplaced": "PUSH-PATCH-416-STATE-UNCHANGED",
    "before=pushed": "PUSH-BLOB-REUPLOAD-IDEMPOTENT",
    "before=deleted": "MGMT-BLOB-DELETE-REUPLOAD",
    "algorithm=sha512": "BASE-DIGEST-SHA512",
    "content=empty": "PULL-BLOB-GET-EMPTY",
    "repository=longest": "BASE-NAME-ACCEPTED-KEPT",
}
_NAMES = {"repository=longest": "BASE-NAME-LENGTH-MAX"}
_NAMED = {"repository=longest": "BASE-NAME-ACCEPTED-KEPT"}

# -- blobs

PUSHED = Check("blob-accepted", "a chunk of a blob", "PUSH-PATCH-STATUS-202", _NAMES)
COUNTED = Check(
    "blob-headers",
    "the Range of an upload of a blob",
    "PUSH-PATCH-RANGE-VALUE",
    {"arrival=resumed": "PUSH-STATUS-RANGE-VALUE"},
    ends=False,
)
#: By what is wrong with its place: a gap before it, all of it there already, some of it there already.
MISPLACED_TAKEN = tuple(
    Check("blob-refused", title, requirement)
    for title, requirement in (
        ("a chunk behind a gap", "PUSH-PATCH-OUT-OF-ORDER-GAP-416"),
        ("a chunk that was there already", "PUSH-PATCH-REPEATED-416"),
        ("a chunk that overlaps what is there", "PUSH-PATCH-OVERLAP-416"),
    )
)
UNTOUCHED = Check("blob-refused", "the upload of a blob after a refused chunk", "PUSH-PATCH-416-STATE-UNCHANGED")
REFUSED = Check(
    "blob-refused",
    "a push of other bytes under the digest of a blob",
    "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
    {"algorithm=sha512": "PUSH-BLOB-SHA512-MISMATCH-REJECTED"},
    about="before",
)
UNPUSHED = Check("blob-refused", "a blob that was not pushed yet", "PULL-BLOB-GET-UNKNOWN-404", about="before")
ABSENT = Check("blob-refused", "HEAD of a blob that was refused", "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB", about="before")
CLOSED = Check(
    "blob-accepted",
    "a push of a blob",
    "PUSH-PUT-MONOLITHIC-201",
    {
        "arrival=post": "PUSH-SINGLE-STATUS-201-OR-202",
        "arrival=mounted": "PUSH-MOUNT-STATUS",
        **{key: id_ for key, id_ in _KEPT.items() if key not in {"arrival=mounted", "content=empty"}},
        "algorithm=sha512": "PUSH-BLOB-SHA512-ACCEPTED",
        **_NAMES,
    },
)
CREATED_DIGEST = Check(
    "blob-headers",
    "the Docker-Content-Digest of a push of a blob",
    "PUSH-PUT-DIGEST-HEADER-VALUE",
    {"arrival=mounted": "PUSH-MOUNT-DIGEST-HEADER-TRUE"},
    ends=False,
)
GOT = Check("blob-kept", "GET of a blob", "PULL-BLOB-GET-200", _KEPT)
SAME = Check("blob-kept", "the bytes of a blob", "PULL-BLOB-GET-BODY-EXACT", _KEPT)
GOT_DIGEST = Check("blob-headers", "the Docker-Content-Digest of a blob", "PULL-BLOB-GET-DCD-TRUE", ends=False)
CODING = Check("blob-headers", "the Content-Encoding of a blob", "PULL-BLOB-GET-NO-FALSE-CODING", ends=False)
HEADED = Check("blob-head", "HEAD of a blob", "PULL-BLOB-HEAD-200")
HEADED_LENGTH = Check(
    "blob-head", "the Content-Length on HEAD of a blob", "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE", ends=False
)
HEADED_DIGEST = Check("blob-head", "the Docker-Content-Digest on HEAD of a blob", "PULL-BLOB-HEAD-DCD-TRUE", ends=False)
SERVED = Check("blob-ranges", "a range of a blob", "PULL-BLOB-RANGE-UNSUPPORTED-200", ends=False, about="range")
PART = Check("blob-ranges", "the bytes of a range of a blob", "PULL-BLOB-RANGE-TRUE", ends=False, about="range")
PART_LABEL = Check(
    "blob-ranges",
    "the Content-Range of a range of a blob",
    "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    ends=False,
    about="range",
)
WHOLE = Check("blob-ranges", "the whole blob in place of a range", "PULL-BLOB-GET-BODY-EXACT", ends=False)
AGAIN = Check(
    "blob-again",
    "another GET of a blob",
    "PULL-CONSIST-REPEATABLE",
    {"asked=location": "PUSH-PUT-LOCATION-PULLABLE", "asked=condition": "PULL-CACHE-BLOB-304"},
)
CONDITION = Check("blob-again", "GET of a blob on a condition that does not hold", "PULL-CACHE-FALSE-304", ends=False)
LOCATED = Check(
    "blob-headers",
    "the Location of a push of a blob",
    "PUSH-PUT-LOCATION-PULLABLE",
    {"arrival=mounted": "PUSH-MOUNT-LOCATION-PULLABLE", "arrival=post": "PUSH-SINGLE-LOCATION-PULLABLE"},
    ends=False,
)
NO_MANIFEST = Check(
    "blob-nowhere-else", "a blob asked for as a manifest", "PULL-MANIFEST-NOT-A-BLOB", ends=False, about="elsewhere"
)
NOT_THERE = Check(
    "blob-nowhere-else",
    "GET of a blob in another repository",
    "PULL-BLOB-OTHER-REPO-404",
    ends=False,
    about="elsewhere",
)
NOT_HEADED = Check(
    "blob-nowhere-else",
    "HEAD of a blob in another repository",
    "PULL-BLOB-HEAD-OTHER-REPO-404",
    ends=False,
    about="elsewhere",
)
NO_PREFIX = Check(
    "blob-nowhere-else",
    "a blob asked for by a part of its digest",
    "BASE-DIGEST-MALFORMED",
    ends=False,
    about="elsewhere",
)
GONE = Check("blob-deleted", "GET of a blob that was deleted", "MGMT-BLOB-DELETE-GET-404", about="fate")
GONE_HEAD = Check("blob-deleted", "HEAD of a blob that was deleted", "MGMT-BLOB-DELETE-HEAD-404", about="fate")
STILL = Check("blob-kept", "GET of a blob after others came and went", "PUSH-BLOB-KEPT")
OTHER_KEPT = Check(
    "blob-deleted",
    "GET of a blob that was deleted in another repository",
    "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
    about="fate",
)

# -- manifests

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
    "kind=index-subject": "PULL-TYPE-OCI-INDEX",
    "kind=docker-image": "PULL-TYPE-DOCKER-V2",
    "kind=docker-list": "PULL-TYPE-DOCKER-LIST",
    "kind=large": "PUSH-MANIFEST-4MB-ACCEPTED",
}
_PUSHES = {
    "push=by-sha512": "PULL-MANIFEST-SHA512",
    "manifest-before=deleted": "MGMT-MANIFEST-DELETE-REPUSH",
    "manifest-before=pushed": "PUSH-MANIFEST-IDEMPOTENT",
}
_CAME = {**_PUSHES, "push=streamed": "PUSH-MANIFEST-STREAMED-WHOLE"}
_FORMS = ("one-character", "longest", "capitals", "digest-like", "word")
_TAGS = {f"tag={form}": "BASE-TAG-ACCEPT" for form in _FORMS}
_TAGGED = {f"tag={form}": "BASE-TAG-ACCEPTED-KEPT" for form in _FORMS}
_ACCEPTS = {
    "accept=list": "PULL-ACCEPT-LIST",
    "accept=fields": "PULL-ACCEPT-REPEATED-FIELD",
    "accept=weights": "PULL-ACCEPT-QVALUE",
    "accept=any": "PULL-ACCEPT-WILDCARD",
}

M_PUSHED = Check(
    "manifest-accepted", "a push of a manifest", "PUSH-MANIFEST-STATUS-201", {**_KINDS, **_TAGS, **_PUSHES, **_NAMES}
)
M_REFUSED = Check(
    "manifest-refused",
    "a push of a manifest by the digest of other bytes",
    "PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",
    about="manifest-before",
)
M_ABSENT = Check(
    "manifest-refused",
    "GET of a manifest that was refused",
    "PUSH-MANIFEST-REFUSED-NOT-STORED",
    about="manifest-before",
)
M_UNPUSHED = Check(
    "manifest-refused", "a manifest that was not pushed yet", "PULL-MANIFEST-GET-UNKNOWN-404", about="manifest-before"
)
M_SAID = Check(
    "manifest-headers",
    "the Docker-Content-Digest of a push of a manifest",
    "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
    ends=False,
)
M_LOCATED = Check(
    "manifest-headers", "the Location of a push of a manifest", "PUSH-MANIFEST-LOCATION-PULLABLE", ends=False
)
M_SUBJECT = Check(
    "manifest-headers", "the OCI-Subject of a push of a manifest", "PUSH-MANIFEST-OCI-SUBJECT-VALUE", ends=False
)
M_SUBJECT_THERE = Check(
    "manifest-headers",
    "the presence of OCI-Subject on a push of a manifest",
    "PUSH-MANIFEST-OCI-SUBJECT-PRESENT",
    {"kind=index-subject": "PUSH-MANIFEST-OCI-SUBJECT-INDEX"},
    ends=False,
)
M_NO_SUBJECT = Check(
    "manifest-headers",
    "OCI-Subject on a push of a manifest without subject",
    "PUSH-MANIFEST-OCI-SUBJECT-NONE-WITHOUT-SUBJECT",
    ends=False,
)
M_GOT_TAG = Check(
    "manifest-kept",
    "GET of a manifest by its tag",
    "PULL-MANIFEST-GET-TAG-200",
    {**_ACCEPTS, **_CAME, "manifest-before=another": "PUSH-MANIFEST-RETAG-MOVES", **_TAGGED, **_PULLED, **_NAMED},
)
M_GOT = Check(
    "manifest-kept",
    "GET of a manifest by its digest",
    "PULL-MANIFEST-GET-DIGEST-200",
    {**_ACCEPTS, **_CAME, **_PULLED, **_NAMED},
)
M_SAME_TAG = Check(
    "manifest-kept",
    "the bytes of a manifest by its tag",
    "PULL-MANIFEST-GET-BODY-EXACT",
    {"manifest-before=another": "PULL-CONSIST-TAG-MOVE", **_ACCEPTS, **_TAGGED, **_CAME, **_PULLED},
)
M_SAME = Check(
    "manifest-kept",
    "the bytes of a manifest by its digest",
    "PULL-MANIFEST-GET-BODY-EXACT",
    {**_ACCEPTS, **_CAME, **_PULLED},
)
M_TYPE = Check(
    "manifest-headers",
    "the Content-Type of a manifest",
    "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
    {"manifest-before=another": "PULL-CONSIST-TAG-MOVE", **_PULLED},
    ends=False,
)
M_GOT_DIGEST = Check(
    "manifest-headers", "the Docker-Content-Digest of a manifest", "PULL-MANIFEST-GET-DCD-TRUE", ends=False
)
M_HEADED_TAG = Check("manifest-head", "HEAD of a manifest by its tag", "PULL-MANIFEST-HEAD-200", _ACCEPTS)
M_HEADED = Check("manifest-head", "HEAD of a manifest by its digest", "PULL-MANIFEST-HEAD-200", _ACCEPTS)
M_LENGTH = Check(
    "manifest-head", "the Content-Length on HEAD of a manifest", "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE", ends=False
)
M_HEAD_DIGEST = Check(
    "manifest-head", "the Docker-Content-Digest on HEAD of a manifest", "PULL-MANIFEST-HEAD-DCD-TRUE", ends=False
)
M_HEAD_TYPE = Check(
    "manifest-head", "the Content-Type on HEAD of a manifest", "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE", ends=False
)
M_AGAIN = Check(
    "manifest-again",
    "another GET of a manifest",
    "PULL-CONSIST-REPEATABLE",
    {"manifest-asked=condition": "PULL-CACHE-MANIFEST-304"},
)
M_CONDITION = Check(
    "manifest-again", "GET of a manifest on a condition that does not hold", "PULL-CACHE-FALSE-304", ends=False
)
M_AS_BLOB = Check(
    "manifest-nowhere-else",
    "HEAD and GET of the digest of a manifest among the blobs",
    "PULL-BLOB-HEAD-GET-AGREE",
    ends=False,
    about="manifest-elsewhere",
)
M_OTHER = Check(
    "manifest-nowhere-else",
    "GET of a manifest in another repository by its digest",
    "PULL-MANIFEST-OTHER-REPO-DIGEST-404",
    ends=False,
    about="manifest-elsewhere",
)
M_OTHER_TAG = Check(
    "manifest-nowhere-else",
    "GET of a manifest in another repository by its tag",
    "PULL-MANIFEST-OTHER-REPO-TAG",
    ends=False,
    about="manifest-elsewhere",
)
M_DIGEST_TAG = Check(
    "manifest-nowhere-else",
    "GET of a tag made of the digest of a manifest",
    "PULL-MANIFEST-GET-UNKNOWN-404",
    ends=False,
    about="manifest-elsewhere",
)
M_CASE = Check(
    "manifest-nowhere-else",
    "GET of a tag in letters of the other case",
    "BASE-TAG-CASE",
    ends=False,
    about="manifest-elsewhere",
)
M_GONE = Check(
    "manifest-deleted", "GET of a deleted manifest by its digest", "MGMT-MANIFEST-DELETE-GET-404", about="manifest-fate"
)
M_GONE_HEAD = Check(
    "manifest-deleted",
    "HEAD of a deleted manifest by its digest",
    "MGMT-MANIFEST-DELETE-HEAD-404",
    about="manifest-fate",
)
M_GONE_TAG = Check(
    "manifest-deleted", "GET of a deleted manifest by its tag", "MGMT-MANIFEST-DELETE-TAGS-404", about="manifest-fate"
)
M_UNLISTED = Check(
    "manifest-deleted",
    "the tag of a deleted manifest in the list of tags",
    "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
    about="manifest-fate",
)
M_UNREFERRED = Check(
    "manifest-deleted",
    "a deleted manifest in the list of referrers",
    "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",
    about="manifest-fate",
)
M_BESIDE_KEPT = Check(
    "manifest-deleted",
    "GET of a manifest beside one that was deleted",
    "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
    about="manifest-fate",
)
T_GONE = Check("manifest-deleted", "GET of a deleted tag", "MGMT-TAG-DELETE-GET-404", about="manifest-fate")
T_GONE_HEAD = Check("manifest-deleted", "HEAD of a deleted tag", "MGMT-TAG-DELETE-HEAD-404", about="manifest-fate")
T_UNLISTED = Check(
    "manifest-deleted", "a deleted tag in the list of tags", "MGMT-TAG-DELETE-NOT-LISTED", about="manifest-fate"
)
T_OTHER_KEPT = Check(
    "manifest-deleted",
    "GET of another tag of a manifest after the deletion of one",
    "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
    about="manifest-fate",
)
T_REFERRED = Check(
    "manifest-lists",
    "a manifest whose tag was deleted in the list of referrers",
    "MGMT-TAG-DELETE-REFERRER-LISTED",
    about="manifest-fate",
)
LISTED = Check("manifest-lists", "the tag of a manifest in the list of tags", "DISC-TAGS-COMPLETE-AFTER-PUSH")
REFERRED = Check(
    "manifest-lists",
    "a manifest with a subject in the list of referrers",
    "DISC-REFERRERS-COMPLETE",
    {"kind=index-subject": "DISC-REFERRERS-COMPLETE-INDEX"},
)
DESCRIBED = Check(
    "manifest-lists",
    "the descriptor of a manifest in the list of referrers",
    "DISC-REFERRERS-DESCRIPTOR-FIELDS",
    ends=False,
)
DESCRIBED_TYPE = Check(
    "manifest-lists", "the artifactType in the list of referrers", "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST", ends=False
)
DESCRIBED_NOTES = Check(
    "manifest-lists", "the annotations in the list of referrers", "DISC-REFERRERS-ANNOTATIONS", ends=False
)
REFERRERS = Check("manifest-lists", "the list of referrers", "DISC-REFERRERS-STATUS-200")
TAGS = Check("manifest-lists", "the list of tags", "DISC-TAGS-STATUS-200")
LISTED_ONCE = Check("manifest-lists", "a tag in the list of tags", "DISC-TAGS-NO-DUPLICATES")
LISTED_MORE = Check("manifest-lists", "a tag that is not there in the list of tags", "PUSH-MANIFEST-REFUSED-NOT-STORED")
M_STILL = Check("manifest-kept", "GET of a manifest after others came and went", "PUSH-MANIFEST-KEPT")
M_OTHER_KEPT = Check(
    "manifest-deleted",
    "GET of a tag of another repository after the deletion of a manifest",
    "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",
    about="manifest-fate",
)
T_ELSEWHERE_KEPT = Check(
    "manifest-deleted",
    "GET of a tag of another repository after the deletion of the same tag",
    "PULL-MANIFEST-OTHER-REPO-TAG",
    about="manifest-fate",
)

# -- lists

L_PUSHED = Check("lists", "a push of one more manifest", "PUSH-MANIFEST-STATUS-201")
L_LISTED = Check("lists", "the list of tags", "DISC-TAGS-STATUS-200")
L_PAGE = Check("lists", "a page of the list of tags", "DISC-TAGS-N-AT-MOST", about="page")
L_TAGS = Check(
    "lists",
    "the list of tags",
    "DISC-TAGS-COMPLETE-AFTER-PUSH",
    {f"count={count}": "DISC-TAGS-NO-N-PAGE-LIMIT" for count in ("twenty-one", "hundred", "thousand")},
)
L_PAGES = Check("lists", "the pages of the list of tags", "DISC-TAGS-LINK-WALK-COMPLETE", about="page")
L_TWICE = Check("lists", "a tag in the list of tags", "DISC-TAGS-NO-DUPLICATES")
L_PAGES_TWICE = Check("lists", "a tag in the pages of the list of tags", "DISC-TAGS-LINK-WALK-COMPLETE", about="page")
L_REFERRERS_ANSWER = Check("lists", "the answer with referrers", "DISC-REFERRERS-STATUS-200", about="list")
L_MORE = Check("lists", "a tag that nobody pushed in the list of tags", "DISC-TAGS-ISOLATION-REPO")
L_POSITION = Check("lists", "the list of tags", "DISC-TAGS-LAST-EXCLUSIVE", about="list")
L_DELETED = Check("lists", "the tags of a deleted manifest", "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED", about="list")
L_KEPT = Check(
    "lists", "other tags beside those of a deleted manifest", "MGMT-MANIFEST-DELETE-OTHERS-KEPT", about="list"
)
L_REFERRERS = Check("lists", "the list of referrers", "DISC-REFERRERS-COMPLETE", about="list")
L_FILTERED = Check("lists", "the list of referrers of one type", "DISC-REFERRERS-FILTER-ONLY-MATCHING", about="list")

#: Looks at what rows left, when all are done.
LATER = frozenset({STILL, M_STILL, TAGS, LISTED, LISTED_ONCE, LISTED_MORE})
#: All looks.
ALL = (*(look for look in list(vars().values()) if isinstance(look, Check)), *MISPLACED_TAKEN)
