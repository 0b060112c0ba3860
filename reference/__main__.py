"""The command: serve a registry or a token service, look after a storage, or print what there is to know of them."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reference.settings import MOST_WORKERS

if TYPE_CHECKING:
    from reference.modifications import Modification

USAGE = 4
#: As after an interrupt, which shells call 128 and its number.
BROKEN_OFF = 130
COMMANDS = ("serve", "tokens", "garbage-collect", "fsck", "import-v1", "schema", "faults", "variants")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="registry", description="The reference registry.")
    parser.add_argument("-version", "--version", "-v", action="store_true", help="print name and version")
    commands = parser.add_subparsers(dest="command")
    serve = commands.add_parser("serve", help="serve a registry until SIGTERM or SIGINT")
    serve.add_argument("config", nargs="?", metavar="CONFIG", help="a configuration file of the original registry")
    serve.add_argument("--memory", action="store_true", help="no file: storage in memory, deletion enabled")
    serve.add_argument("--addr", metavar="HOST:PORT", help="instead of http.addr; port 0 is a free port")
    serve.add_argument("--workers", type=_workers, metavar="N", help="instead of http.workers; N processes are one")
    serve.add_argument("--fault", action="append", default=[], metavar="NAME", help="answer wrongly in one way")
    serve.add_argument("--variant", action="append", default=[], metavar="NAME", help="answer oddly but legally")
    serve.add_argument("--port-file", type=Path, metavar="FILE", help="write the real address there, when listening")
    tokens = commands.add_parser("tokens", help="serve tokens until SIGTERM or SIGINT")
    tokens.add_argument("config", type=Path, metavar="CONFIG", help="accounts, rules and services")
    tokens.add_argument("--addr", metavar="HOST:PORT", help="instead of http.addr; port 0 is a free port")
    tokens.add_argument("--fault", action="append", default=[], metavar="NAME", help="answer wrongly in one way")
    tokens.add_argument("--variant", action="append", default=[], metavar="NAME", help="answer oddly but legally")
    tokens.add_argument("--port-file", type=Path, metavar="FILE", help="write the real address there, when listening")
    _add_maintenance(commands)
    schema = commands.add_parser("schema", help="print the JSON Schema of the configuration, for editors")
    schema.add_argument("--tokens", action="store_true", help="of the configuration of the token service")
    for name in ("faults", "variants"):
        listing = commands.add_parser(name, help=f"list the {name}")
        listing.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _add_maintenance(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    collect = commands.add_parser("garbage-collect", help="delete what no image needs; the registry must not run")
    collect.add_argument("config", type=Path, metavar="CONFIG", help="the configuration file of the registry")
    collect.add_argument("-d", "--dry-run", action="store_true", help="only print it")
    collect.add_argument("-m", "--delete-untagged", action="store_true", help="manifests that no tag leads to as well")
    check = commands.add_parser("fsck", help="prove that a storage is whole; the registry must not run")
    check.add_argument("config", type=Path, metavar="CONFIG", help="the configuration file of the registry")
    check.add_argument("--repair", action="store_true", help="remove leftovers, and put bad content into quarantine")
    bring = commands.add_parser(
        "import-v1", help="bring over what docker-registry 0.9 stored, the registry of version 1"
    )
    bring.add_argument("source", type=Path, metavar="DIR", help="its folder, with images/ and repositories/ in it")
    bring.add_argument("config", type=Path, metavar="CONFIG", help="the configuration file of the registry")
    bring.add_argument("-d", "--dry-run", action="store_true", help="compute everything and write nothing")
    bring.add_argument("--short-names", action="store_true", help="library/NAME is NAME as well")
    bring.add_argument("--overwrite", action="store_true", help="move tags that lead to something else")


def _workers(value: str) -> int:
    """A number of workers."""
    number = int(value) if value.isdecimal() else 0
    if not 1 <= number <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{value!r} is no number between 1 and {MOST_WORKERS}")
    return number


def _fail(message: str) -> int:
    print(f"registry: {message}", file=sys.stderr)
    return USAGE


def _chosen(faults: list[str], variants: list[str]) -> tuple[Modification, ...]:
    """The faults and variants of some names; they are loaded only where one is named.

    Raises:
        LaunchError: there is none of a name.
    """
    if not faults and not variants:
        return ()
    from reference.embedding import names  # noqa: PLC0415 - not for a server as it should be
    from reference.launch import LaunchError  # noqa: PLC0415 - as above

    option = "--fault"
    try:
        chosen: list[Modification] = [*names.find_faults(faults)]
        option = "--variant"
        return (*chosen, *names.find_variants(variants))
    except names.EmbeddingError as error:
        raise LaunchError(f"{option}: {error}") from error


def _serve(arguments: argparse.Namespace) -> int:
    if (arguments.config is None) != arguments.memory:
        return _fail("give either a configuration file or --memory")
    from reference.launch import LaunchError, serving  # noqa: PLC0415 - a wrong command line costs no time

    try:
        serving.serve(
            serving.Choice(
                config=Path(arguments.config) if arguments.config else None,
                addr=arguments.addr,
                workers=arguments.workers,
                modifications=_chosen(arguments.fault, arguments.variant),
                port_file=arguments.port_file,
            )
        )
    except LaunchError as error:
        return _fail(str(error))
    return 0


def _tokens(arguments: argparse.Namespace) -> int:
    from reference.launch import LaunchError, tokens  # noqa: PLC0415 - a wrong command line costs no time

    try:
        tokens.serve(
            tokens.Choice(
                config=arguments.config,
                addr=arguments.addr,
                modifications=_chosen(arguments.fault, arguments.variant),
                port_file=arguments.port_file,
            )
        )
    except LaunchError as error:
        return _fail(str(error))
    return 0


def _maintain(arguments: argparse.Namespace) -> int:
    from reference.launch import LaunchError, maintenance, migration  # noqa: PLC0415 - a wrong command line costs no time

    try:
        if arguments.command == "import-v1":
            options = migration.Options(arguments.dry_run, arguments.short_names, arguments.overwrite)
            return migration.import_v1(arguments.source, arguments.config, options)
        if arguments.command == "fsck":
            return maintenance.fsck(arguments.config, repair=arguments.repair)
        return maintenance.garbage_collect(
            arguments.config, untagged=arguments.delete_untagged, dry_run=arguments.dry_run
        )
    except LaunchError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("registry: broken off; what was done is done, and it can be done again", file=sys.stderr)
        return BROKEN_OFF


def _list(kind: str, as_json: bool) -> int:
    from reference import faults, variants  # noqa: PLC0415 - only to list them

    entries = faults.listing() if kind == "faults" else variants.listing()
    if as_json:
        print(json.dumps(entries, indent=2))
        return 0
    for entry in entries:
        print(f"{entry['name']:36} {entry['title']}")
    return 0


def _schema(of_tokens: bool) -> int:
    from reference.configuration import keys, schema  # noqa: PLC0415 - only to print it
    from reference.tokens import config  # noqa: PLC0415 - as above

    print(schema.text(config.CONFIGURATION if of_tokens else keys.CONFIGURATION), end="")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1 where a storage is not in order, 4 for a wrong use or configuration."""
    parser = _parser()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        # `registry CONFIG` of early versions of the original.
        words.insert(0, "serve")
    try:
        arguments = parser.parse_args(words)
    except SystemExit as error:
        return USAGE if error.code else 0
    if arguments.version:
        from reference.app import NAME, VERSION  # noqa: PLC0415 - only to show them

        print(f"registry {NAME} {VERSION}")
        return 0
    from reference.logs import TEXT  # noqa: PLC0415 - not for a version

    logging.basicConfig(format=TEXT, stream=sys.stderr)
    if arguments.command in ("serve", "tokens"):
        return _run(arguments, parser)
    try:
        done = _run(arguments, parser)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the lines has enough of them; the interpreter must not complain when it closes its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_OFF
    return done


def _run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if arguments.command == "serve":
        return _serve(arguments)
    if arguments.command == "tokens":
        return _tokens(arguments)
    if arguments.command in ("garbage-collect", "fsck", "import-v1"):
        return _maintain(arguments)
    if arguments.command == "schema":
        return _schema(arguments.tokens)
    if arguments.command in ("faults", "variants"):
        return _list(arguments.command, arguments.json)
    parser.print_usage(sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
