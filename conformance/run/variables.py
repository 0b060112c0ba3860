"""Variables that nobody reads: a mistyped name must not leave a run with the default. Needs no more than Python."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Mapping

from conformance.run.option_table import OPTIONS

_PREFIX = "REGISTRY_"
_NAMES = {option.variable.removeprefix(_PREFIX): option.variable for option in OPTIONS}
#: What people write for an option whose name is spelled otherwise.
_SYNONYMS = {
    "REGISTRY_URL": ("ADDR", "ADDRESS", "ENDPOINT", "HOST", "HOSTNAME", "SERVER", "TARGET"),
    "REGISTRY_USERNAME": ("ACCOUNT", "LOGIN", "USER"),
    "REGISTRY_PASSWORD": ("PASS", "PASSWD", "SECRET", "TOKEN"),
    "REGISTRY_CA_BUNDLE": ("CA", "CACERT", "CA_CERT", "CERT", "CERTIFICATE"),
    "REGISTRY_INSECURE": ("TLS_VERIFY", "VERIFY", "SKIP_VERIFY"),
}
_MEANT = {word: variable for variable, words in _SYNONYMS.items() for word in words}
#: Set for skopeo, podman and buildah (containers-auth.json(5)).
_OF_OTHERS = frozenset({"REGISTRY_AUTH_FILE"})
#: What Kubernetes sets in each container for a service, beside NAME_SERVICE_HOST.
_OF_A_SERVICE = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)\Z|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?\Z")


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Return the variables ``REGISTRY_...`` that are no option, and that no other program is known to set."""
    return sorted(
        name
        for name in environment
        if name.startswith(_PREFIX)
        and name.removeprefix(_PREFIX) not in _NAMES
        and name not in _OF_OTHERS
        and not _of_a_service(name, environment)
    )


def _of_a_service(name: str, environment: Mapping[str, str]) -> bool:
    found = _OF_A_SERVICE.search(name)
    return found is not None and f"{name[: found.start()]}_SERVICE_HOST" in environment


def refusal(names: Iterable[str]) -> str:
    """Return one sentence on variables that are no option, with what was probably meant; never their values."""
    told = [f"{name}{f' (did you mean {near}?)' if (near := meant(name)) else ''}" for name in names]
    what = "is no option" if len(told) == 1 else "are no options"
    return f"{', '.join(told)}: {what} of the suite; correct or unset what is not meant for it"


def meant(name: str, others: Iterable[str] = ()) -> str:
    """Return the variable of the suite, or one of some others, that a name is nearest to; empty where none is near."""
    bare = name.upper().replace("-", "_").removeprefix(_PREFIX).removeprefix(_PREFIX)
    known = {**{other: other for other in others}, **_NAMES}
    if bare in known:
        return known[bare]
    if bare in _MEANT:
        return _MEANT[bare]
    near = difflib.get_close_matches(bare, known, n=1, cutoff=0.7)
    return known[near[0]] if near else ""


def main(arguments: list[str]) -> None:
    """Print for make a sentence on each of its variables that it does not know: ``NAME... -- KNOWN...``."""
    split = arguments.index("--")
    known = arguments[split + 1 :]
    for name in arguments[:split]:
        near = meant(name, known)
        print(f"there is no variable {name};", f"did you mean {near}" if near else f"there are {' '.join(known)}")


if __name__ == "__main__":
    main(sys.argv[1:])
