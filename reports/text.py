"""Text of unknown origin made safe to show: what a reader cannot see, or what deceives, is spelt out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

#: Anything that is neither printable ASCII nor the white space of a text block.
_SUSPECT = re.compile(r"[^\x20-\x7e\n\t]")
#: Shown as it is only in blocks; in a line these are spelt out like other controls.
_BLANK = re.compile(r"[\n\t]")
#: Accents that follow one another without end would be drawn over the lines around them.
_MARKS_IN_A_ROW = 2


def escape_sequence(character: str) -> str:
    r"""Return the visible spelling of a character, such as ``\u{202e}``."""
    return f"\\u{{{ord(character):x}}}"


def is_deceptive(character: str) -> bool:
    """Tell whether a character is invisible, moves others about, or has no agreed shape."""
    category = unicodedata.category(character)
    return category[0] == "C" or category in {"Zl", "Zp"} or (category == "Zs" and character != " ")


def spell_out(text: str, replace: Callable[[str], str], *, block: bool) -> str:
    """Replace each deceptive character of a text; in a ``block`` line ends and tabs stay."""
    marks = 0
    last_end = -1

    def one(match: re.Match[str]) -> str:
        nonlocal marks, last_end
        character = match.group()
        if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
            marks = marks + 1 if match.start() == last_end else 1
            last_end = match.end()
            return replace(character) if marks > _MARKS_IN_A_ROW else character
        return replace(character) if is_deceptive(character) else character

    pattern = _SUSPECT if block else re.compile(f"{_SUSPECT.pattern}|{_BLANK.pattern}")
    return pattern.sub(one, text)


def visible(text: str, *, block: bool = False) -> str:
    r"""Return a text that shows all it contains, e.g. a bidi override as ``\u{202e}``."""
    return spell_out(text, escape_sequence, block=block)


def shorten(text: str, limit: int) -> str:
    """Cut a text that is longer than ``limit`` characters and say how much is left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def safe_url(url: str) -> str:
    """Return a URL that may stand in a link, or an empty string where it is none of http or https."""
    printable = url.isascii() and url.isprintable() and " " not in url
    return url if printable and re.match(r"https?://[^/]", url) else ""


_MARKDOWN = re.compile(r"[\\`*_\[\]#|~$>]|:(?=//)|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")


def markdown(text: str) -> str:
    """Return a text as one line of Markdown that shows it literally: no markup, link or mention arises."""
    line = visible(" ".join(text.split("\n")))
    line = line.replace("&", "&amp;").replace("<", "&lt;")
    line = _MARKDOWN.sub(lambda match: "\\" + match.group(), line)
    # A backslash does not stop GitHub's mentions and issue links, an empty comment does.
    line = re.sub(r"@(?=[\w\\])", "@<!-- -->", line)
    line = re.sub(r"\\#(?=\w)", r"\\#<!-- -->", line)
    return re.sub(r"(?i)\b(www|gh)(?=[.\-])", r"\1<!-- -->", line)


def markdown_code(text: str) -> str:
    """Return a text as a Markdown code span, fit for a table cell too."""
    line = visible(" ".join(text.split("\n")))
    ticks = max((len(run) for run in re.findall("`+", line)), default=0) + 1
    fence = "`" * ticks
    pad = " " if line.startswith("`") or line.endswith("`") or not line.strip() else ""
    return (fence + pad + (line or " ") + pad + fence).replace("|", "\\|")


def markdown_block(text: str, language: str = "") -> str:
    """Return a text as a fenced Markdown block that it cannot end."""
    body = visible(text, block=True)
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", body)), default=0) + 1)
    return f"{fence}{language}\n{body}\n{fence}"
