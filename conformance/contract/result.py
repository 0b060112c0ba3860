"""What a contract check tells: the requirements it looked at and the breaches it found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach of the OpenAPI document, booked to the requirement that stands at the breached place.

    ``expected`` and ``actual`` are bounded texts for people; ``place`` says where in the document.
    """

    requirement: str
    expected: str
    actual: str
    place: str


@dataclass(frozen=True, slots=True)
class ContractResult:
    """The outcome of one check; at most one breach for each requirement.

    ``unbooked`` describes what departs from the document where no requirement stands.
    """

    exercised: frozenset[str] = frozenset()
    breaches: tuple[Breach, ...] = ()
    unbooked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deviation:
    """One departure from the document, before it is booked.

    ``part`` is how openapi-core's error of the same cause is told: ``status``, ``body`` or
    ``header NAME`` in lower case; ``""`` where openapi-core has no say, as on Content-Type.
    """

    part: str
    requirement: str | None
    expected: str
    actual: str
    place: str

    def describe(self) -> str:
        """Return the deviation as one sentence."""
        return f"{self.place}: expected {self.expected}, got {self.actual}"


#: Nothing was checked.
NOTHING = ContractResult()
