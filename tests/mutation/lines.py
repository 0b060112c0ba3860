"""Which lines of the reference each scenario reaches, as the registry counts them."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

import coverage
import pytest

CONTEXT = "/__context__"
ADDRESSES = "MUTATION_ADDRESSES"
TIMES = "MUTATION_TIMES"


def count(data_file: str) -> None:
    """Count the lines of the reference from now on; the file is written at the server's end."""
    counted = coverage.Coverage(data_file=data_file, source=["reference"], config_file=False)
    counted.start()
    from reference import server  # noqa: PLC0415  # after the start of the count

    run = server.run

    def ran(application: Any, *arguments: Any, **named: Any) -> None:
        async def told(scope: Any, receive: Any, send: Any) -> None:
            if scope.get("path") != CONTEXT:
                await application(scope, receive, send)
                return
            counted.switch_context(scope["query_string"].decode())
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

        try:
            run(told, *arguments, **named)
        finally:
            counted.stop()
            counted.save()

    server.run = ran


class Teller:
    """In the suite: tells the registries which scenario begins, and keeps how long each took."""

    def __init__(self) -> None:
        self._addresses = os.environ[ADDRESSES].split()
        self._times: dict[str, float] = {}
        self._passed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Enclose a scenario."""
        self._tell(str(item.session.items.index(item)))
        begin = time.monotonic()
        try:
            return (yield)
        finally:
            self._times[item.nodeid] = time.monotonic() - begin

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep which scenarios judged something."""
        if report.when == "call" and report.passed:
            self._passed.append(report.nodeid)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep the order, by which the registries know the scenarios."""
        self._order = [item.nodeid for item in session.items]

    def pytest_sessionfinish(self) -> None:
        """Write down what came."""
        self._tell("end")
        told = {"order": self._order, "seconds": self._times, "passed": self._passed}
        Path(os.environ[TIMES]).write_text(json.dumps(told), encoding="utf-8")

    def _tell(self, context: str) -> None:
        for address in self._addresses:
            with urllib.request.urlopen(f"{address}{CONTEXT}?{context}", timeout=10):
                pass


def pytest_configure(config: pytest.Config) -> None:
    """Be a plugin of the suite's run: ``-p tests.mutation.lines``."""
    config.pluginmanager.register(Teller())
