"""What the target's owner declares of its optional parts."""

from __future__ import annotations

from conformance.target.capabilities import Capabilities
from conformance.verdict.judge import Judge, Unsupported, verifies


@verifies("BASE-CAPABILITY-DECLARED")
def test_declared_capabilities(capabilities: Capabilities, judge: Judge) -> None:
    """A part that is declared present is offered, and one that is declared absent is not."""
    wrong = [
        f"{name} is declared {'present' if there else 'absent'} but was found {'absent' if there else 'present'}"
        for name, there in sorted(capabilities.declared.items())
        if name in capabilities.probed and capabilities.probed[name] is not there
    ]
    if not capabilities.declared:
        raise Unsupported("nothing is declared")
    judge("BASE-CAPABILITY-DECLARED", not wrong, "every capability as it is declared", actual="; ".join(wrong))
