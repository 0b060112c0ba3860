"""What a configuration says of health."""

from __future__ import annotations

from pathlib import Path

from reference.configfile import Section
from reference.settings import Config, Look, LookAtFile, LookAtHttp, LookAtTcp

#: Seconds that a service has to answer, where the configuration does not say; the original waits for ever.
_TIMEOUT = 5.0
_STATUSES = range(100, 600)


def health(config: Config, section: Section) -> None:
    """Read the section ``health``."""
    if (storage := section.section("storagedriver")) is not None:
        look = Look(_interval(storage), _threshold(storage, 3))
        if storage.flag("enabled", False):
            config.checks.append(look)
        storage.finish()
    for entry in section.sections("file"):
        config.checks.append(LookAtFile(_interval(entry), 1, Path(entry.text("file", required=True))))
        entry.finish()
    for entry in section.sections("http"):
        config.checks.append(_http(entry))
        entry.finish()
    for entry in section.sections("tcp"):
        host, _, port = entry.address("addr", "").rpartition(":")
        if not host:
            entry.fail_at("addr", f"{entry.name('addr')} must be HOST:PORT")
        host = host.removeprefix("[").removesuffix("]")
        config.checks.append(LookAtTcp(_interval(entry), _threshold(entry, 1), host, int(port), _timeout(entry)))
        entry.finish()


def _http(entry: Section) -> Look:
    url, status = entry.text("uri", required=True), entry.number("statuscode", 200)
    if not url.startswith(("http://", "https://")):
        entry.fail_at("uri", f"{entry.name('uri')} must be a URL with http or https")
    if status not in _STATUSES:
        entry.fail_at("statuscode", f"{entry.name('statuscode')} must be a status of HTTP, not {status}")
    return LookAtHttp(_interval(entry), _threshold(entry, 1), url, status, entry.lists("headers"), _timeout(entry))


def _interval(section: Section) -> float:
    seconds = section.duration("interval", 10.0)
    if seconds <= 0:
        section.fail_at("interval", f"{section.name('interval')} must be more than nothing")
    return seconds


def _timeout(section: Section) -> float:
    return section.duration("timeout", _TIMEOUT) or _TIMEOUT


def _threshold(section: Section, default: int) -> int:
    return section.number("threshold", default) or 1
