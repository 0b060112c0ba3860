"""Faults of the grammar of names."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.grammar import is_name
from reference.messages import Request
from reference.modifications import Fault, override


def _name_ends_in_digit(registry: Registry) -> None:
    """A name that ends in a separator and one digit is none."""
    check = registry.check_allowed

    def changed(request: Request) -> None:
        check(request)
        name = request.name or ""
        if len(name) > 1 and name[-1].isdigit() and not name[-2].isalnum() and is_name(name):
            raise errors.name_invalid(name)

    override(registry, check_allowed=changed)


FAULTS = (
    Fault(
        name="name-with-last-digit-refused",
        title="A name that ends in a separator and one digit is refused.",
        # The last where a set-up comes by such a name: then it is the cause of the others.
        breaks=("BASE-NAME-PLAIN", "BASE-NAME-SINGLE-SEPARATOR", "PUSH-START-STATUS-202"),
        also=("BASE-NAME-REPEATED-SEPARATOR", "BASE-NAME-LENGTH-MAX", "BASE-NAME-ROUTE-WORDS"),
        apply=_name_ends_in_digit,
    ),
)
