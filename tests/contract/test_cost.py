"""The contract check costs a run next to nothing."""

from __future__ import annotations

import subprocess
import sys
import time

from conformance.client.http.exchange import Exchange, Headers, Response
from conformance.contract import Contract

from .samples import recorded

#: Milliseconds of processor time for an exchange, compiling included; the budget of a run.
BUDGET = 0.5
EXCHANGES = 1500
#: Seconds to import and load on a busy machine; docs/measurements.md has the figure of a quiet one.
LOADING = 2.5


def corpus() -> list[Exchange]:
    """The recorded exchanges again and again, each with a response not seen before."""
    kinds = recorded()
    made: list[Exchange] = []
    for index in range(EXCHANGES):
        kind = kinds[index % len(kinds)]
        given = kind.response
        assert given is not None
        unique = f"{index:064x}"
        headers = Headers(
            (name, f"sha256:{unique}" if name.lower() == "docker-content-digest" else value)
            for name, value in given.headers
        )
        body = given.body + b" " * index if given.media_type == "application/json" else given.body
        response = Response(given.status, given.reason, headers, body, len(body))
        made.append(Exchange(kind.operation, kind.parameters, kind.request, response))
    return made


def test_an_exchange_costs_less_than_half_a_millisecond() -> None:
    contract, exchanges = Contract.load(), corpus()
    started = time.process_time()
    for exchange in exchanges:
        contract.check(exchange)
    average = (time.process_time() - started) * 1000 / len(exchanges)
    assert average < BUDGET


def test_loading_is_quick_and_leaves_openapi_core_alone() -> None:
    code = (
        "import sys; from conformance.contract import Contract; Contract.load(); "
        "assert 'openapi_core' not in sys.modules, 'openapi-core was imported'"
    )
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert time.monotonic() - started < LOADING
