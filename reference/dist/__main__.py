"""The command ``dist``: images between registries, layouts and archives, without a daemon."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from reference.dist.client import SyncClient
from reference.dist.content import MANIFEST_LIMIT, Descriptor, Manifest
from reference.dist.copying import Copied
from reference.dist.errors import ContentError, DistError, UsageError
from reference.dist.names import LAYOUT, REGISTRY, parse, parse_platform
from reference.dist.progress import shown
from reference.dist.transport import Options

NAME = "dist"
PASSWORD = "DIST_PASSWORD"  # noqa: S105 - the name of a variable
_VARIABLE = "_DIST_COMPLETE"
_CODES = """Exit codes: 0 done; 1 content is not what its digest says; 2 there is no such thing; 3 a login is
needed or refused; 4 wrong use; 5 a registry failed or cannot be reached; 130 interrupted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for each command."""

    options: Options
    as_json: bool
    quiet: bool

    def give(self, document: Any, text: str) -> None:
        """Print a result, as JSON or as text."""
        click.echo(json.dumps(document, indent=2, ensure_ascii=False) if self.as_json else text)


_given = click.make_pass_decorator(Settings)


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    try:
        click.echo(f"{NAME} {metadata.version('registry-conformance')}")
    except metadata.PackageNotFoundError:
        click.echo(f"{NAME} of a checkout")
    context.exit()


@click.group(epilog=_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.option("--plain-http", is_flag=True, help="HTTP instead of HTTPS; http://HOST/... does so for one reference.")
@click.option("--insecure", is_flag=True, help="HTTPS with any certificate.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="Certificates of authorities, as PEM.")
@click.option("--auth-file", "logins", type=click.Path(path_type=Path), help="Logins; otherwise ~/.docker/config.json.")
@click.option("--jobs", type=click.IntRange(1, 64), default=6, show_default=True, help="Blobs at once.")
@click.option("--retries", type=click.IntRange(0, 100), default=5, show_default=True, help="In a row without progress.")
@click.option("--timeout", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Seconds of silence.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def main(context: click.Context, /, as_json: bool, quiet: bool, **given: Any) -> None:
    """Images between registries, layouts and archives, without a daemon.

    An image is HOST/NAME:TAG or HOST/NAME@DIGEST in a registry, oci:FOLDER[:NAME] in an OCI layout,
    oci-archive:FILE[:NAME] in a tar of one, or docker-archive:FILE[:NAME:TAG] in one of docker save.
    """
    context.obj = Settings(Options(**given), as_json, quiet)


def _choice(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose from an index."""
    every = click.option("--all", "every", is_flag=True, help="An index as it is, with all platforms.")
    names = "Of an index: OS/ARCHITECTURE[/VARIANT], otherwise this machine's; several give a new index."
    return click.option("--platform", "platforms", multiple=True, metavar="PLATFORM", help=names)(every(command))


@main.command()
@click.argument("source")
@click.argument("target")
@_choice
@_given
def pull(settings: Settings, source: str, target: str, platforms: tuple[str, ...], every: bool) -> None:
    """Copy an image of a registry to a layout or an archive.

    TARGET without a prefix is the folder of a layout.
    """
    _copy(settings, (source, target), (REGISTRY, LAYOUT), platforms, every)


@main.command()
@click.argument("source")
@click.argument("target")
@_choice
@_given
def push(settings: Settings, source: str, target: str, platforms: tuple[str, ...], every: bool) -> None:
    """Copy an image of a layout or an archive to a registry.

    SOURCE without a prefix is the folder of a layout.
    """
    _copy(settings, (source, target), (LAYOUT, REGISTRY), platforms, every)


@main.command()
@click.argument("source")
@click.argument("target")
@_choice
@_given
def copy(settings: Settings, source: str, target: str, platforms: tuple[str, ...], every: bool) -> None:
    """Copy an image from anywhere to anywhere."""
    _copy(settings, (source, target), ("", ""), platforms, every)


def _copy(
    settings: Settings, images: tuple[str, str], kinds: tuple[str, str], platforms: tuple[str, ...], every: bool
) -> None:
    places = [parse(text, kind or REGISTRY) for text, kind in zip(images, kinds, strict=True)]
    for place, kind, end in zip(places, kinds, ("SOURCE", "TARGET"), strict=True):
        if kind and (place.kind == REGISTRY) != (kind == REGISTRY):
            wanted = "an image of a registry" if kind == REGISTRY else "a layout or an archive"
            raise UsageError(f"{end} is {place}: {wanted} is wanted; `dist copy` takes both")
    for name in platforms:
        parse_platform(name)
    with shown(not settings.quiet) as progress, SyncClient(settings.options, progress) as client:
        done = client.copy(*places, platforms=platforms, every=every)
    document = {"source": str(places[0]), "target": str(places[1]), **_counted(done)}
    settings.give(document, f"{places[1]}\n{done.descriptor.digest}")


