"""A report as data: read, checked against its schema and against itself, with typed access."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

#: The version of the format that this program reads and writes.
FORMAT = "1"


class Body(TypedDict):
    """A recorded body: text, base64, or only its length and digest."""

    size: int
    digest: str
    text: str | None
    base64: str | None
    truncated: bool


class Request(TypedDict):
    """A recorded request."""

    method: str
    url: str
    headers: list[list[str]]
    body: Body | None


class Response(TypedDict):
    """A recorded response."""

    status: int
    reason: str
    headers: list[list[str]]
    body: Body | None


class Exchange(TypedDict):
    """A recorded request with its response, or the transport error in its place."""

    operation: str
    started_ms: float
    elapsed_ms: float
    request: Request
    response: Response | None
    error: str | None


class Finding(TypedDict):
    """A broken requirement with its evidence."""

    requirement: str
    scenario: str
    expected: str
    actual: str
    exchanges: list[Exchange]
    curl: str
    script: NotRequired[str]
    times: NotRequired[int]
    also_affected: list[str]
    note: str


class Source(TypedDict):
    """A place in a document that says so."""

    document: str
    section: str
    title: str
    url: str


class RequirementResult(TypedDict):
    """A requirement and what was found out about it."""

    id: str
    statement: str
    category: str
    levels: dict[str, str]
    sources: list[Source]
    outcome: str
    verdicts: dict[str, str]
    scenarios: list[str]
    reason: str
    withheld: str


class Tally(TypedDict):
    """A verdict and the number of requirements behind it, by their verdict."""

    verdict: str
    counts: dict[str, int]


class Scope(TypedDict):
    """The categories that a verdict speaks of, and the number of requirements that it leaves out, by their cause."""

    claimed: list[str]
    withheld: dict[str, int]


class ProfileResult(Tally):
    """The verdict for a profile, as a whole and by category."""

    scope: Scope
    categories: dict[str, Tally]


class Suite(TypedDict):
    """What judged."""

    name: str
    version: str
    commit: str | None


class CapabilityResult(TypedDict):
    """Whether the target offers an optional part (None: not known), and whether its operator said so."""

    present: bool | None
    declared: bool


class Target(TypedDict):
    """The registry under test."""

    url: str
    product: str | None
    version: str | None
    embedded: NotRequired[bool]
    capabilities: dict[str, CapabilityResult]


class Exchanges(TypedDict):
    """The number of exchanges and what the contract checks cost."""

    count: int
    contract_checks_ms_total: float
    contract_ms_per_exchange: float


class Run(TypedDict):
    """The facts of the run."""

    started: str
    duration_seconds: float
    seed: int | str | None
    options: dict[str, Any]
    profile: str
    exchanges: Exchanges
    complete: bool
    exit_code: int
    repositories: NotRequired[int]
    sampled: NotRequired[list[str]]
    command: NotRequired[str]
    left: NotRequired[str]


class Law(TypedDict):
    """A law that was tried under conditions: in how many rows of them, and how many pairs came together there."""

    law: str
    subject: str
    statement: str
    requirements: list[str]
    rows: int
    pairs: int
    pairs_of_all: int


class Latency(TypedDict):
    """Percentiles of some requests under load, in milliseconds."""

    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class OperationLatency(Latency):
    """Those of one operation."""

    operation: str
    unanswered: int


class StepLatency(Latency):
    """Those of a step of a load, which has a number of users."""

    users: int
    requests_per_second: float


class KneeBefore(TypedDict):
    """The step that a knee is compared with."""

    users: int
    p99_ms: float


class Knee(KneeBefore):
    """The first step whose p99 is at least twice that of one with fewer users."""

    before: KneeBefore


class Throughput(TypedDict):
    """Requests and bytes of bodies in a second."""

    requests_per_second: float
    sent_bytes_per_second: float
    received_bytes_per_second: float


class Load(TypedDict):
    """The figures of a load, as far as they are shown."""

    users: int
    seconds: float
    requests: int
    throughput: Throughput
    operations: list[OperationLatency]
    steps: list[StepLatency]
    knee: Knee | None


class Report(TypedDict):
    """The record of a run (``spec/schemas/report.schema.json``)."""

    format: str
    suite: Suite
    target: Target
    run: Run
    profiles: dict[str, ProfileResult]
    requirements: list[RequirementResult]
    findings: list[Finding]
    #: Reports of earlier versions have none.
    laws: NotRequired[list[Law]]
    #: Only where it is that of a load.
    load: NotRequired[Load]
