"""The commands that read reports: of ``registry-conformance``, and of ``python -m reports`` in a checkout."""

from reports.commands.badges import badges
from reports.commands.calling import invoke
from reports.commands.certificates import certificate, verify
from reports.commands.comparing import compare
from reports.commands.forms import FORMS, report
from reports.commands.matrices import matrix
from reports.commands.submissions import submission

__all__ = ["COMMANDS", "FORMS", "invoke"]

#: Those of ``registry-conformance``.
COMMANDS = (report, compare, badges, certificate, verify, matrix, submission)
