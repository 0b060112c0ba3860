"""Make the pictures of README.md and the site anew: ``make screenshots``.

Both show one run of the suite against Debian's docker-registry: the terminal as a pseudo-terminal
received it, and the page that the run left. ``shown.json`` remembers what they show. Needs
docker-registry, chromium and chromedriver.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.conftest import program
from tests.docs.shown import PICTURES, RECORD, shown
from tests.support.servers import ROOT, docker_registry

_ROWS, _COLUMNS = 50, 120
#: Paragraphs at the beginning and at the end of the run that the picture shows; the cut between
#: them is marked.
_HEAD, _TAIL = 3, 2
#: Device pixels for a CSS pixel: more would not be seen in README.md, and costs.
_SCALE = 1.4
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars")
_THEME = TerminalTheme(
    (22, 27, 34),
    (214, 221, 229),
    [(72, 79, 88), (255, 123, 114), (99, 201, 116), (227, 179, 65), (121, 184, 255), (210, 168, 255), (86, 212, 221),
     (214, 221, 229)],
)  # fmt: skip
#: rich halves what is dim, terminals take a third away.
_DIM, _DIM_IN_TERMINALS = "#767c83", "#969ca4"
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: transparent }
main { width: max-content; padding: 18px 22px; background: #161b22; color: #d6dde5 }
pre { margin: 0; width: {columns}ch; font: 13px/18px "DejaVu Sans Mono", monospace;
      white-space: pre-wrap; overflow-wrap: anywhere }
.cut { width: {columns}ch; margin: 10px 0; border-top: 1px dashed #57606a; color: #8b949e;
       font: italic 12px/20px "DejaVu Sans Mono", monospace }
</style><main>{parts}</main>"""


def main() -> None:
    """Run the suite, and leave terminal.png, page.png and shown.json."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="certify-") as scratch:
        folder = Path(scratch)
        with docker_registry(folder) as server:
            words = ["conformance", "--registry-url", server.url, "--report", str(folder / "report")]
            product = ["--product", "docker-registry", "--product-version", "2.8.2", "--seed", "1"]
            received = _in_terminal([sys.executable, "-m", "pytest", *words, *product])
        terminal = folder / "terminal.html"
        terminal.write_text(_terminal_page(f"$ pytest {' '.join(words)}", received), encoding="utf-8")
        browser = _browser(folder / "profile")
        try:
            _shoot(browser, terminal, PICTURES / "terminal.png", width=1100, height=0)
            _shoot(browser, folder / "report" / "report.html", PICTURES / "page.png", width=1400, height=1010)
        finally:
            browser.quit()
    RECORD.write_text(json.dumps(shown(), indent=1) + "\n", encoding="utf-8")
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB")


def _in_terminal(command: list[str]) -> str:
    """Run a command in a pseudo-terminal and return all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "PYTEST_"))}
    env |= {"TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=env)
    os.close(theirs)
    received = bytearray()
    with suppress(OSError):  # the other side is closed
        while part := os.read(ours, 65536):
            received += part
    process.wait()
    os.close(ours)
    return received.decode("utf-8", "replace")


def _terminal_page(command: str, received: str) -> str:
    """Show the output as it is on the screen after the run, without the live line."""
    lines = [line.rpartition("\x1b[2K")[2] for line in received.replace("\r\n", "\n").rstrip().split("\n")]
    paragraphs = re.split(r"\n[ ]*\n", "\n".join(lines))
    left_out = paragraphs[_HEAD:-_TAIL]
    shown = paragraphs[:_HEAD] if left_out else paragraphs
    parts = [_block("\n\n".join([f"\x1b[1m{command}\x1b[0m\n{shown[0]}", *shown[1:]]))]
    if left_out:
        count = sum(paragraph.count("\n") + 2 for paragraph in left_out)
        parts += [f'<div class="cut">{count} lines with more findings are left out of this picture</div>']
        parts += [_block("\n\n".join(paragraphs[-_TAIL:]))]
    return _PAGE.replace("{columns}", str(_COLUMNS)).replace("{parts}", "\n".join(parts))


def _block(text: str) -> str:
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, file=nowhere, width=100_000, force_terminal=True, highlight=False)
        console.print(Text.from_ansi(re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", text)), soft_wrap=True, end="")
        code = console.export_html(theme=_THEME, inline_styles=True, code_format="{code}")
    return f"<pre>{code.replace(_DIM, _DIM_IN_TERMINALS)}</pre>"


def _browser(profile: Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium") or "chromium"
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(program("chromedriver")))


def _shoot(browser: webdriver.Chrome, page: Path, picture: Path, *, width: int, height: int) -> None:
    """Take a picture of the top of a page in CSS pixels, or of its whole <main> for height 0."""
    metrics = {"width": width, "height": height or 900, "deviceScaleFactor": _SCALE, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    if not height:
        box = browser.execute_script("return document.querySelector('main').getBoundingClientRect().toJSON()")
        clip |= {"width": int(box["width"]), "height": int(box["height"])}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    picture.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()
