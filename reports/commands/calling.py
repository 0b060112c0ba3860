"""What all commands share: how they are called, how they end, and where they write."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from reports.files import store_at
from reports.loading import ReportError
from reports.text import shorten, visible

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
        print(f"{context.command_path if context else name}: {visible(' '.join(message.split()))}", file=sys.stderr)
        return USAGE
    except click.ClickException as error:
        print(f"{name}: {visible(error.format_message())}", file=sys.stderr)
        return error.exit_code
    except click.Abort:
        return 2
    except OSError as error:
        # What a command does not foresee: a disk that is full behind standard output, a name that is too long.
        place = "standard output" if error.filename is None else shorten(str(error.filename), 200)
        print(f"{name}: {visible(place)} cannot be used: {error.strerror or type(error).__name__}.", file=sys.stderr)
        _give_up_output()
        return USAGE
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
    try:
        if output.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not output.exists() or output.is_file():
            with tempfile.TemporaryFile(dir=output.parent):
                pass  # it is how `give` begins
    except OSError as error:
        raise _unwritable(output, error) from None


def give(text: str, output: Path | None) -> None:
    """Write a text to a file, whole or not at all, or to standard output.

    Raises:
        Unusable: it cannot be written.
    """
    if output is None:
        click.echo(text.encode("utf-8"), nl=False)
        return
    try:
        store_at(output, text)
    except OSError as error:
        raise _unwritable(output, error) from None


def _unwritable(output: Path, error: OSError) -> Unusable:
    return Unusable(f"--output {visible(str(output))} cannot be written: {error.strerror or type(error).__name__}.")


def _give_up_output() -> None:
    """Let what cannot be written go, so that the interpreter does not try again when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
