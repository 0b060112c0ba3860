"""The OpenAPI document in Swagger UI, from an installed package; nothing is fetched."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from spec import document

#: The package is a plugin of MkDocs, but needs no MkDocs: it is the one on PyPI that keeps up with
#: Swagger UI.
_BUNDLE = files("mkdocs_swagger_ui_tag") / "swagger-ui"
_FILES = {"swagger-ui-bundle.js": "javascripts/swagger-ui-bundle.js", "swagger-ui.css": "stylesheets/swagger-ui.css"}
NAME = "reference/openapi"
PAGE = """---
hide-toc: true
---

# The OpenAPI document

The contract of the API with examples, shown by Swagger UI. [Operations](operations.md) has the same with the
requirements of each place.

```{raw} html
<p><a href="../_static/openapi.json" download>openapi.json</a> is the document in one file.</p>
<div id="swagger-ui">This page needs JavaScript.</div>
```
"""


def add_scripts(app: Sphinx, name: str, _template: str, _context: dict[str, Any], _tree: nodes.document | None) -> None:
    """Let the page of the document load Swagger UI, and no other page."""
    if name == NAME:
        app.add_css_file("swagger-ui.css")
        for script in ("swagger-ui-bundle.js", "openapi.js", "openapi-page.js"):
            app.add_js_file(script, priority=900)


def copy(app: Sphinx, failure: Exception | None) -> None:
    """Put the bundle and the document into the site."""
    if failure or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for name, source in _FILES.items():
        with (_BUNDLE / source).open("rb") as read, (static / name).open("wb") as written:
            shutil.copyfileobj(read, written)
    whole = document.load(Path(app.srcdir).parent / "spec")
    (static / "openapi.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
    # A page that is opened as a file may fetch nothing, so the document is a script as well.
    text = json.dumps(shown(whole), ensure_ascii=False)
    (static / "openapi.js").write_text(f"window.openapi = {text};\n", encoding="utf-8")


def shown(whole: dict[str, Any]) -> dict[str, Any]:
    """Give a document with the parameters of each path in its operations, for Swagger UI."""
    known: dict[str, dict[str, Any]] = whole["components"]["parameters"]

    def written(parameter: dict[str, Any]) -> dict[str, Any]:
        name = str(parameter.get("$ref", "")).removeprefix("#/components/parameters/")
        return known.get(name, parameter)

    paths = {
        path: {**item, "parameters": [written(each) for each in item["parameters"]]} if "parameters" in item else item
        for path, item in whole["paths"].items()
    }
    return {**whole, "paths": paths}
