"""``registry-conformance list``: the requirements of the catalogue, without a run."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from spec.catalogue import CATEGORIES, Catalogue, load
from spec.model import Level, Requirement

_PROFILES = tuple(load().profiles)


@click.command("list")
@click.option("--profile", multiple=True, type=click.Choice(_PROFILES), help="those of this profile (repeatable)")
@click.option("--level", multiple=True, type=click.Choice([*Level]), help="those of this level (repeatable)")
@click.option("--category", multiple=True, type=click.Choice(CATEGORIES), help="those of this category (repeatable)")
@click.option("--section", metavar="TEXT", help="those whose source has this in the title of its section")
@click.option("--format", "form", type=click.Choice(["text", "json", "ids"]), default="text", help="text by default")
def listing(
    profile: tuple[str, ...], level: tuple[str, ...], category: tuple[str, ...], section: str | None, form: str
) -> None:
    """List requirements: what a run would judge. Nothing is sent to any registry.

    With --profile, --level is the level in that profile.
    """
    catalogue = load()
    profiles = profile or tuple(catalogue.profiles)
    found = [
        requirement
        for requirement in catalogue
        if any(requirement.levels.get(one) in (level or (*Level,)) for one in profiles)
        and (not category or requirement.category in category)
        and (not section or _cites(requirement, section))
    ]
    lines = {"text": _text, "json": _json, "ids": _ids}[form]
    for line in lines(catalogue, found, profiles):
        click.echo(line)


def _cites(requirement: Requirement, section: str) -> bool:
    return any(section.casefold() in citation.section.casefold() for citation in requirement.sources)


def _text(_catalogue: Catalogue, found: list[Requirement], profiles: tuple[str, ...]) -> Iterator[str]:
    for one in found:
        levels = ", ".join(f"{profile} {one.levels[profile]}" for profile in profiles if profile in one.levels)
        yield f"{one.id}  ({levels}){'  not testable' if one.untestable else ''}"
        yield f"    {one.statement}"
    yield f"{len(found)} requirements"


def _ids(_catalogue: Catalogue, found: list[Requirement], _profiles: tuple[str, ...]) -> Iterator[str]:
    yield from (one.id for one in found)


def _json(catalogue: Catalogue, found: list[Requirement], _profiles: tuple[str, ...]) -> Iterator[str]:
    entries = [
        {
            "id": one.id,
            "category": one.category,
            "statement": one.statement,
            "levels": one.levels,
            "sources": [
                {"document": c.document, "section": c.section, "url": catalogue.sources[c.document].url}
                for c in one.sources
            ],
            "needs": one.needs,
            "untestable": one.untestable,
        }
        for one in found
    ]
    yield json.dumps(entries, indent=1)
