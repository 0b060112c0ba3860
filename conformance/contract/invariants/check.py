"""Check the exchanges of a scenario against the invariants of their operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from conformance.client.http.exchange import Exchange, Response
from conformance.contract.invariants import headers, pulls, pushes, ranges, sessions
from conformance.contract.invariants.facts import OK, Breach, Facts

Invariant = Callable[[Facts, Exchange, Response], Iterator[Breach]]


def _filters(_facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check that no filter is said to be applied where none was asked for.

    Further pages have URLs of the registry's own, which may hold the filter in any form.
    """
    told = response.header("OCI-Filters-Applied")
    path, query = urlsplit(exchange.request.url)[2:4]
    plain = not query and path.endswith(f"/referrers/{exchange.parameters.get('digest', '-')}")
    if told and response.status == OK and plain:
        yield Breach(
            "DISC-REFERRERS-FILTER-HEADER-HONEST",
            "no OCI-Filters-Applied to a request without filter",
            f"OCI-Filters-Applied: {told}",
            (exchange,),
        )


#: What is looked at, by operation. An exchange without operation, as that with a redirect's target, is not.
INVARIANTS: Mapping[str, tuple[Invariant, ...]] = {
    "blob.get": (pulls.blob, ranges.blob),
    "blob.head": (pulls.blob_head, headers.blob_length),
    "blob.delete": (pushes.deleted,),
    "manifest.get": (pulls.manifest, headers.content_type),
    "manifest.head": (pulls.manifest_head, headers.manifest_length, headers.content_type_of_head),
    "manifest.put": (pushes.manifest,),
    "upload.put": (pushes.closing,),
    "upload.start-digest": (pushes.single,),
    "upload.mount": (pushes.mount,),
    "referrers.list": (_filters,),
}


def breaches(exchanges: Sequence[Exchange], shared: bool = False) -> Iterator[Breach]:
    """Give what the exchanges of a scenario contradict; nothing is taken over from one scenario to the next.

    ``shared`` says that others may write to the repositories. An exchange that failed is not looked at.
    """
    facts = Facts(exchanges, shared)
    yield from sessions.follow(facts, exchanges)
    for exchange in exchanges:
        response = exchange.response
        if response is None or exchange.error:
            continue
        for invariant in INVARIANTS.get(exchange.operation, ()):
            yield from invariant(facts, exchange, response)
