"""Whatever a target says is shown as text: on the page, in Markdown, in a message."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import check, html, summary
from reports.text import is_deceptive, markdown, markdown_block, markdown_code, safe_url, shorten, visible
from tests.reports import samples


@given(st.text(st.characters(codec=None)))
def test_visible_shows_all(text: str) -> None:
    line = visible(text)
    assert not any(is_deceptive(character) for character in line)
    assert "\n" not in line and "\t" not in line
    line.encode("utf-8")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_visible_leaves_plain_text_alone(text: str) -> None:
    assert visible(text) == text


def test_visible_keeps_letters_and_spells_out_the_rest() -> None:
    assert visible("Größe 容器 e\u0301") == "Größe 容器 e\u0301"
    assert visible("a\u202eb\x00\x1b[1m\u00a0\ud800") == r"a\u{202e}b\u{0}\u{1b}[1m\u{a0}\u{d800}"
    assert visible("a\r\n\tb", block=True) == "a\\u{d}\n\tb"
    assert visible("e" + "\u0301" * 4) == "e\u0301\u0301" + r"\u{301}\u{301}"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b#c", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ("https://a b", False),
        (" https://a", False),
        ("https://a\u202e", False),
        ("", False),
    ],
)
def test_only_web_links_become_links(url: str, safe: bool) -> None:
    assert bool(safe_url(url)) is safe


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1. a", r"1\. a"),
        ("- a", r"\- a"),
        ("# a", r"\# a"),
        ("a*b_c`d", r"a\*b\_c\`d"),
        ("<b>&amp;", r"&lt;b\>&amp;amp;"),
        ("[a](b)|c", r"\[a\](b)\|c"),
        ("one\ntwo", "one two"),
        ("see https://x", r"see https\://x"),
        ("@user and me@host", "@<!-- -->user and me@<!-- -->host"),
    ],
)
def test_markdown_is_literal(text: str, written: str) -> None:
    assert markdown(text) == written


@given(st.text(st.sampled_from("`| a\n\\")))
def test_code_cannot_be_ended_from_within(text: str) -> None:
    span = markdown_code(text)
    fence = re.match("`+", span)
    assert fence and span.endswith(fence.group()) and "\n" not in span
    assert fence.group() not in re.findall("`+", span[len(fence.group()) : -len(fence.group())])
    block = markdown_block(text).split("\n")
    assert block[0] == block[-1] and block[0] not in block[1:-1]


def test_shorten_says_what_is_left_out() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("a" * 1003, 3) == "aaa… (1,000 more characters)"


def test_summary_of_hostile_texts_has_no_markup() -> None:
    made = summary.render(check(samples.hostile(samples.report())))
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$|(`+).+?\2", "", made).replace("<!-- -->", "")
    assert "<" not in re.sub(r"(?m)^(<details><summary>[\w ,:]+</summary>|</details>)$", "", outside)
    assert not re.search(r"(?<!\\)\]\((?!https?://)", outside)
    assert not any(is_deceptive(c) and c not in "\n\t" for c in made)


def test_summary_tells_the_verdicts() -> None:
    made = summary.render(check(samples.report()))
    assert made.startswith("# ❌ FAIL: docker-registry 2.8.2 by `oci-1.1`\n")
    assert "12 of 17 requirements of oci-1.1 decided, 4 findings (3 FAIL, 1 WARNING)" in made
    assert re.search(r"\*\*`oci-1\.1`\*\* \(chosen\) \| \*\*❌ FAIL\*\* \| 3 FAIL", made)
    assert "<details><summary>What was expected, and what came: 4 findings" in made
    assert "2 NOT TESTED: planned for a later version of the suite" in made


def test_summary_stays_within_a_comment() -> None:
    long = samples.report()
    for each in (*long["findings"], *long["requirements"]):
        each |= {name: "<&@#*" * 9000 for name in ("expected", "actual", "note", "statement", "reason") if name in each}
    long["target"]["product"] = "&" * 90_000
    for report in (samples.large(3000), long):
        made = summary.render(check(report))
        assert len(made) < summary.LIMIT
        assert made.count("<details>") == made.count("</details>") > 1
    assert "are in report.html" in summary.render(check(samples.large(3000)))


def test_summary_is_a_screen_long() -> None:
    made = summary.render(check(samples.large(500)))
    unfolded = re.sub(r"(?ms)^<details>.*?^</details>$", "", made)
    assert unfolded.strip().count("\n") < 40


def test_page_has_one_script_and_a_strict_policy() -> None:
    page = html.render(check(samples.hostile(samples.report())))
    assert page.count("<script>") == 1
    assert "default-src 'none'; style-src 'sha256-" in page
    assert not re.search(r"<[^>]+\s(on\w+|style)=", page)
    assert not any(is_deceptive(c) and c not in "\n\t" for c in page)
