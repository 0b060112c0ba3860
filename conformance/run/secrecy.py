"""What pytest, its plugins and the logging of libraries show of a run: nothing that is a secret."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprExceptionInfo, ReprTracebackNative

from conformance.client.redaction import Redactor

#: Styles of a traceback that show the arguments of functions, credentials among them, and cut them.
_TELLING = frozenset({"auto", "long"})


def quiet(config: pytest.Config) -> None:
    """Let no traceback show local variables or arguments: a secret that was cut in its middle cannot be found in it."""
    config.option.showlocals = False
    config.option.fulltrace = False
    if config.option.tbstyle in _TELLING:
        config.option.tbstyle = "short"


class Secrecy:
    """A plugin of each process of a run: cleans exceptions, reports and log records before others see them."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._make_record = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._record)

    def pytest_unconfigure(self) -> None:
        """Let log records be as they are."""
        logging.setLogRecordFactory(self._make_record)

    def _record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make_record(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError, AttributeError):  # the arguments do not fit the message
            text = f"{record.msg} {record.args}"
        record.msg, record.args = self._redactor.clean(text), None
        if record.exc_info:
            record.exc_text = self._redactor.clean(logging.Formatter().formatException(record.exc_info))
        return record

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: ExceptionChainRepr | ReprExceptionInfo) -> None:
        """Clean what is shown of a crash outside scenarios; a worker sends it on as it is."""
        shown = ReprTracebackNative([self._redactor.clean(str(excrepr))])
        excrepr.reprtraceback, excrepr.reprcrash = shown, None
        excrepr.sections.clear()
        if isinstance(excrepr, ExceptionChainRepr):
            excrepr.chain = [(shown, None, None)]

    # The innermost wrapper: Allure keeps what a fixture raises, and wraps what ends it.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Clean what a fixture raises when it begins and when it ends."""
        try:
            return (yield)
        except BaseException as error:
            self.cleanse(error)
            raise
        finally:
            ends = getattr(fixturedef, "_finalizers", [])
            ends[:] = map(self._cleansing, ends)

    def _cleansing(self, end: Callable[[], object]) -> Callable[[], object]:
        @functools.wraps(end)
        def cleansed() -> object:
            try:
                return end()
            except BaseException as error:
                self.cleanse(error)
                raise

        return cleansed

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Clean what is shown of a module that cannot be imported."""
        report = yield
        if report.failed and report.longrepr is not None:
            report.longrepr = self._redactor.clean(str(report.longrepr))
        return report

    def cleanse(self, error: BaseException) -> None:
        """Clean the texts of an exception, and of those behind it, where they stand: all that show it see the same."""
        waiting: list[BaseException | None] = [error]
        seen: set[int] = set()
        while waiting:
            one = waiting.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            with contextlib.suppress(Exception):
                one.args = tuple(map(self._shown, one.args))
            with contextlib.suppress(Exception):
                for name, value in vars(one).items():
                    if isinstance(value, str):
                        setattr(one, name, self._redactor.clean(value))
            if notes := getattr(one, "__notes__", None):
                notes[:] = map(self._redactor.clean, map(str, notes))
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]

    def _shown(self, value: object) -> object:
        """Return a value as it is where showing it tells no secret, its cleaned text otherwise."""
        text = value if isinstance(value, str) else repr(value)
        cleaned = self._redactor.clean(text)
        return value if cleaned == text else cleaned

    def tells(self, error: BaseException) -> bool:
        """Return whether the text of an exception still has a secret in it."""
        return self._redactor.clean(str(error)) != str(error)

    def clean_report(self, report: pytest.TestReport) -> None:
        """Clean the report of a phase of a scenario: what is shown of an exception, and what was captured."""
        clean = self._redactor.clean
        if isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, clean(reason))
        elif report.longrepr is not None:
            report.longrepr = clean(str(report.longrepr))
        report.sections = [(name, clean(text)) for name, text in report.sections]
