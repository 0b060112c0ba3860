"""Runs of the suite without its start: a process that has imported everything forks."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from tests.support.chance import SEED
from tests.support.forked.child import Child
from tests.support.suite import SuiteRun

#: Seconds of one run; the machine may be busy with other tests.
_LONGEST = 900


class Forker(Child):
    """The process that forks; each run equals ``python -m pytest conformance`` after its start."""

    #: What the process runs.
    module = "tests.support.forking"

    def __init__(self, effort: str = "default") -> None:
        super().__init__(self.module)
        self._effort = effort

    def run(
        self, url: str | None, *options: str, env: Mapping[str, str] | None = None, report: Path | None = None
    ) -> SuiteRun:
        """Run the suite against a registry; parameters as of `tests.support.suite.run_suite`.

        An option that starts with ``=`` is an argument in the place of ``conformance``.
        """
        with tempfile.TemporaryDirectory(prefix="suite-") as scratch:
            folder = report or Path(scratch) / "report"
            args = [o[1:] for o in options if o.startswith("=")] or ["conformance"]
            args += ["-p", "no:cacheprovider", *(["--registry-url", url] if url is not None else [])]
            if not any(option.startswith("--report") for option in options):
                args += ["--report", str(folder)]
            args += [option for option in options if not option.startswith("=")]
            out, err = Path(scratch) / "out", Path(scratch) / "err"
            begin = time.monotonic()
            given = {"REGISTRY_EFFORT": self._effort, **(env or {})}
            code = self.ask({"args": args, "env": environment(given), "out": str(out), "err": str(err)})
            seconds = time.monotonic() - begin
            written = folder / "report.json"
            document = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else None
            stdout, stderr = (path.read_text(encoding="utf-8", errors="replace") for path in (out, err))
        return SuiteRun(code, document, stdout, stderr, seconds, 0.0)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without variables of pytest and the suite, and with some more."""
    ours = ("REGISTRY_", "PYTEST_", "COV_", "ALLURE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and name != "CI"}
    return {**kept, "COLUMNS": "120", "REGISTRY_SEED": SEED, **more}


def _serve() -> None:
    """Read requests from standard input until it ends; answer each with its exit code."""
    # The libraries that a run imports; what pytest must import itself, its plugins and conftest.py,
    # is left to it.
    import conformance.run.startup  # noqa: PLC0415  # in the server alone
    import conformance.run.terminal  # noqa: F401, PLC0415  # as above
    from conformance.contract import Contract  # noqa: PLC0415  # as above
    from spec.catalogue import load  # noqa: PLC0415  # as above

    load()
    Contract.load()
    # Collections in the children pass over what they share with this process.
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            _run(request)
        _, status = os.waitpid(child, 0)
        try:
            print(os.waitstatus_to_exitcode(status), flush=True)
        except BrokenPipeError:
            # Whoever asked was killed; leaving by the interpreter would flush, and fail, once more.
            os._exit(1)


def become(request: dict[str, Any]) -> None:
    """Give a forked process the streams and the environment of its request, and a sure end."""
    signal.alarm(_LONGEST)
    for number, name in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(name, flags, 0o600), number)
    os.environ.clear()
    os.environ.update(request["env"])


def _run(request: dict[str, Any]) -> NoReturn:
    """Become the run of one request."""
    code = 70
    try:
        become(request)
        import pytest  # noqa: PLC0415  # in the child, with its own environment

        sys.argv = ["pytest", *request["args"]]
        code = int(pytest.main(request["args"]))
    except BaseException:  # noqa: BLE001, RUF100  # a forked process must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
