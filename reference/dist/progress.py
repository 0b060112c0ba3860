"""Progress on a terminal: a bar for each blob that goes over, and nothing where nobody looks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reference.dist.content import Descriptor
from reference.dist.copying import Progress


@contextmanager
def shown(wanted: bool) -> Iterator[Progress | None]:
    """Show bars on standard error while the context lasts, where that is a terminal."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich import progress  # noqa: PLC0415 - it takes time to load, and is not always there
    from rich.console import Console  # noqa: PLC0415 - as above

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
    )
    lock = threading.Lock()
    with progress.Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, progress.TaskID] = {}

        def tell(descriptor: Descriptor, new: int, done: bool) -> None:
            with lock:
                if descriptor.digest not in tasks:
                    name = descriptor.digest.partition(":")[2][:12]
                    tasks[descriptor.digest] = bars.add_task(name, total=descriptor.size)
            if done:
                bars.update(tasks[descriptor.digest], completed=descriptor.size)
            else:
                bars.advance(tasks[descriptor.digest], new)

        yield tell
