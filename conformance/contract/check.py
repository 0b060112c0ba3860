"""Check exchanges against the OpenAPI document and book each breach to its requirement."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from conformance.client.http.exchange import Exchange, Response
from conformance.contract import body, wording
from conformance.contract.plan import HeaderRule, OperationPlan, ResponsePlan, operations
from conformance.contract.result import NOTHING, Breach, ContractResult, Deviation

if TYPE_CHECKING:
    from conformance.contract.oracle import Oracle

#: Which exchanges openapi-core itself looks at: those in which a plan found a new breach, the first of
#: each operation, status and media type too, or all.
Oversight = Literal["breaches", "kinds", "all"]


#: The key of a deviation in which openapi-core has no say.
_OURS = ("", 0, "", None)


class Contract:
    """The OpenAPI document as a judge of exchanges.

    Compiled plans look at every exchange. openapi-core, slow to import and to run, has the last word on
    each kind of breach that would be booked: what it does not find is not booked.
    """

    def __init__(self, document: Mapping[str, Any], oversight: Oversight = "breaches") -> None:
        self._document = document
        self._oversight = oversight
        self._operations = {plan.id: plan for plan in operations(document)}
        self._judge: Oracle | None = None
        #: What loading openapi-core took, once in a process that has a breach to book.
        self.loading_seconds = 0.0
        self._confirmed: dict[tuple[str, int, str, str | None], bool] = {}
        self._kinds: set[tuple[str, int, str]] = set()

    @classmethod
    def load(cls, oversight: Oversight = "breaches") -> Contract:
        """Return the contract of the specification in this package."""
        from spec.document import load  # noqa: PLC0415  tests bring documents of their own

        return cls(load(), oversight)

    @property
    def operations(self) -> Mapping[str, OperationPlan]:
        """The operations by id."""
        return self._operations

    def check(self, exchange: Exchange) -> ContractResult:
        """Return what the document says of an exchange.

        It says nothing of one without operation or response, with another method than its operation's, or without the
        parameters that its statements are about.
        """
        response = exchange.response
        if not exchange.operation or response is None:
            return NOTHING
        operation = self._operations.get(exchange.operation)
        if operation is None:
            return ContractResult(unbooked=(f"the document has no operation {exchange.operation}",))
        if exchange.request.method.lower() != operation.method or not _given(operation, exchange):
            return NOTHING
        exercised: set[str] = set()
        deviations = list(_deviations(operation, exchange, response, exercised))
        notes: tuple[str, ...] = ()
        if self._oversight != "breaches" or any(deviation.requirement for deviation in deviations):
            deviations, notes = self._oversee(operation, exchange, response, deviations)
        return _book(exercised, deviations, notes)

    @property
    def oracle(self) -> Oracle:
        """openapi-core on the same document, imported at the first need."""
        if self._judge is None:
            started = time.perf_counter()
            from conformance.contract.oracle import Oracle  # noqa: PLC0415  its import takes most of a second

            self._judge = Oracle(self._document)
            self.loading_seconds = time.perf_counter() - started
        return self._judge

    def _oversee(
        self, operation: OperationPlan, exchange: Exchange, response: Response, deviations: list[Deviation]
    ) -> tuple[list[Deviation], tuple[str, ...]]:
        keys = {d: (operation.id, response.status, d.part, d.requirement) for d in deviations if d.part}
        kind = (operation.id, response.status, response.media_type)
        due = self._oversight == "all" or (self._oversight == "kinds" and kind not in self._kinds)
        notes: list[str] = []
        if due or any(d.requirement and key not in self._confirmed for d, key in keys.items()):
            self._kinds.add(kind)
            plan = operation.response(response.status)
            with_body = body.is_checked(exchange, response) and not (plan and body.may_be_absent(plan, response))
            errors = self.oracle.errors(operation, exchange, with_body)
            self._confirmed.update({key: deviation.part in errors for deviation, key in keys.items()})
            parts = {deviation.part for deviation in deviations}
            notes += [f"only openapi-core finds: {text}" for part, text in errors.items() if part not in parts]
        refuted = [d for d in deviations if not self._confirmed.get(keys.get(d, _OURS), True)]
        notes += [f"openapi-core does not find: {d.describe()}" for d in refuted]
        return [d for d in deviations if d not in refuted], tuple(notes)


def _given(operation: OperationPlan, exchange: Exchange) -> bool:
    """Whether a request had the parameters without which nothing is said of its answer."""
    if not operation.given:
        return True
    return operation.given <= {name for name, _ in parse_qsl(urlsplit(exchange.request.url).query)}


def _deviations(
    operation: OperationPlan, exchange: Exchange, response: Response, exercised: set[str]
) -> Iterator[Deviation]:
    if operation.requirement and operation.shown_by_any_success and response.ok:
        exercised.add(operation.requirement)
    plan = operation.response(response.status)
    if plan is None:
        yield _undocumented(operation, response)
        return
    if plan.requirement:
        exercised.add(plan.requirement)
    for rule in plan.headers:
        deviation = _header(plan, rule, response, exercised)
        if deviation is not None:
            yield deviation
    if plan.content is not None and body.is_checked(exchange, response):
        yield from body.deviations(plan, response, exercised)


def _undocumented(operation: OperationPlan, response: Response) -> Deviation:
    requirement, expected = None, operation.statuses
    if response.ok:
        requirement, marked = operation.success()
        expected = marked or expected
    return Deviation(
        part="status",
        requirement=requirement or operation.requirement,
        expected=wording.statuses(expected),
        actual=wording.status(response.status, response.reason),
        place=f"{operation.id}, status",
    )


def _header(plan: ResponsePlan, rule: HeaderRule, response: Response, exercised: set[str]) -> Deviation | None:
    values = response.headers.all(rule.name)
    if not values and not rule.required:
        return None
    exercised.update(found for found in (rule.missing, rule.invalid if values else None) if found)
    # A field that is repeated may be a list on several lines or a list of alternatives: one good reading is enough.
    if values and (any(map(rule.accepts, values)) or (len(values) > 1 and rule.accepts(", ".join(values)))):
        return None
    return Deviation(
        part=rule.part,
        requirement=rule.invalid if values else rule.missing,
        expected=rule.expected,
        actual=wording.list_of(map(wording.quoted, values), "and") if values else "absent",
        place=f"{plan.operation}, status {plan.status}, header {rule.name}",
    )


def _book(exercised: set[str], deviations: list[Deviation], notes: tuple[str, ...]) -> ContractResult:
    breaches: dict[str, Breach] = {}
    unbooked: list[str] = []
    for deviation in deviations:
        if deviation.requirement is None:
            unbooked.append(deviation.describe())
        elif deviation.requirement not in breaches:
            breaches[deviation.requirement] = Breach(
                deviation.requirement, deviation.expected, deviation.actual, deviation.place
            )
    return ContractResult(frozenset(exercised | breaches.keys()), tuple(breaches.values()), (*unbooked, *notes))
