"""The looks at the laws of blobs, and the requirement that a breach of each is booked to."""

from __future__ import annotations

from conformance.scenarios.conditions.rows.attempt import Check

#: Conditions that have requirements of their own, for what a blob gives when it is pulled.
_KEPT = {
    "arrival=mounted": "PUSH-MOUNT-BLOB-AVAILABLE",
    "refused=chunk": "PUSH-PATCH-416-STATE-UNCHANGED",
    "session=resumed": "PUSH-STATUS-RESUME",
    "session=status": "PUSH-STATUS-RESUME",
    "arrival=chunks-2": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=chunks-4": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=chunks-7": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=streamed": "PUSH-PATCH-CHUNKS-CONCATENATED",
    "arrival=post": "PUSH-SINGLE-LOCATION-PULLABLE",
    "algorithm=sha512": "BASE-DIGEST-SHA512",
    "before=pushed": "PUSH-BLOB-REUPLOAD-IDEMPOTENT",
    "before=deleted": "MGMT-BLOB-DELETE-REUPLOAD",
    "content=empty": "PULL-BLOB-GET-EMPTY",
    "repository=longest": "BASE-NAME-ACCEPTED-KEPT",
}
#: Ways whose push, and a content whose pull, have requirements of their own.
_CLOSED = frozenset({"arrival=post", "arrival=mounted", "arrival=streamed", "content=empty"})
_NAMES = {"repository=longest": "BASE-NAME-LENGTH-MAX"}

