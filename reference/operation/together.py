"""Metrics of a registry in several processes: each has its numbers in files, and one of them tells the sums."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest, values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from reference.app import Registry
from reference.messages import Response
from reference.operation.metrics import Seen

#: What the library reads; it has no other way to be told of the folder.
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: What each process that lives has there.
_LIVE = "gauge_livesum_"
#: Of these, a sum would mean nothing.
_NOT_ADDED: dict[str, Callable[[tuple[float, float]], float]] = {
    "process_start_time_seconds": min,
    "process_max_fds": max,
}


def begin(folder: Path) -> None:
    """Have what is counted from now on, in processes that are forked, in files of a folder."""
    os.environ[_VARIABLE] = str(folder)
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]  # the library's


def forget(folder: Path, pid: int) -> None:
    """Take what a dead process had on its way out of the sums; what it counted stays."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # as above


def page(registry: Registry, driver: str, folder: Path) -> Response:
    """The sums of all processes in the text format of Prometheus."""
    summed = CollectorRegistry()
    MultiProcessCollector(summed, str(folder))  # type: ignore[no-untyped-call]  # as above
    summed.register(Seen(registry, driver))
    summed.register(_Processes(folder))
    return Response(200, [("Content-Type", CONTENT_TYPE_LATEST)], generate_latest(summed))


class _Processes(Collector):
    """Processor time, memory and files of the process that tells and of those that answer requests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """The sums."""
        answering = [int(path.stem.removeprefix(_LIVE)) for path in self._folder.glob(f"{_LIVE}*.db")]
        found: dict[str, Metric] = {}
        for pid in {os.getpid(), *answering}:
            for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                if metric.name not in found:
                    found[metric.name] = metric
                    continue
                mine, other = found[metric.name].samples[0], metric.samples[0]
                added = _NOT_ADDED.get(metric.name, sum)((mine.value, other.value))
                found[metric.name].samples[0] = mine._replace(value=added)
        yield from found.values()
