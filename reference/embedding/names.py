"""Faults and variants by the names that a program or a test gives, and what it may mean where there is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from reference.modifications import PROFILES, Modification

if TYPE_CHECKING:
    from reference.modifications import Fault, Variant

ALL = "all"
Names = str | Iterable[str]
_M = TypeVar("_M", bound=Modification)


class EmbeddingError(ValueError):
    """Why a registry cannot be made as it was asked for, in one sentence."""


def listed(names: Names) -> tuple[str, ...]:
    """The names, where one alone may stand for itself; each of them once."""
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))


def like(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that there is not: which ones are like it."""
    close = difflib.get_close_matches(name, sorted(known), n=3)
    return f"; close matches: {', '.join(close)}" if close else ""


def _unknown(kind: str, name: str, known: Iterable[str]) -> EmbeddingError:
    return EmbeddingError(f"there is no {kind} {name!r}{like(name, known)}")


def find_faults(names: Names) -> tuple[Fault, ...]:
    """The faults of some names; they are loaded only where one is named.

    Raises:
        EmbeddingError: there is none of a name.
    """
    if not (wanted := listed(names)):
        return ()
    from reference import faults  # noqa: PLC0415 - not for a registry as it should be

    return tuple(_find("fault", wanted, faults.ALL))


def find_variants(names: Names) -> tuple[Variant, ...]:
    """The variants of some names; they are loaded only where one is named.

    Raises:
        EmbeddingError: there is none of a name.
    """
    if not (wanted := listed(names)):
        return ()
    from reference import variants  # noqa: PLC0415 - as above

    return tuple(_find("variant", wanted, variants.ALL))


def _find(kind: str, names: Iterable[str], known: Mapping[str, _M]) -> Iterator[_M]:
    for name in names:
        if name not in known:
            raise _unknown(kind, name, known)
        yield known[name]


def legal_variants(
    chosen: Names = ALL, *, profile: str | None = None, without: Names = (), needs: Names = ()
) -> tuple[str, ...]:
    """The names of the variants that a client should work with, one after the other.

    Args:
        chosen: ``all``, or themes and variants. A theme is a resource such as ``push.locations``,
            or a category such as ``push``.
        profile: only what this profile allows: ``docker-v2``, ``oci-1.0``, ``oci-1.1``, ``oci-1.2-dev``.
        without: themes and variants that are left out.
        needs: optional parts that the client cannot do without, such as ``delete-tag``; variants that
            lack one are left out.

    Raises:
        EmbeddingError: there is none of a name, or nothing is left.
    """
    from reference import variants  # noqa: PLC0415 - as above

    if profile is not None and profile not in PROFILES:
        raise _unknown("profile", profile, PROFILES)
    parts = {part for variant in variants.ALL.values() for part in variant.lacks}
    for part in listed(needs):
        if part not in parts:
            raise _unknown("optional part", part, parts)
    left_out = {name for each in listed(without) for name in _of_theme(each, variants.BY_MODULE)}
    found = [name for each in listed(chosen) for name in _of_theme(each, variants.BY_MODULE)]
    left = tuple(
        name
        for name in dict.fromkeys(found)
        if name not in left_out
        and (profile is None or profile in variants.ALL[name].profiles)
        and not set(listed(needs)) & set(variants.ALL[name].lacks)
    )
    if not left:
        raise EmbeddingError(f"no variant is left of {', '.join(listed(chosen)) or 'none'}")
    return left


def _of_theme(name: str, modules: Mapping[str, tuple[Variant, ...]]) -> list[str]:
    """The variants of a theme that show without logins, TLS or notifications; a variant by its name in any case."""
    themes = {theme for module in modules for theme in _prefixes(module)}
    known = {variant.name for found in modules.values() for variant in found}
    if name in known:
        return [name]
    if name != ALL and name not in themes:
        raise _unknown("variant or theme", name, known | themes | {ALL})
    return [
        variant.name
        for module, found in modules.items()
        for variant in found
        if variant.configuration == "memory" and (name == ALL or name in _prefixes(module))
    ]


def _prefixes(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:number]) for number in range(1, len(parts) + 1)]
