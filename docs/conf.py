"""How Sphinx builds the site; ``make docs`` runs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

project = "registry-conformance"
copyright = "the authors of registry-conformance, Apache-2.0"
language = "en"
extensions = ["myst_parser", "sphinx_design", "sphinx_copybutton", "docs.site"]
exclude_patterns = ["site", "pictures"]
root_doc = "index"
nitpicky = True
#: The address of the repository's files, up to the branch; without it, links to them become plain
#: names.
source_url = os.environ.get("DOCS_SOURCE_URL", "")

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist", "attrs_inline"]
# Pages link to headings as GitHub does: architecture.md#words.
myst_heading_anchors = 4

html_theme = "furo"
html_title = "registry-conformance"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"
# Names of requirements are searched for as they are written.
html_search_options = {"type": "default"}
