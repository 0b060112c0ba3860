"""The configurations of the canaries: the login, the target's challenge, the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.secrets import crashes
from tests.secrets.giving import (
    Given,
    by_auths,
    by_environment,
    by_ini,
    by_options,
    by_stores,
    by_toml,
    by_url,
    nothing,
)

#: Each kind of traceback and log that pytest can show.
LOUD = ("-vv", "--tb=long", "-l", "--showlocals", "-rA", "--full-trace", "-o", "log_cli=true", "--log-level=DEBUG")
#: Requirements whose scenarios meet each answer of the parrot.
JUDGED = (
    "PULL-BLOB-HEAD-200",
    "PULL-BLOB-GET-BODY-EXACT",
    "PULL-MANIFEST-TAG-DIGEST-AGREE",
    "PULL-REDIRECT-NO-AUTHORIZATION",
    "DISC-TAGS-N-AT-MOST",
    "AUTH-CREDENTIALS-NOT-ECHOED",
    "AUTH-NO-LEAK-READ",
    "AUTH-TOKEN-GET-SAME",
    "AUTH-TOKEN-EXPIRED-REFUSED",
    "AUTH-OAUTH-REFRESH-GRANT",
    "AUTH-OAUTH-POST-RESPONSE",
    "AUTH-REFRESH-TOKEN-NOT-BEARER",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One run: the target's challenge, the login, options, variables, a plugin, and possible ends.

    ``loud`` asks for every traceback and log; ``workers`` for two processes; ``proxied`` for a
    proxy with a login.
    """

    auth: str = "basic"
    give: Callable[[Given], None] = by_environment
    options: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    plugin: str = ""
    ends: frozenset[int] = frozenset({0, 1})
    loud: bool = True
    workers: bool = False
    proxied: bool = False
    judged: tuple[str, ...] = JUDGED


_USAGE, _ERROR = frozenset({4}), frozenset({3})
_OTHERS = (
    ("REGISTRY_AUTH_PULL_ONLY_USERNAME", "bob"),
    ("REGISTRY_AUTH_PULL_ONLY_PASSWORD", "{reader}"),
    ("REGISTRY_AUTH_OTHER_USERNAME", "eve"),
    ("REGISTRY_AUTH_OTHER_PASSWORD", "{stranger}"),
    ("REGISTRY_AUTH_EXPIRED_TOKEN", "{expired}"),
)
_OTHERS_GIVEN = (
    *("--auth-pull-only-username=bob", "--auth-pull-only-password={reader}"),
    *("--auth-other-username=eve", "--auth-other-password={stranger}", "--auth-expired-token={expired}"),
)
_HOOK = ("--notifications-listen=127.0.0.1:{port}", "--notifications-header=Authorization: Bearer {hook}")

CASES: dict[str, Case] = {
    # How a login is given.
    "url": Case(give=by_url),
    "url-in-environment": Case(give=by_url, env=(("IN_ENVIRONMENT", "yes"),)),
    "options": Case(give=by_options),
    "environment": Case(),
    "ini": Case(give=by_ini),
    "toml": Case(give=by_toml),
    "docker-config-auth": Case(give=by_auths("auth")),
    "docker-config-password": Case(give=by_auths("password")),
    "docker-config-identity": Case(give=by_auths("identitytoken"), ends=_USAGE),
    "docker-config-broken": Case(give=by_auths("broken"), ends=_USAGE),
    "cred-helpers": Case(give=by_stores("credHelpers")),
    "creds-store": Case(give=by_stores("credsStore")),
    "creds-store-fails": Case(give=by_stores("failing"), ends=_USAGE),
    # What the target wants.
    "no-login-wanted": Case("none"),
    "bearer": Case("bearer"),
    "bearer-options": Case("bearer", by_options, _OTHERS_GIVEN),
    "bearer-others": Case("bearer", env=_OTHERS),
    "bearer-workers": Case("bearer", by_options, _OTHERS_GIVEN, workers=True),
    "bearer-url": Case("bearer", by_url, workers=True),
    "basic-workers": Case(give=by_options, workers=True),
    "wrong-password": Case(options=("--username=bob",), ends=_USAGE),
    "wrong-password-bearer": Case("bearer", options=("--username=nobody",), ends=_USAGE),
    "hook": Case(options=_HOOK, judged=(*JUDGED, "NOTIF-REQUEST-RECORD")),
    "header": Case(options=("--header=X-Key: {hook}",)),
    "malformed-header": Case(options=("--header={hook}",), ends=_USAGE),
    "everything-quietly": Case("bearer", options=_OTHERS_GIVEN, loud=False),
    # What is on the way.
    "proxy": Case(proxied=True),
    "proxy-bearer-workers": Case("bearer", proxied=True, workers=True),
    "proxy-unreachable": Case(
        env=(("HTTP_PROXY", "http://ann:{proxy_quoted}@127.0.0.1:1"), ("HTTPS_PROXY", "http://a:{proxy_quoted}@[::1")),
        ends=_USAGE,
    ),
    "netrc": Case(give=nothing, ends=_USAGE),
    "nobody-there": Case(give=by_options, options=("--registry-url=http://127.0.0.1:1",), ends=_USAGE),
    "nobody-there-url": Case(
        give=nothing, options=("--registry-url=https://ann:{password_quoted}@127.0.0.1:1",), ends=_USAGE
    ),
    "malformed-url": Case(give=nothing, options=("--registry-url=http://ann:{password}@127.0.0.1:1",), ends=_USAGE),
    "malformed-hook": Case(
        options=("--notifications-listen=127.0.0.1:{port}", "--notifications-header={hook}"), ends=_USAGE
    ),
    "malformed-token": Case(options=("--auth-expired-token={expired} {expired}",), ends=_USAGE),
    # The suite itself fails.
    "crash-in-a-fixture": Case(plugin=crashes.FIXTURE, ends=_ERROR),
    "crash-in-a-fixture-of-a-worker": Case("bearer", plugin=crashes.FIXTURE, ends=_ERROR, workers=True),
    "crash-after-a-scenario": Case(plugin=crashes.TEARDOWN, ends=_ERROR),
    "crash-in-the-client": Case("bearer", plugin=crashes.CLIENT, ends=_ERROR),
    "crash-in-a-hook": Case(plugin=crashes.HOOK, ends=_ERROR),
    "crash-in-a-hook-of-a-worker": Case("bearer", plugin=crashes.HOOK, ends=_ERROR, workers=True),
    "crash-while-probing": Case("bearer", plugin=crashes.PROBING, ends=_ERROR),
    "a-library-that-logs": Case("bearer", plugin=crashes.LOGGING),
}

#: Leaks that are made on purpose, each with a word of the sentence that has to tell of it.
PLANTED: dict[str, tuple[Case, str]] = {
    "planted-print": (Case(plugin=crashes.PRINTS), "standard error"),
    "planted-file": (Case(plugin=crashes.WRITES), "report/planted"),
    "planted-process": (Case(plugin=crashes.STARTS), "command line of a process"),
}
