"""The pages of options, verdicts and profiles."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.run.option_table import Option
from docs.site.facts import Facts
from docs.site.markdown import code, entry, escape, fields, plural, prose, role, roles, table
from spec.model import Level, Outcome, weigh


def pages(facts: Facts) -> Iterator[tuple[str, str]]:
    """Give the pages by name."""
    yield "options", _options(facts)
    yield "verdicts", _verdicts()
    yield "profiles", _profiles(facts)


def _options(facts: Facts) -> str:
    entries = "\n".join(_option(facts, option) for option in facts.options)
    return f"""# Options

`pytest conformance` takes each option on the command line, as an environment variable, or as a setting of the table
`[tool.pytest]`. The command line comes first, then the environment, then the table. A list is separated by spaces in
the environment. `make certify` takes them too: `make certify OPTIONS="--profile oci-1.0 -n auto"`.

{entries}"""


def _option(facts: Facts, option: Option) -> str:
    value = "" if option.kind == "flag" else f" {option.metavar}"
    body = fields(
        [
            ("Usage", code(f"{option.flag}{value}")),
            ("Environment", code(option.variable)),
            ("Setting", code(option.ini)),
            ("Default", code(option.default) if option.default else ""),
            ("Values", ", ".join(map(code, option.choices))),
        ]
    )
    return entry("setting", option.flag, f"{prose(option.help[:1].upper() + option.help[1:], facts.known)}.\n\n{body}")


def _verdicts() -> str:
    rows = [[outcome.value, *(code(str(weigh(outcome, level))) for level in Level)] for outcome in Outcome]
    return f"""# Verdicts

A scenario finds a fact, the *outcome*. It is the same for every profile. A profile has a *level* for a requirement, and
the two together make the *verdict* in that profile:

{table(("Outcome", *(level.value for level in Level)), rows)}

```{{include}} ../../README.md
:start-after: "## Read a verdict"
:end-before: "## Reports"
:relative-docs: docs/
```
"""


def _profiles(facts: Facts) -> str:
    known = facts.known
    lacking = {
        name: [variant.name for variant in facts.variants.values() if name in variant.lacks]
        for name in known.capabilities
    }
    profiles = "\n".join(
        entry(
            "profile",
            profile.id,
            f"{escape(profile.title)}: {plural(len(known.of_profile(profile.id)), 'requirement')}.\n\n"
            + fields([("Sources", roles("source", profile.sources))]),
        )
        for profile in known.profiles.values()
    )
    sources = "\n".join(
        entry("source", source.id, f"{_linked(source.title, source.url)}, {escape(source.version)}")
        for source in known.sources.values()
    )
    capabilities = "\n".join(
        entry(
            "capability",
            capability.id,
            f"{prose(capability.title, known)}\n\n"
            + fields([("Shown by", prose(capability.probe, known)), ("Lacking in", roles("variant", lacking[name]))]),
        )
        for name, capability in known.capabilities.items()
    )
    codes = "\n".join(
        entry("code", name, fields([("Named by", roles("req", ids))]) if ids else "No requirement names it.")
        for name, ids in _codes(facts).items()
    )
    return f"""# Profiles and sources

## Profiles

A profile is a version of the specification that a registry is judged by. One run answers for all of them.
{role("setting", "--profile")} chooses the one that decides the exit code.

{profiles}

## Sources

The documents that requirements cite, each at one version.

{sources}

## Optional parts

A registry may lack these. {role("setting", "--capability")} declares one present or absent.

{capabilities}

## Error codes

The codes in the JSON body of a refusal.

{codes}"""


def _linked(title: str, url: str) -> str:
    return f"[{escape(title)}]({url})" if "://" in url else escape(title)


def _codes(facts: Facts) -> dict[str, list[str]]:
    """Give each error code with the requirements whose statements name it."""
    return {
        code: [each.id for each in facts.known if f" {code}" in f" {each.statement}"] for code in facts.reader.codes()
    }
