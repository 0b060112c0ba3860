"""What JUnit and Allure are told of a scenario beyond its name: requirements, levels, sources, exchanges."""

from __future__ import annotations

import json

import allure
import pytest
from allure_commons.types import AttachmentType

from conformance.verdict.rollup import Record
from spec.catalogue import Catalogue


def label(item: pytest.Item, catalogue: Catalogue, requirements: tuple[str, ...], *, with_allure: bool) -> None:
    """Add the requirements of a scenario as JUnit properties and, where wanted, as Allure labels and links."""
    for name in requirements:
        requirement = catalogue.requirement(name)
        levels = " ".join(f"{profile}={level.value}" for profile, level in requirement.levels.items())
        item.user_properties += [("requirement", name), (f"levels of {name}", levels)]
        if not with_allure:
            continue
        for kind, value in (("requirement", name), ("feature", requirement.category), ("story", name)):
            item.add_marker(pytest.mark.allure_label(value, label_type=kind))
        for profile, level in requirement.levels.items():
            item.add_marker(pytest.mark.allure_label(level.value, label_type=f"level {profile}"))
        for citation in requirement.sources:
            source = catalogue.sources[citation.document]
            title = f"{name}: {source.title}, {citation.section}"
            item.add_marker(pytest.mark.allure_link(source.url, link_type="link", name=title))


def attach(found: Record) -> None:
    """Attach the judgements of a scenario and the exchanges behind each finding to its Allure result."""
    for judgement in found["judgements"]:
        told = f"{judgement['requirement']}: {judgement['outcome']}"
        detail = {key: judgement[key] for key in ("outcome", "reason", "expected", "actual", "curl") if judgement[key]}
        allure.attach(json.dumps(detail, indent=1), told, AttachmentType.JSON)
        if judgement["exchanges"]:
            text = json.dumps(judgement["exchanges"], indent=1)
            allure.attach(text, f"{judgement['requirement']}: exchanges", AttachmentType.JSON)
