"""``registry-conformance``: its commands, its version, and its completion for shells."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from click.shell_completion import get_completion_class

from conformance.command.attaching import attaching
from conformance.command.certifying import certify
from conformance.command.listing import listing
from reports.commands import COMMANDS, invoke
from reports.digests import of_catalogue
from spec import catalogue as requirements

NAME = "registry-conformance"
_VARIABLE = "_REGISTRY_CONFORMANCE_COMPLETE"
_HELP = {"help_option_names": ["-h", "--help"]}


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    # The suite's run is not wanted here, and takes time to load.
    from conformance.run.report_document import commit, suite_version  # noqa: PLC0415  # see above

    catalogue = requirements.load()
    click.echo(f"{NAME} {suite_version()}{f' ({commit()})' if commit() else ''}")
    click.echo(f"catalogue: {len(catalogue)} requirements, sha256:{of_catalogue(catalogue)}")
    context.exit()


@click.group(context_settings=_HELP)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Certify container registries by the specification, and read what a run has found."""


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion for a shell.

    bash: add the line eval "$(registry-conformance completion bash)" to ~/.bashrc.
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(main, {}, NAME, _VARIABLE).source())


@main.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def load(words: tuple[str, ...]) -> None:
    """Put a registry under load, each exchange judged; load --help tells its options."""
    # It needs more than the other commands: Locust, and what a run loads.
    from conformance.load.command import run as under_load  # noqa: PLC0415  # see above

    raise SystemExit(under_load(words))


main.add_command(certify)
main.add_command(attaching)
main.add_command(listing)
for _command in COMMANDS:
    main.add_command(_command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: that of the README; 4 where an argument is wrong."""
    return invoke(main, NAME, arguments, _VARIABLE)


if __name__ == "__main__":
    sys.exit(run())
