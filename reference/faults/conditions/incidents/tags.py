"""Faults that depend on the form of a tag."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reference.app import Registry
from reference.modifications import Fault, override

_VERSION = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")


def _version(tag: str) -> object:
    match = _VERSION.fullmatch(tag)
    if match is None:
        return tag
    numbers = [int(number) for number in match[1].split(".")]
    while numbers[1:] and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _versions_once(registry: Registry) -> None:
    order = registry.tags.order

    def changed(tags: Sequence[str]) -> Sequence[str]:
        once: dict[object, str] = {}
        for tag in order(tags):
            once.setdefault(_version(tag), tag)
        return list(once.values())

    override(registry.tags, order=changed)


FAULTS = (
    Fault(
        name="equal-versions-listed-once",
        title="Of tags that are the same version, as v1.2 and 1.2.0, one is listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        apply=_versions_once,
    ),
)