@main.command()
@click.argument("reference")
@click.option("--platform", default="", metavar="PLATFORM", help="Of an index: the image for it.")
@click.option("--raw", is_flag=True, help="The bytes of the manifest alone.")
@_given
def inspect(settings: Settings, reference: str, platform: str, raw: bool) -> None:
    """Show a manifest, and the configuration of an image."""
    with SyncClient(settings.options) as client:
        manifest = client.fetch(reference, platform)
        if raw:
            sys.stdout.buffer.write(manifest.body)
            return
        config = _config(client, reference, manifest)
    document = {"descriptor": manifest.descriptor.json(), "manifest": manifest.json(), "config": config}
    lines = [f"{manifest.descriptor.digest}  {manifest.descriptor.media_type}"]
    lines += [_line(one) for one in manifest.manifests() or manifest.blobs()]
    settings.give(document, "\n".join(lines))


@main.command()
@click.argument("reference")
@_given
def tags(settings: Settings, reference: str) -> None:
    """List the tags of a repository, or the names in a layout or archive."""
    with SyncClient(settings.options) as client:
        found = client.tags(reference)
    settings.give({"name": reference, "tags": found}, "\n".join(found))


@main.command()
@click.argument("host")
@_given
def catalog(settings: Settings, host: str) -> None:
    """List the repositories of a registry."""
    with SyncClient(settings.options) as client:
        found = client.catalog(host)
    settings.give({"repositories": found}, "\n".join(found))


@main.command()
@click.argument("reference")
@click.option("--artifact-type", default="", metavar="TYPE", help="Only those of a type.")
@_given
def referrers(settings: Settings, reference: str, artifact_type: str) -> None:
    """List the manifests that refer to an image: signatures, lists of parts and so on."""
    with SyncClient(settings.options) as client:
        found = client.referrers(reference, artifact_type)
    settings.give({"manifests": [one.json() for one in found]}, "\n".join(map(_line, found)))


@main.command()
@click.argument("reference")
@_given
def delete(settings: Settings, reference: str) -> None:
    """Delete a tag; or, by its digest, a manifest."""
    if not any(separator in reference.rpartition("/")[2] for separator in ":@"):
        raise UsageError(f"{reference}: name the tag or digest that is to be deleted")
    with SyncClient(settings.options) as client:
        client.delete(reference)
    settings.give({"deleted": reference}, f"deleted {reference}")


@main.command()
@click.argument("reference")
@click.option("--platform", default="", metavar="PLATFORM", help="Of an index: the image for it, not all.")
@_given
def verify(settings: Settings, reference: str, platform: str) -> None:
    """Read all of an image, and check each digest and size."""
    with shown(not settings.quiet) as progress, SyncClient(settings.options, progress) as client:
        done = client.verify(reference, platform=platform)
    good = f"{done.descriptor.digest}: {done.blobs} blobs of {done.bytes} bytes are right"
    settings.give({"reference": reference, **_counted(done), "problems": done.problems}, good)
    if done.problems:
        raise ContentError("\n".join(done.problems))


@main.command()
@click.argument("host")
@click.option("--username", "-u", required=True, help="The name of the account.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_given
def login(settings: Settings, host: str, username: str, password_stdin: bool) -> None:
    """Try a login and keep it, as `docker login` does.

    The password comes from standard input, from the variable DIST_PASSWORD, or is asked for on the
    terminal. There is no option for it: other users of the machine see the arguments of each process.
    """
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = os.environ.get(PASSWORD) or click.prompt("Password", hide_input=True, err=True)
    if not password or ":" in username:
        raise UsageError("a password is wanted, and a name without a colon")
    with SyncClient(settings.options) as client:
        where = client.login(host, username, password)
    settings.give({"host": host, "kept": where}, f"logged in to {host}; kept in {where}")


@main.command()
@click.argument("host")
@_given
def logout(settings: Settings, host: str) -> None:
    """Forget the login for a registry."""
    with SyncClient(settings.options) as client:
        was = client.logout(host)
    settings.give({"host": host, "was": was}, f"logged out of {host}" if was else f"there was no login for {host}")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion for a shell.

    bash: add the line eval "$(dist completion bash)" to ~/.bashrc.
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(main, {}, NAME, _VARIABLE).source())


def _counted(done: Copied) -> dict[str, Any]:
    counts = {"blobs": done.blobs, "bytes": done.bytes, "present": done.present, "mounted": done.mounted}
    return {**done.descriptor.json(), **counts}


def _config(client: SyncClient, reference: str, manifest: Manifest) -> Any:
    config = next(iter(manifest.blobs()), None)
    if config is None or not config.media_type.endswith("json") or config.size > MANIFEST_LIMIT:
        return None
    try:
        return json.loads(client.fetch_blob(reference, config))
    except ValueError:
        return None


def _line(one: Descriptor) -> str:
    platform = one.more.get("platform")
    names = [str(platform.get(key, "")) for key in ("os", "architecture", "variant")] if platform else []
    kind = "/".join(filter(None, names)) or one.more.get("artifactType") or one.media_type
    return f"{one.digest} {one.size:>12} {kind}"


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; errors are sentences on standard error."""
    try:
        main.main(None if arguments is None else [*arguments], NAME, complete_var=_VARIABLE, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return UsageError.exit_code
    except click.UsageError as error:
        print(f"{error.ctx.command_path if error.ctx else NAME}: {error.format_message()}", file=sys.stderr)
        return UsageError.exit_code
    except DistError as error:
        for line in str(error).splitlines():
            print(f"{NAME}: {line}", file=sys.stderr)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print(f"{NAME}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"{NAME}: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return DistError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(run())
