"""What an earlier run left to be repaired: the requirements that ``--only-failed`` judges again."""

from __future__ import annotations

from pathlib import Path

import pytest

from spec.catalogue import Catalogue
from spec.model import Outcome

_OPTION = "--only-failed"
#: What could not be decided for the sake of something broken is decided again with it.
_AGAIN = (Outcome.BROKEN, Outcome.INCONCLUSIVE, Outcome.ERROR)


def read(path: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the requirements that a report has as broken, blocked or in error; none where no file is named.

    Raises:
        UsageError: the file is no report, or has nothing of that kind.
    """
    if not path:
        return ()
    import reports  # noqa: PLC0415  # as where the report is written: few runs need it so early

    try:
        report = reports.load(Path(path))
    except reports.ReportError as error:
        raise pytest.UsageError(f"{_OPTION}: {str(error).rstrip('.')}") from None
    found = tuple(
        entry["id"] for entry in report["requirements"] if entry["outcome"] in _AGAIN and entry["id"] in catalogue
    )
    if not found:
        raise pytest.UsageError(f"{_OPTION}: {path} has nothing that is broken, blocked or in error")
    return found
