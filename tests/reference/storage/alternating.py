"""Several registries on one storage, each of which answers the next request: ``python -m ... CONFIG PORT``.

They share a process and nothing else, so that whatever one of them remembers is out of date.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from reference import server
from reference.app import Registry
from reference.configuration.reading import read
from reference.launch.registry import make_storage
from reference.messages import Receive, Scope, Send

NUMBER = 3


def main(config: Path, port: int) -> None:
    """Serve until a signal."""
    registries = [Registry(make_storage(read(config))) for _ in range(NUMBER)]
    turn = itertools.cycle(registries)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await next(turn)(scope, receive, send)

    server.run(application, server.listen(f"127.0.0.1:{port}"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
