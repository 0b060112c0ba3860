"""Each fault and each variant shows, and none of them is known to the code that answers rightly."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import reference
from reference import faults, modifications, variants
from reference.app import Registry
from reference.messages import Application
from reference.modifications import PROFILES, modify
from reference.storage.memory import MemoryStorage
from spec import catalogue
from tests.reference import probe

#: What shows in the bytes on the wire, or in time, only.
ON_THE_WIRE = {
    "early-hints",
    "header-names-cased",
    "http-1-0",
    "reason-empty",
    "session-expires",
    "slow",
    "slow-now-and-then",
}
#: What shows to requests that the transcript does not have; the right answers to these it must
#: give.
ELSEWHERE = {
    "accept-index-to-child",
    "blob-limit-413",
    "blob-limit-denied",
    "blobs-go-with-last-manifest",
    "bytes-quota",
    "bytes-quota-of-repository",
    "coded-where-accepted",
    "delete-again-202",
    "digest-any-case",
    "known-blob-201-at-once",
    "layers-limit",
    "manifest-goes-with-last-tag",
    "manifest-members-twice-refused",
    "manifest-ranges",
    "manifest-sizes-checked",
    "manifest-unchecked",
    "manifest-unknown-members-refused",
    "manifests-quota",
    "names-not-deep",
    "push-type-required",
    "referrers-quota",
    "repositories-quota",
    "slashes-matter",
    "subject-type-checked",
    "tags-quota",
    "upload-body-limit",
    "upload-length-required",
}
#: What answers some requests with a server error, as something between the suite and a registry
#: may.
SERVER_ERRORS = {"gateway-with-a-dead-server"}
#: The faults that show under one condition each.
CONDITIONAL = {
    fault.name for module, found in faults.BY_MODULE.items() if module.startswith("conditions.") for fault in found
}
#: What shows where there are logins (test_login_faults.py).
WITH_LOGINS = {name for name, variant in variants.ALL.items() if variant.configuration != "memory"}


@cache
def right() -> list[probe.Normal]:
    return [answer.normal() for answer in probe.transcript(Registry(MemoryStorage()))]


def modified(*, fault: str = "", variant: str = "") -> Application:
    chosen = [faults.ALL[fault]] if fault else []
    return modify(Registry(MemoryStorage()), [*chosen, variants.ALL[variant]] if variant else chosen)


def test_two_right_registries_answer_alike() -> None:
    assert not probe.differs(modified(), right())


def test_a_right_registry_never_answers_with_a_server_error() -> None:
    assert not [answer for answer in right() if answer[0] >= 500]


def test_most_faults_show_to_the_fixed_sequence() -> None:
    """The suite convicts the other faults, which need other or concurrent requests (tests/faults).

    Those that show under one condition only are not meant to show here.
    """
    names = [n for n, fault in faults.ALL.items() if fault.configuration == "memory" and n not in CONDITIONAL]
    shown = [name for name in names if probe.differs(modified(fault=name), right())]
    assert len(shown) > len(names) * 0.6, sorted(set(names) - set(shown))


@pytest.mark.parametrize("name", sorted(set(variants.ALL) - ON_THE_WIRE - ELSEWHERE - WITH_LOGINS))
def test_a_variant_shows_and_is_no_server_error(name: str) -> None:
    answers = probe.transcript(modified(variant=name))
    assert [answer.normal() for answer in answers] != right()
    assert any(answer.status >= 500 for answer in answers) == (name in SERVER_ERRORS)


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_variant_that_shows_elsewhere_changes_nothing_here(name: str) -> None:
    assert not probe.differs(modified(variant=name), right())


def test_faults_and_variants_name_what_there_is() -> None:
    known = catalogue.load()
    for fault in faults.ALL.values():
        assert fault.breaks, fault.name
        assert set(fault.breaks + fault.also) <= set(known.requirements), fault.name
        assert not set(fault.breaks) & set(fault.also), fault.name
    for variant in variants.ALL.values():
        assert set(variant.warns) <= set(known.requirements), variant.name
        assert set(variant.lacks) <= set(known.capabilities), variant.name
        assert variant.profiles
        assert set(variant.profiles) <= set(PROFILES)


def test_every_fault_and_variant_has_a_name_of_its_own() -> None:
    names = [fault.name for module in faults.BY_MODULE.values() for fault in module]
    names += [variant.name for module in variants.BY_MODULE.values() for variant in module]
    assert len(set(names)) == len(names)


def test_what_all_registries_share_cannot_be_replaced() -> None:
    registry = Registry(MemoryStorage())
    for shared, name in ((Registry, "Registry"), (modifications, "reference.modifications")):
        with pytest.raises(TypeError, match=f"{name} belongs to every registry"):
            modifications.override(shared, finish=registry.finish)


def test_the_code_that_answers_rightly_does_not_know_of_them() -> None:
    root = Path(reference.__file__).parent
    allowed = {
        "__init__.py",
        "__main__.py",
        "embedding",
        "launch",
        "modifications",
        "faults",
        "pytest_plugin.py",
        "variants",
    }
    for path in root.rglob("*.py"):
        if path.relative_to(root).parts[0] in allowed:
            continue
        assert not re.search(r"import.*(faults|variants|modifications)", path.read_text()), path
