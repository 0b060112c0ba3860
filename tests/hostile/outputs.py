"""Complaints about the outputs of a run: they show the target's data as text, and no secret."""

from __future__ import annotations

import html.parser
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

#: What no output may hold: the password of the account, as it is and in the Base64 of its login,
#: and any token.
_SECRET = re.compile("the-password-of|dGhlLXBhc3N3b3JkLW9m|eyJhbGciOiJ[A-Za-z0-9_-]{8,}\\.eyJ")
REPORT = frozenset({"report.json", "report.html", "summary.md"})
#: What a terminal would obey, or what would move text about.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: All that XML 1.0 has no room for.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {"testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped"}
_ELEMENTS |= {"system-out", "system-err"}
#: What the summary has of HTML: an empty comment, and folds with a title of our own.
_FOLD = re.compile(r"<!-- -->|<details><summary>[\w ,:]+</summary>\n|</details>\n?")
_ACTIVE = {"iframe", "object", "embed", "img", "base", "form", "video", "audio", "frame", "math", "image"}
#: The icon of the page is our own, and in it.
_ICON = "data:image/svg+xml,"


def flaws(folder: Path, text: str) -> Iterator[str]:
    """Return what is wrong with the outputs of a run, and with what it printed."""
    if bad := _CONTROL.search(text):
        yield f"It printed the control character {bad.group()!r}: {text[max(0, bad.start() - 80) : bad.end() + 40]!r}"
    names = {path.name for path in (folder / "report").glob("*")} | {p.name for p in (folder / "report").glob(".*")}
    if not names <= REPORT:
        yield f"The folder of the report holds {', '.join(sorted(names - REPORT))}."
    files = [path for place in ("report", "outputs") for path in (folder / place).rglob("*") if path.is_file()]
    texts = {path.name: path.read_text("utf-8", "replace") for path in files}
    for name, content in {"the terminal": text, **texts}.items():
        if secret := _SECRET.search(content):
            yield f"A secret is in {name}: {content[max(0, secret.start() - 80) : secret.end()]!r}"
    for path in files:
        yield from _flaws_of(path, texts[path.name])


def _flaws_of(path: Path, text: str) -> Iterator[str]:
    check = {".html": _page, ".md": _summary, ".xml": _junit, ".json": _json}.get(path.suffix)
    if check:
        for flaw in check(text):
            yield f"{path.name}: {flaw}"


def _json(text: str) -> Iterator[str]:
    try:
        json.loads(text)
    except ValueError as error:
        yield f"it is no JSON ({error})."


def _junit(text: str) -> Iterator[str]:
    if "<!" in text.replace("<![CDATA[", ""):
        yield "it declares something."
        return
    if bad := _NO_XML.search(text):
        yield f"XML has no place for {bad.group()!r}."
    try:
        tree = ET.fromstring(text)  # noqa: S314  # what our own run wrote; no entity of it is ever declared
    except ET.ParseError as error:
        yield f"it is no XML ({error})."
        return
    if strange := {element.tag for element in tree.iter()} - _ELEMENTS:
        yield f"it has elements {', '.join(sorted(strange))}."


def _summary(text: str) -> Iterator[str]:
    if bad := _CONTROL.search(text):
        yield f"it holds the control character {bad.group()!r}."
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        for one in (token, *(token.children or ())):
            if one.type in {"html_block", "html_inline"} and not _FOLD.fullmatch(one.content):
                yield f"it has the markup {one.content[:80]!r}."
            if one.type in {"image"} or (one.type == "link_open" and not _cites(str(one.attrs.get("href", "")))):
                yield f"it has a link {one.attrs}."


def _cites(href: str) -> bool:
    return href.startswith("https://")


def _page(text: str) -> Iterator[str]:
    if bad := _CONTROL.search(text):
        yield f"it holds the control character {bad.group()!r}."
    reader = _Reader()
    reader.feed(text)
    yield from sorted(set(reader.flaws))
    if reader.scripts != 1:
        yield f"it has {reader.scripts} scripts."


class _Reader(html.parser.HTMLParser):
    """Reads a page and notes what of it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.flaws: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts, what loads something, and what waits for an event."""
        self.scripts += tag == "script"
        if tag in _ACTIVE:
            self.flaws.append(f"it has an element {tag}.")
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "src", "srcset", "action"}:
                self.flaws.append(f"an element {tag} has the attribute {name}.")
            if name == "href" and not (value or "").startswith(_ICON if tag == "link" else ("#", "https://")):
                self.flaws.append(f"it links to {value!r}.")
