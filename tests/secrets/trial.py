"""One run of the suite with canaries, and where they came out."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.secrets.canaries import NAMES, Canaries
from tests.secrets.cases import CASES, LOUD, PLANTED, Case
from tests.secrets.giving import Given
from tests.secrets.parrot import Parrot, parrot
from tests.secrets.watch import Watch
from tests.support.forking import environment
from tests.support.scripted.server import Asked
from tests.support.servers import ROOT, reference

_LONGEST = 400.0


class TrialError(Exception):
    """A run that did not come to where it could have leaked; with what it said."""


def leaks(case_name: str, folder: Path) -> list[str]:
    """Return a sentence for each canary in an output; ``folder`` gets the files of the run.

    Raises:
        TrialError: the run ended in another way than the case is about.
    """
    case = PLANTED[case_name][0] if case_name in PLANTED else CASES[case_name]
    canaries = Canaries()
    for name in ("report", "temporary", "home", "extra", "server", "plugin"):
        (folder / name).mkdir()
    with reference(folder / "server") as server, parrot(server.url, canaries, case.auth) as target:
        given = _given(case, target, canaries, folder)
        code, files = _run(case, given, folder)
        found = {*files, *_elsewhere(target, canaries)}
    for path in sorted(folder.rglob("*")):
        top = path.relative_to(folder).parts[0]
        if path.is_file() and top in {"report", "temporary", "extra", "out", "err"}:
            text = path.read_bytes().decode("utf-8", "replace")
            place = {"out": "standard output", "err": "standard error"}.get(top, str(path.relative_to(folder)))
            found |= {f"{canary} in {place}" for canary in canaries.found(text)}
    if code not in case.ends:
        said = "".join((folder / name).read_text(encoding="utf-8", errors="replace") for name in ("out", "err"))
        raise TrialError(f"{case_name}: exit code {code}, leaks {sorted(found)}\n{said[-6000:]}")
    return sorted(found)


def _given(case: Case, target: Parrot, canaries: Canaries, folder: Path) -> Given:
    """Return the command line and the environment of a run."""
    values = {name: canaries[name] for name in NAMES}
    values |= {f"{name}_quoted": quote(canaries[name], safe="") for name in NAMES}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        values["port"] = str(listener.getsockname()[1])
    given = Given(target.registry.url, canaries, folder)
    given.env |= {name: value.format_map(values) for name, value in case.env}
    if case.proxied:
        host = target.proxy.url.replace("http://", f"http://prue:{values['proxy_quoted']}@")
        given.env |= {"HTTP_PROXY": host, "http_proxy": host}
    netrc = folder / "home" / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login ned password {canaries['netrc'].replace(' ', '_')}\n", encoding="utf-8")
    given.env |= {"HOME": str(folder / "home"), "NETRC": str(netrc), "TMPDIR": str(folder / "temporary")}
    case.give(given)
    given.arguments += [option.format_map(values) for option in case.options]
    if not given.told and not any(option.startswith("--registry-url") for option in given.arguments):
        given.arguments.append(f"--registry-url={given.url}")
    if case.plugin:
        (folder / "plugin" / "with_canaries.py").write_text(case.plugin, encoding="utf-8")
        given.env["PYTHONPATH"] = str(folder / "plugin")
        given.arguments += ["-p", "with_canaries"]
    return given


def _run(case: Case, given: Given, folder: Path) -> tuple[int, set[str]]:
    """Run the suite, and watch what exists meanwhile; return its exit code and what was seen."""
    extra = folder / "extra"
    command = [sys.executable, "-m", "pytest", "conformance", "-p", "no:cacheprovider", "--timeout=30"]
    # The exchanges that are left out are like those that are made.
    command.append("--effort=quick")
    command += [f"--report={folder / 'report'}", f"--junitxml={extra / 'junit.xml'}", "-o", "junit_logging=all"]
    # A long text to search, so not of each case.
    command += [f"--record={extra / 'run.har'}"] if case.workers else []
    command += [f"--alluredir={extra / 'allure'}", *(f"--requirement={name}" for name in case.judged)]
    command += [*(LOUD if case.loud else ()), f"--log-file={extra / 'log'}", *(("-n", "2") if case.workers else ())]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [*command, *given.arguments],
            cwd=ROOT,
            env=environment(given.env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        watch = Watch(given.canaries, (folder / "report", folder / "temporary"), process.pid)
        try:
            code = process.wait(_LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        finally:
            watch.stop()
    return code, watch.found


def _elsewhere(target: Parrot, canaries: Canaries) -> Iterator[str]:
    """Say which canaries were sent to whom they are not for."""
    for tiny, where, meant in (
        (target.elsewhere, "another host", {"signature"}),
        (target.registry, "the target", set(NAMES) - {"proxy", "netrc"}),
        (target.service, "the token service", set(NAMES) - {"proxy", "netrc"}),
        (target.proxy, "the proxy", set(NAMES) - {"netrc"}),
    ):
        for asked in tiny.asked:
            yield from (f"{name} in a request to {where}" for name in canaries.found(_text(asked)) if name not in meant)


def _text(asked: Asked) -> str:
    return json.dumps([asked.path, list(asked.headers.items()), asked.body.decode("latin-1")], ensure_ascii=False)
