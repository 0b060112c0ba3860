"""A hostile target: where it turns hostile, how, and how a run against it must end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from re import Pattern

from tests.hostile.answers import silent
from tests.hostile.posts import Pester
from tests.hostile.proxy import TOKEN_PATH, Answer, Conduct, Greeting
from tests.support.tokens import Account

READS = frozenset({"GET", "HEAD"})
GET = frozenset({"GET"})
HEAD = frozenset({"HEAD"})
POST = frozenset({"POST"})
DELETE = frozenset({"DELETE"})
ALL = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
WRITES = ALL - READS

ANYWHERE = re.compile("")
BLOBS = re.compile(r"/blobs/[a-z0-9]+:")
MANIFESTS = re.compile(r"/manifests/")
TAGS = re.compile(r"/tags/list")
UPLOADS = re.compile(r"/blobs/uploads")
REFERRERS = re.compile(r"/referrers/")
LISTS = re.compile(r"/tags/list|/_catalog|/referrers/")
BASE = re.compile(r"^/v2/$")
TOKENS = re.compile(f"^{TOKEN_PATH}")

#: The categories that meet a path, where not all do.
_JUDGED = {
    BLOBS.pattern: ("pull",),
    MANIFESTS.pattern: ("pull",),
    UPLOADS.pattern: ("push",),
    TOKENS.pattern: ("auth", "pull"),
    **dict.fromkeys((TAGS.pattern, LISTS.pattern, REFERRERS.pattern), ("discovery",)),
}
#: A canary: whoever finds its password in an output has found a leak.
ACCOUNT = Account("somebody", (("repository", "*", ("*",)), ("registry", "catalog", ("*",))))
LOGIN = {"REGISTRY_USERNAME": ACCOUNT.name, "REGISTRY_PASSWORD": ACCOUNT.password}
#: The endings that a run may have: verdicts, and refusals to begin.
VERDICTS = frozenset({0, 1})
REFUSALS = frozenset({4})


@dataclass(frozen=True, slots=True)
class Hostile:
    """A target: the requests that it answers by hand, how, and after how many right answers.

    ``greets`` deals with connections in the place of requests, ``gated`` asks for tokens of its
    service, ``tls`` serves over TLS, ``listens`` gives the run a listener, to which the registry
    posts, and ``pesters`` does too. ``shown`` makes Allure results as well. ``innocent`` says that
    nothing of it may be found broken: all that it does is to give no answer, to be overloaded, or
    to send the client elsewhere.
    """

    name: str
    answer: Answer = silent
    path: Pattern[str] = MANIFESTS
    methods: frozenset[str] = READS
    after: int = 40
    env: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    greets: Greeting | None = None
    gated: bool = False
    tls: bool = False
    pesters: Pester | None = None
    listens: bool = False
    shown: bool = False
    innocent: bool = False
    endings: frozenset[int] = VERDICTS

    @property
    def told(self) -> tuple[str, ...]:
        """The options of a run; a target hostile in one operation is judged in its category."""
        chosen = _JUDGED.get(self.path.pattern, ())
        if self.pesters:
            chosen = ("notifications",)
        elif self.greets or self.methods == DELETE:
            chosen = ()
        # Notifications are no part of the later specifications.
        profile = ("--profile", "docker-v2") if self.pesters else ()
        return (*(f"--category={name}" for name in chosen), *profile, *self.options)

    @property
    def conduct(self) -> Conduct:
        """What its proxy has to know."""
        return Conduct(self.answer, self.path, self.methods, self.after, self.greets)
