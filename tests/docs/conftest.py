"""The browser that the tests of the report's page use looks at the site as well."""

from __future__ import annotations

from tests.reports.conftest import browser

__all__ = ["browser"]
