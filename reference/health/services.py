"""Whether a service elsewhere is in order."""

from __future__ import annotations

import base64
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import IO, Any
from urllib.parse import urlsplit


def without_login(url: str) -> str:
    """A URL that may be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects with the method of the request."""

    def redirect_request(  # noqa: PLR0917 - as urllib has it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """HEAD stays HEAD; Python does that from 3.13 on."""
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None:
            following.method = req.get_method()
        return following


def answers(url: str, status: int, headers: Mapping[str, Sequence[str]], timeout: float) -> None:
    """Look for a service that answers HEAD with a status within some seconds, redirects followed.

    Login and headers are for the URL alone, and not for where it redirects to.

    Raises:
        OSError: it does not.
    """
    request = urllib.request.Request(without_login(url), method="HEAD")  # noqa: S310 - the configuration has http alone
    login = urlsplit(url).netloc.rpartition("@")[0]
    if login:
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    for name, values in headers.items():
        request.add_unredirected_header(name, ", ".join(values))
    try:
        with urllib.request.build_opener(Redirects).open(request, timeout=timeout) as answer:
            given = answer.status
    except urllib.error.HTTPError as error:
        with error:
            given = error.code
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise OSError(getattr(reason, "strerror", None) or str(reason)) from error
    if given != status:
        raise OSError(f"status {given} instead of {status}")


def connects(host: str, port: int, timeout: float) -> None:
    """Look for a service that takes connections within some seconds.

    Raises:
        OSError: it does not.
    """
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        raise OSError(error.strerror or str(error)) from error
