"""From a configuration to work on a storage that no registry uses at the time."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from reference.launch import LaunchError
from reference.launch.registry import make_storage, read_config
from reference.maintenance import fsck as links
from reference.maintenance import originals
from reference.maintenance.collection import Collected, Collector
from reference.settings import Config
from reference.storage import StorageError
from reference.storage.layout import DISTRIBUTION

_ONLINE = "stop it, or have it collect by itself: storage.maintenance.garbagecollect.enabled"


def _kept(path: Path) -> Config:
    """A configuration whose storage is there without a registry."""
    config = read_config(path)
    if config.bucket is not None:
        raise LaunchError(f"{path}: storage.{config.storage}: this is for a directory; nothing in a bucket needs it")
    if config.storage != "filesystem":
        raise LaunchError(f"{path}: storage.{config.storage}: there is nothing without the registry that has it")
    if not config.root.is_dir():
        raise LaunchError(f"storage.filesystem.rootdirectory: {config.root}: no such directory")
    return config


def garbage_collect(path: Path, *, untagged: bool, dry_run: bool) -> int:
    """Take away what no image needs, and print it; 0, or 1 where a manifest cannot be read."""
    config = _kept(path)
    try:
        storage = make_storage(config)
    except LaunchError as error:
        raise LaunchError(f"{error}; {_ONLINE}" if "another process" in str(error) else str(error)) from error
    try:
        done = asyncio.run(Collector(storage, age=0, untagged=untagged, dry_run=dry_run).collect())
    except OSError as error:
        raise _failed(error, config) from error
    finally:
        storage.close()
    _print(done, dry_run)
    return 1 if done.obstacles else 0


def fsck(path: Path, *, repair: bool) -> int:
    """Prove that a storage is whole, and print what is not; 0, or 1 where something is and stays out of order."""
    config = _kept(path)
    check = originals.check if config.layout == DISTRIBUTION else links.check
    try:
        findings = check(config.root.absolute(), repair=repair, partial_images=config.proxy is not None)
    except OSError as error:
        raise _failed(error, config) from error
    except StorageError as error:
        raise LaunchError(f"storage.filesystem.rootdirectory: {error}") from error
    for finding in findings.found:
        print(finding)
    print(findings)
    return 1 if findings.left else 0


def _failed(error: OSError, config: Config) -> LaunchError:
    return LaunchError(f"storage.filesystem.rootdirectory: {error.filename or config.root}: {error.strerror}")


def _print(done: Collected, dry_run: bool) -> None:
    for kind, found in (("manifest", done.manifests), ("blob", done.blobs)):
        for name, digest in found:
            print(f"{name}: {kind} {digest}")
    for digest in done.contents:
        print(f"content {digest}")
    print(f"{done} {'would be deleted' if dry_run else 'deleted'}")
    for obstacle in done.obstacles:
        print(f"registry: {obstacle}", file=sys.stderr)
