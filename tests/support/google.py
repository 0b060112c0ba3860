"""The XML interface of Google Cloud Storage, which is that of S3 with other names of headers: moto, under these names.

No emulator at hand has it: those on PyPI and npm have the JSON interface, which the library does not use.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

_LOGIN = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
Environment = dict[str, Any]


class Translated:
    """The emulator, asked in the words of Google."""

    def __init__(self) -> None:
        self._emulator = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environment: Environment, start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if environment.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", "") == "0":
            # Nothing has that generation: what is there is not written over.
            environment["HTTP_IF_NONE_MATCH"] = "*"
        for name in [name for name in environment if name.startswith("HTTP_X_GOOG_")]:
            environment[name.replace("_GOOG_", "_AMZ_")] = environment.pop(name)
        # The emulator knows no logins by token; it looks at no signature, but wants one.
        environment["HTTP_AUTHORIZATION"] = _LOGIN
        answer: Iterable[bytes] = self._emulator(environment, start)
        return answer


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), Translated(), threaded=True)
