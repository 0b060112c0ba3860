"""Users are told nothing wrong of a registry that is odd but right: the variants, each with a few users."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.load import mix, steps
from conformance.load.plan import Budget, Plan, Post
from conformance.load.visitor import Crowd
from conformance.settings import Settings
from conformance.target import probes
from conformance.target.session import Session
from reference.variants import ALL
from tests.support.sampling import sampled
from tests.support.servers import reference

#: Those without logins, and without options that their owner has to give.
PLAIN = [name for name, variant in ALL.items() if variant.configuration == "memory" and not variant.options]


@pytest.mark.parametrize("name", sampled(PLAIN, 1))
def test_a_variant_is_not_blamed(name: str, tmp_path: Path) -> None:
    settings = Settings("", report=tmp_path, keep=True, run_id="0ad15b")
    with reference(tmp_path, variants=[name]) as server:
        settings.url = server.url
        session = Session(settings)
        probes.probe(session)
        session.close()
        chosen = replace(mix.read(mix.DEFAULT), bytes=64, kept=3, deeds=dict.fromkeys(mix.DEEDS, 1))
        plan = Plan(settings, session.capabilities, chosen, steps.of(1, 60), 300, 1)
        crowd = Crowd(Post(plan, Budget(plan.requests)), lambda _exchange, _against: None)
        with ThreadPoolExecutor(4) as pool:
            assert not [*filter(None, pool.map(lambda number: _stay(crowd, number), range(4)))]
    blamed = {name: crowd.post.books.judgements[name]["actual"] for name in crowd.post.books.times}
    assert not set(blamed) - set(ALL[name].warns), blamed


def _stay(crowd: Crowd, number: int) -> None:
    visitor = crowd.user(str(number))
    while not visitor.done:
        visitor.once()
    visitor.close()
