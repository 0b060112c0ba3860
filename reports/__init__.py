"""Readers and the writer of ``report.json``, the one record of a run; nothing here talks to a registry."""

from reports.files import write, write_allure, write_junit, write_known_failures
from reports.loading import ReportError, check, load

__all__ = ["ReportError", "check", "load", "write", "write_allure", "write_junit", "write_known_failures"]
