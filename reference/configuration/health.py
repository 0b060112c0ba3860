"""What a configuration says of health."""

from __future__ import annotations

from pathlib import Path

from reference.configuration.file import Section
from reference.settings import Config, Look, LookAtFile, LookAtHttp, LookAtTcp

#: Seconds that a service has to answer, where the configuration says none; the original then waits for ever.
_TIMEOUT = 5.0


def health(config: Config, section: Section) -> None:
    """Read the section ``health``."""
    if (storage := section.section("storagedriver")) is not None:
        look = Look(storage.duration("interval"), _threshold(storage))
        if storage.flag("enabled"):
            config.checks.append(look)
    for entry in section.sections("file"):
        interval, threshold = entry.duration("interval"), _threshold(entry)
        config.checks.append(LookAtFile(interval, threshold, Path(entry.text("file"))))
    for entry in section.sections("http"):
        url, status, headers = entry.url("uri"), entry.number("statuscode"), entry.lists("headers")
        interval, threshold = entry.duration("interval"), _threshold(entry)
        config.checks.append(LookAtHttp(interval, threshold, url, status, headers, _timeout(entry)))
    for entry in section.sections("tcp"):
        host, _, port = entry.address("addr").rpartition(":")
        if not host:
            entry.fail_at("addr", f"{entry.name('addr')} must be HOST:PORT")
        host = host.removeprefix("[").removesuffix("]")
        interval, threshold = entry.duration("interval"), _threshold(entry)
        config.checks.append(LookAtTcp(interval, threshold, host, int(port), _timeout(entry)))


def _timeout(section: Section) -> float:
    return section.duration("timeout") or _TIMEOUT


def _threshold(section: Section) -> int:
    return section.number("threshold") or 1
