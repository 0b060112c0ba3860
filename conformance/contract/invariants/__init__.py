"""Passive invariants: what every exchange has to agree in with the bytes and digests that came before and with it.

The contract knows one exchange and the OpenAPI document. An invariant knows the exchanges of a scenario: which bytes
have which digest, under which type a manifest was pushed, how much an upload has acknowledged. A digest names the same
bytes for ever, so that most of it holds in any order of requests and beside any other client.
"""

from conformance.contract.invariants.check import breaches
from conformance.contract.invariants.facts import Breach, Facts

__all__ = ["Breach", "Facts", "breaches"]
