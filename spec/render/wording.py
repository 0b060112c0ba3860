"""Text of the specification as HTML: escaped first, then with links to what it names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup, escape

from spec.trace import ID

_NAMES = re.compile(rf"{ID.pattern}(?![A-Z0-9*-])|`[^`]+`")
_JSON = re.compile(r"&#34;(#/components/(\w+)/([\w.-]+))&#34;|&#34;(" + ID.pattern + r")&#34;")


def prose(text: str, link: Callable[[str], str | None]) -> Markup:
    """Give a sentence with its `code` and with links to the requirements that it names."""

    def replace(match: re.Match[str]) -> str:
        found = match[0]
        if found.startswith("`"):
            return f"<code>{found[1:-1]}</code>"
        url = link(found.rstrip("-"))
        return f'<a href="{escape(url)}">{found}</a>' if url else found

    # Neither a backtick nor an id holds anything that is escaped, so that both are found behind it.
    return Markup(_NAMES.sub(replace, str(escape(text))))  # noqa: S704  escaped in this line


def source_text(node: Any, links: Mapping[str, str], link: Callable[[str], str | None]) -> Markup:
    """Give a part of the OpenAPI document as JSON, with links along its references and to requirements."""

    def replace(match: re.Match[str]) -> str:
        shown = match[1] or match[4]
        url = links.get(f"{match[2]}/{match[3]}") if match[1] else link(shown)
        return f'&#34;<a href="{escape(url)}">{shown}</a>&#34;' if url else match[0]

    text = json.dumps(node, ensure_ascii=False, indent=1)
    return Markup(_JSON.sub(replace, str(escape(text))))  # noqa: S704  escaped in this line
