"""Links that leave docs/: to documents with a page here, and to files of the repository."""

from __future__ import annotations

import os.path
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

#: Documents beside docs/, and the pages that show them.
SHOWN = {"README.md": "index", "CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog"}


class SourceLinks(SphinxTransform):
    """Makes a link to a file of the repository lead to ``source_url``, or a plain name."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        """Go through the links of a document."""
        for node in [
            *self.document.findall(addnodes.pending_xref),
            *self.document.findall(addnodes.download_reference),
        ]:
            if node.get("reftype") == "myst" and not str(node["reftarget"]).startswith("#"):
                self._mend(node)

    def _mend(self, node: nodes.Element) -> None:
        target = str(node["reftarget"]).partition("#")[0]
        folder = Path(self.env.srcdir)
        if node.get("refdomain") == "doc":
            if target in self.env.found_docs:
                return
            path = folder / f"{target}.md"
        else:
            path = Path(self.env.doc2path(self.env.docname)).parent / target
        root = folder.parent
        # A page may include a document that stands beside docs/, whose links begin there.
        found = next((p for p in (path, root / target) if p.exists()), None)
        name = os.path.relpath(found, root) if found else ""
        if not found or name.startswith(".."):
            return  # MyST warns of it
        if name in SHOWN:
            node["refdomain"], node["reftarget"], node["reftargetid"] = "doc", SHOWN[name], None
        else:
            self._replace(node, name)

    def _replace(self, node: nodes.Element, name: str) -> None:
        url = self.config.source_url
        if url:
            shown: nodes.Element = nodes.reference("", "", *node.children, refuri=f"{url.rstrip('/')}/{name}")
        elif node.astext().strip("/") == name:
            shown = nodes.literal(name, name)
        else:
            shown = nodes.inline("", "", *node.children, nodes.Text(" ("), nodes.literal(name, name), nodes.Text(")"))
        node.replace_self(shown)
