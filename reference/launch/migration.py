"""From a folder of an older registry, and a configuration, to content in the storage of the configuration."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from reference.launch import LaunchError
from reference.launch.registry import make_storage, read_config
from reference.settings import Config
from reference.storage import Storage
from reference.storage.memory import MemoryStorage
from reference.v1.importing import Importer
from reference.v1.layout import Source, SourceError


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    dry_run: bool = False
    short_names: bool = False
    overwrite: bool = False


def import_v1(folder: Path, path: Path, options: Options) -> int:
    """Bring over what docker-registry 0.9 stored, and print it; 0, or 1 where something could not be brought over.

    Raises:
        LaunchError: the folder or the configuration is of no use, or the storage fails.
    """
    config = _kept(path, folder)
    try:
        source = Source(folder)
        storage = _storage(config, options.dry_run)
        try:
            count = asyncio.run(storage.carried(_importer(source, storage, options).run()))
        finally:
            storage.close()
    except SourceError as error:
        raise LaunchError(str(error)) from error
    except BrokenPipeError:
        # Of the lines, not of the storage.
        raise
    except OSError as error:
        where = "filesystem.rootdirectory" if config.storage == "filesystem" else config.storage
        raise LaunchError(f"storage.{where}: {_why(error)}") from error
    print(f"{count}{' (nothing was written)' if options.dry_run else ''}")
    return 1 if count.problems else 0


def _kept(path: Path, folder: Path) -> Config:
    """A configuration whose storage stays when the command ends, and is another folder."""
    config = read_config(path)
    if config.proxy is not None:
        raise LaunchError(f"{path}: proxy: a cache holds nothing but what its upstream has")
    if config.storage == "inmemory":
        raise LaunchError(f"{path}: storage.inmemory: what is imported would be gone with the command")
    if config.storage == "filesystem":
        source, root = folder.resolve(), config.root.resolve()
        if source == root or source in root.parents or root in source.parents:
            raise LaunchError(f"{path}: storage.filesystem.rootdirectory: {config.root} and {folder} share a folder")
    return config


def _storage(config: Config, dry_run: bool) -> Storage:
    if dry_run and config.storage == "filesystem" and not config.root.is_dir():
        # To open it would make its folders.
        return MemoryStorage()
    try:
        return make_storage(config)
    except LaunchError as error:
        hint = "; stop it for the import" if "another process" in str(error) else ""
        raise LaunchError(f"{error}{hint}") from error


def _importer(source: Source, storage: Storage, options: Options) -> Importer:
    return Importer(
        source,
        storage,
        tell=lambda line: print(line, flush=True),
        warn=lambda line: print(f"registry: {line}", file=sys.stderr, flush=True),
        short_names=options.short_names,
        overwrite=options.overwrite,
        dry_run=options.dry_run,
    )


def _why(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
