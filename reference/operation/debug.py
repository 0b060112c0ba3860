"""The debug server: health, variables and metrics, for the owner alone."""

from __future__ import annotations

import asyncio
import resource
import sys
import threading
import time
from collections.abc import Callable

from reference.app import NAME, VERSION, Registry
from reference.health import Health
from reference.health.services import without_login
from reference.messages import JSON, Application, Receive, Response, Scope, Send

_KIB = 1024
Page = Callable[[], Response]


def variables(registry: Registry, began: float) -> dict[str, object]:
    """What ``/debug/vars`` tells: the original's members, as far as they apply, and what Python has instead."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    senders = registry.notifications.senders if registry.notifications is not None else []
    endpoints = [
        {
            "name": sender.endpoint.name,
            "url": without_login(sender.endpoint.url),
            "Metrics": {
                "Pending": sender.pending,
                "Events": sender.events,
                "Successes": sender.successes,
                "Failures": sender.refusals,
                "Errors": sender.errors,
                "Lost": sender.lost,
                "Statuses": {str(code): count for code, count in sorted(sender.statuses.items())},
            },
        }
        for sender in senders
    ]
    return {
        "cmdline": sys.argv,
        "version": f"{NAME} {VERSION}",
        "uptime_seconds": round(time.monotonic() - began, 3),
        "process": {
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "peak_memory_bytes": usage.ru_maxrss * _KIB,
            "threads": threading.active_count(),
        },
        "registry": {
            "storage": {"driver": registry.storage.description, "open_uploads": registry.storage.open_uploads()},
            "notifications": {"endpoints": endpoints},
        },
    }


def application(registry: Registry, health: Health, more: dict[str, Page]) -> Application:
    """``/debug/health``, ``/debug/vars``, and more pages by path; what a page takes long for is done in a thread."""
    began = time.monotonic()

    def tell_health() -> Response:
        failures = health.failures()
        return Response.json(failures, 503 if failures else 200)

    def tell_variables() -> Response:
        return Response.json(variables(registry, began))

    pages = {"/debug/health": tell_health, "/debug/vars": tell_variables, **more}

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        page = pages.get(scope["path"].rstrip("/"))
        if page is None:
            response = Response.json({"errors": []}, 404)
        elif scope["method"] not in ("GET", "HEAD"):
            response = Response(405, [("Allow", "GET, HEAD"), ("Content-Type", JSON)], b'{"errors": []}')
        else:
            response = await asyncio.to_thread(page)
        await response.send(send, head=scope["method"] == "HEAD")

    return answer
