"""The pages of the faults and the variants of the reference registry."""

from __future__ import annotations

from collections.abc import Iterator

from docs.site.facts import TITLES, Facts, group
from docs.site.markdown import code, contents, entry, fields, plural, prose, roles
from reference.modifications import PROFILES, Fault, Variant
from spec.catalogue import CATEGORIES, PREFIXES

_CATEGORY = {prefix: category for category, prefix in PREFIXES.items()}


def pages(facts: Facts) -> Iterator[tuple[str, str]]:
    """Give the pages by name."""
    faults: dict[str, dict[str, list[Fault]]] = {category: {} for category in CATEGORIES}
    for fault in facts.faults.values():
        broken = fault.breaks[0]
        faults[_CATEGORY[broken.partition("-")[0]]].setdefault(group(broken), []).append(fault)
    yield "faults", _index(facts)
    for category, groups in faults.items():
        text = f"# {TITLES[category]}: faults\n"
        for name in sorted(groups):
            found = sorted(groups[name], key=lambda fault: fault.name)
            text += f"\n## {name}\n\n" + "\n".join(_fault(facts, fault) for fault in found)
        yield f"faults/{category}", text
    yield "variants", _variants(facts)


def _index(facts: Facts) -> str:
    return f"""# Faults

A fault is a deliberate breach of the reference registry: {plural(len(facts.faults), "fault")}. Each names the
requirements that it breaks. A run against the registry with a fault must find what it breaks, and nothing but what may
be found beside it.

```console
$ registry serve --memory --addr 127.0.0.1:5000 --fault NAME
```

The pages below have the faults by the category of the first requirement that they break.

{contents((f"faults/{category}" for category in CATEGORIES), 2)}"""


def _fault(facts: Facts, fault: Fault) -> str:
    body = fields(
        [
            ("Breaks", roles("req", fault.breaks)),
            ("May be found too", roles("req", fault.also)),
            ("Configuration", code(fault.configuration) if fault.configuration != "memory" else ""),
            ("Beside", roles("variant", fault.variants)),
            ("Options", ", ".join(map(code, fault.options))),
            (
                "Seldom",
                "It shows in few requests, so that only a whole run is sure to meet it." if fault.seldom else "",
            ),
        ]
    )
    return entry("fault", fault.name, f"{prose(fault.title, facts.known)}\n\n{body}")


def _variants(facts: Facts) -> str:
    entries = "\n".join(_variant(facts, facts.variants[name]) for name in sorted(facts.variants))
    return f"""# Variants

A variant is a deliberate oddity of the reference registry that the specification allows:
{plural(len(facts.variants), "variant")}. A run against the registry with a variant must accuse it of nothing. Some
variants do without an optional part, and some do otherwise than a SHOULD asks.
The [list of what is allowed](../latitude.md) explains the entries under *Allowed by*.

```console
$ registry serve --memory --addr 127.0.0.1:5000 --variant NAME
```

{entries}"""


def _variant(facts: Facts, variant: Variant) -> str:
    everywhere = tuple(variant.profiles) == PROFILES
    body = fields(
        [
            ("Allowed by", ", ".join(map(code, variant.latitude))),
            ("Profiles", "" if everywhere else roles("profile", variant.profiles)),
            ("Lacks", roles("capability", (name for name in variant.lacks if name in facts.known.capabilities))),
            ("Warned of", roles("req", (name for name in variant.warns if name in facts.known))),
            ("Configuration", code(variant.configuration) if variant.configuration != "memory" else ""),
            ("Options", ", ".join(map(code, variant.options))),
            ("Undecided", "Not every MUST can be decided." if variant.undecided else ""),
        ]
    )
    return entry("variant", variant.name, f"{prose(variant.title, facts.known)}\n\n{body}")
