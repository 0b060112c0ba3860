"""The Sphinx extension of this site: generated pages, and roles for what they name."""

from __future__ import annotations

from typing import Any

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.std import GenericObject

from docs.site import links, pages, swagger

#: The kinds of things with an entry of their own: directive, role, what search calls them, whether
#: a page lists them.
KINDS = (
    ("requirement", "req", "requirement", True),
    ("operation", "operation", "operation", False),
    ("fault", "fault", "fault", False),
    ("variant", "variant", "variant", False),
    ("profile", "profile", "profile", True),
    ("capability", "capability", "optional part", True),
    ("source", "source", "source", True),
    ("code", "errorcode", "error code", True),
    ("setting", "setting", "option", True),
    ("schema", "schema", "schema", True),
    ("part", "part", "shared part", True),
)


class Listed(GenericObject):
    """An entry that stands in the contents of its page as well."""

    def _object_hierarchy_parts(self, sig_node: addnodes.desc_signature) -> tuple[str, ...]:
        return (sig_node.astext(),)

    def _toc_entry_name(self, sig_node: addnodes.desc_signature) -> str:
        return str(sig_node["_toc_parts"][0])


def register(app: Sphinx) -> None:
    """Register the kinds of entries, and what becomes of links that leave docs/."""
    for directive, role, title, listed in KINDS:
        name, template = f"{directive}-entry", f"single: %s ({title})"
        app.add_object_type(name, role, indextemplate=template, objname=title)
        # What is searched for by its name comes before the texts that mention it.
        app.registry.domain_object_types["std"][name].attrs["searchprio"] = 0
        if listed:
            made = type("Entry", (Listed,), {"indextemplate": template})
            app.add_directive_to_domain("std", name, made, override=True)
    app.add_config_value("source_url", "", "env")
    app.add_transform(links.SourceLinks)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    register(app)
    app.connect("builder-inited", pages.write)
    app.connect("html-page-context", swagger.add_scripts)
    app.connect("build-finished", swagger.copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