PUSHED = Check(
    "blob-accepted",
    "a chunk of a blob",
    "PUSH-PATCH-STATUS-202",
    {"refused=chunk": "PUSH-PATCH-416-STATE-UNCHANGED", "session=resumed": "PUSH-STATUS-RESUME", **_NAMES},
)
COUNTED = Check("blob-headers", "the Range of a chunk of a blob", "PUSH-PATCH-RANGE-VALUE", ends=False)
STATUS_COUNTED = Check(
    "blob-headers",
    "the Range in the status of an open upload",
    "PUSH-STATUS-RANGE-VALUE",
    ends=False,
    about="session",
)
STATUS = Check("blob-accepted", "the status of an open upload", "PUSH-STATUS-204", about="session")
FRESH = Check(
    "blob-headers", "the Range of a fresh upload", "PUSH-SESSION-FRESH-RANGE-TRUE", ends=False, about="session"
)
OTHER_CLOSED = Check(
    "blob-accepted", "the close of another upload", "PUSH-SESSION-PARALLEL-ISOLATED", ends=False, about="session"
)
CANCEL = Check("blob-refused", "the cancellation of an upload", "PUSH-CANCEL-204", about="session")
CANCELLED = Check("blob-refused", "an upload that was cancelled", "PUSH-CANCEL-SESSION-GONE", about="session")
CANCELLED_KEPT = Check(
    "blob-refused", "a blob of the same bytes as an upload that was cancelled", "PUSH-BLOB-KEPT", about="session"
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
MISPLACED_COUNTED = Check(
    "blob-refused", "the Range of the 416 to a chunk for another place", "PUSH-PATCH-416-RANGE-TRUE", ends=False
)
UNTOUCHED = Check("blob-refused", "the upload of a blob after a refused chunk", "PUSH-PATCH-416-STATE-UNCHANGED")
_REFUSED = {
    "arrival=post": "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
    **{
        f"arrival={way}": "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED"
        for way in ("streamed", "chunks-2", "chunks-4", "chunks-7")
    },
    "algorithm=sha512": "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
}
REFUSED = Check(
    "blob-refused",
    "a push of other bytes under the digest of a blob",
    "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
    _REFUSED,
    about="refused",
)
#: A server that fails has refused nothing, and yet accepted nothing.
REFUSED_STATUS = Check(
    "blob-refused",
    "the status of a push of other bytes under the digest of a blob",
    "PUSH-PUT-DIGEST-MISMATCH-400",
    ends=False,
    about="refused",
)
UNPUSHED = Check("blob-refused", "a blob that was not pushed yet", "PULL-BLOB-GET-UNKNOWN-404", about="before")
UNPUSHED_HEAD = Check(
    "blob-refused", "HEAD of a blob that was not pushed yet", "PULL-BLOB-HEAD-UNKNOWN-404", about="before"
)
ABSENT = Check(
    "blob-refused",
    "a blob that was refused",
    "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
    {key: id_ for key, id_ in _REFUSED.items() if key != "algorithm=sha512"},
    about="refused",
)
CLOSED = Check(
    "blob-accepted",
    "a push of a blob",
    "PUSH-PUT-MONOLITHIC-201",
    {
        "arrival=post": "PUSH-SINGLE-STATUS-201-OR-202",
        "arrival=mounted": "PUSH-MOUNT-STATUS",
        "arrival=streamed": "PUSH-PATCH-STREAM-202",
        **{key: id_ for key, id_ in _KEPT.items() if key not in _CLOSED},
        "algorithm=sha512": "PUSH-BLOB-SHA512-ACCEPTED",
        **_NAMES,
    },
)
FALLEN_BACK = Check("blob-accepted", "an upload in place of a single POST", "PUSH-SINGLE-FALLBACK-USABLE", ends=False)
ENDED = Check("blob-accepted", "the upload of a blob that was pushed", "PUSH-SESSION-CLOSED-AFTER-201", ends=False)
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
MOUNTED_THERE = Check("blob-kept", "HEAD of a blob that was mounted from the row's", "PUSH-MOUNT-BLOB-AVAILABLE")
MOUNTED_LATER = Check(
    "blob-kept", "HEAD of a blob mounted from where it was deleted", "PUSH-MOUNT-BLOB-AVAILABLE", about="fate"
)
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
BEHIND = Check("blob-ranges", "a range behind the end of a blob", "PULL-BLOB-RANGE-416", ends=False, about="range")
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
MALFORMED = Check(
    "blob-nowhere-else",
    "a blob asked for by a digest of another length",
    "BASE-DIGEST-MALFORMED",
    ends=False,
    about="elsewhere",
)
NEAR = Check(
    "blob-nowhere-else",
    "a blob asked for by a digest that nothing has",
    "PULL-BLOB-GET-UNKNOWN-404",
    ends=False,
    about="elsewhere",
)
USED = Check(
    "blob-kept",
    "a push of an image that a blob is a part of",
    "PUSH-BLOB-KEPT",
    {"algorithm=sha512": "BASE-DIGEST-SHA512"},
    about="use",
)
DELETED = Check("blob-deleted", "the deletion of a blob", "MGMT-BLOB-DELETE-202", about="fate")
GONE = Check("blob-deleted", "GET of a blob that was deleted", "MGMT-BLOB-DELETE-GET-404", about="fate")
GONE_HEAD = Check("blob-deleted", "HEAD of a blob that was deleted", "MGMT-BLOB-DELETE-HEAD-404", about="fate")
GONE_LATER = Check("blob-deleted", "GET of a deleted blob after others came", "MGMT-BLOB-DELETE-GET-404", about="fate")
STILL = Check("blob-kept", "GET of a blob after others came and went", "PUSH-BLOB-KEPT")
NEAR_KEPT = Check("blob-deleted", "another blob after the deletion of one", "PUSH-BLOB-KEPT", about="fate")
THERE_KEPT = Check(
    "blob-deleted",
    "GET of a blob after its deletion in another repository",
    "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
    about="fate",
)
THERE_LATER = Check(
    "blob-kept",
    "GET of a blob that was pushed after its deletion in another repository",
    "PUSH-BLOB-KEPT",
    about="fate",
)
TWICE = Check("blob-deleted", "the second deletion of a blob", "MGMT-BLOB-DELETE-TWICE-404", ends=False, about="fate")
OTHER_KEPT = Check(
    "blob-deleted",
    "GET of a blob that was deleted in another repository",
    "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
    about="fate",
)
