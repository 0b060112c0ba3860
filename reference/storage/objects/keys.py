"""Where everything of a storage in a bucket is.

names/NAME/_                                   empty; something was pushed to the repository once
repositories/NAME/_blobs/ALGORITHM/HEX         content of a blob, for each repository that holds it
repositories/NAME/_manifests/ALGORITHM/HEX     the type of a manifest, a line end, and its content
repositories/NAME/_tags/TAG                    the digest
repositories/NAME/_tagged/ALGORITHM/HEX/TAG    empty; the tag pointed to the digest once
repositories/NAME/_referrers/ALGORITHM/HEX/DIGEST  empty; DIGEST had the subject whose digest has this hash
uploads/HASH-ID/_                              empty; an open session, HASH is that of the repository
uploads/HASH-ID/START-NONCE                    what one request added at a position
uploads/HASH-ID/START                          the name of the one that counts there, of several that were added

One object is one blob, tag or manifest of one repository. Whether it is there is decided by one write or one deletion,
which a bucket does whole or not at all, so that registries that share a bucket need not know of each other. The lists
that lead back (_tagged, _referrers) are only added to, before what they lead to is there: two registries cannot take
them from each other. What they say is compared with tags and manifests.

A request stores what it adds to a session under a name that is used once, and then takes the place, by a write that
succeeds only where there is nothing. Of two registries that add at the same place one is told that it came too late.
"""

from __future__ import annotations

from reference.grammar import digest_of

BLOBS, MANIFESTS, TAGS, TAGGED, REFERRERS = "_blobs", "_manifests", "_tags", "_tagged", "_referrers"
NAMES, UPLOADS, MARK = "names", "uploads", "_"


def folder(name: str, kind: str) -> str:
    """What a repository has of a kind."""
    return f"repositories/{name}/{kind}"


def held(name: str, kind: str, digest: str) -> str:
    """What a repository holds, or knows of a digest."""
    return f"{folder(name, kind)}/{digest.replace(':', '/', 1)}"


def tag(name: str, word: str) -> str:
    """A tag."""
    return f"{folder(name, TAGS)}/{word}"


def referring(name: str, subject: str) -> str:
    """The folder of those that refer to a subject."""
    # A subject's digest may be of any algorithm and length; a key may not.
    return held(name, REFERRERS, digest_of(subject.encode()))


def known(name: str) -> str:
    """The mark of a repository."""
    return f"{NAMES}/{name}/{MARK}"


def session(name: str, identifier: str) -> str:
    """The folder of a session."""
    # One list tells whether the session is there and belongs to the repository, and how far it is.
    return f"{UPLOADS}/{digest_of(name.encode())[7:39]}-{identifier}"
