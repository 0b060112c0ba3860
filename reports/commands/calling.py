"""What all commands share: how they are called, how they end, and where they write."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reports.files import store
from reports.loading import ReportError
from reports.text import visible

#: The exit code for input that cannot be used.
USAGE = 4


class Unusable(click.ClickException):
    """Input that cannot be used; the message is one sentence."""

    exit_code = USAGE


def invoke(command: click.Command, name: str, arguments: Sequence[str] | None = None, complete: str = "") -> int:
    """Run a command of click and return its exit code; errors are a sentence on standard error, and 4."""
    try:
        ended = command.main(None if arguments is None else [*arguments], name, complete or None, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return USAGE
    except (click.UsageError, ReportError) as error:
        message = error.format_message() if isinstance(error, click.UsageError) else str(error)
        context = error.ctx if isinstance(error, click.UsageError) else None
        if context is not None:
            print(context.get_usage(), file=sys.stderr)
        print(f"{context.command_path if context else name}: {visible(message)}", file=sys.stderr)
        return USAGE
    except click.ClickException as error:
        print(f"{name}: {visible(error.format_message())}", file=sys.stderr)
        return error.exit_code
    except click.Abort:
        return 2
    except SystemExit as ended_early:
        return ended_early.code if isinstance(ended_early.code, int) else 0
    return ended if isinstance(ended, int) else 0


def writable(output: Path | None) -> None:
    """Look before something costly or lasting is done whether its output can be written.

    Raises:
        Unusable: it cannot.
    """
    if output is None:
        return
    cause = ""
    if output.is_dir():
        cause = os.strerror(errno.EISDIR)
    elif not output.parent.is_dir():
        cause = os.strerror(errno.ENOTDIR if output.parent.exists() else errno.ENOENT)
    elif not os.access(output.parent, os.W_OK):
        cause = os.strerror(errno.EACCES)
    if cause:
        raise Unusable(f"--output {visible(str(output))} cannot be written: {cause}.")


def give(text: str, output: Path | None) -> None:
    """Write a text to a file, whole or not at all, or to standard output.

    Raises:
        Unusable: it cannot be written.
    """
    if output is None:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return
    try:
        store({output.name: text}, output.parent)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise Unusable(f"--output {visible(str(output))} cannot be written: {cause}.") from None
