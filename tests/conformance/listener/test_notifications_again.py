"""A repeated event is compared with the refused one, not with others of the same push."""

from __future__ import annotations

import json

import pytest

from conformance.listener.mailbox import Delivery, Reply
from conformance.scenarios.notifications.events import comes_as_before

_DIGEST = "sha256:" + "a" * 64


def _delivery(number: int, id_: str, status: int) -> Delivery:
    body = json.dumps({"events": [{"id": id_, "target": {"digest": _DIGEST}}]}).encode()
    return Delivery(number, "POST", (), body, whole=True, arrived=0.0, reply=Reply(status))


@pytest.mark.parametrize(
    ("came", "same"),
    [
        ([("a", 500), ("a", 500), ("a", 200)], True),
        ([("a", 0), ("a", 200), ("b", 200)], True),
        ([("a", 500), ("b", 500), ("a", 200)], True),
        ([("a", 500), ("b", 500), ("c", 200)], False),
        ([("a", 500), ("a", 500), ("b", 200)], False),
        ([("a", 0), ("b", 200)], False),
    ],
)
def test_an_event_that_was_not_taken_comes_again_under_its_id(came: list[tuple[str, int]], same: bool) -> None:
    deliveries = [_delivery(number, *one) for number, one in enumerate(came)]
    assert comes_as_before(deliveries, _DIGEST) is same
