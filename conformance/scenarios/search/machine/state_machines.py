"""The state machines: rules that Hypothesis draws, with small numbers that choose objects.

What is drawn never depends on an answer, so that a seed makes the same sequence for every target.
"""

from __future__ import annotations

import sys
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from conformance.scenarios.search.machine.manifests import ManifestDriver
from conformance.scenarios.search.machine.uploads import UploadDriver
from conformance.scenarios.search.trial import Trial

#: Mostly the first repository: what is near in time has to meet.
_WHERE = st.sampled_from((0, 0, 0, 1))
_EITHER = st.integers(0, 1)
_WHICH = st.integers(0, 3)
_BLOB = st.integers(0, 2)
_SIZE = st.sampled_from((20, 300, 4097))
_LAST = st.sampled_from((0, 0, 20))
_LETTERS = "abc"
_TAG = st.sampled_from(_LETTERS)
_TAGS = st.lists(_TAG, unique=True, max_size=3)


class Driver(UploadDriver, ManifestDriver):
    """All operations."""


class Machine(RuleBasedStateMachine):
    """What all machines do: look at everything now and then, and at the end."""

    #: How often a rule is drawn, where not once.
    weights: ClassVar[dict[str, int]] = {}

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.driver = Driver(trial)
        # Hypothesis leaves out some rules in each example, which pays where there are many
        # examples.
        drawn = {r.function.__name__: st.tuples(st.just(r), st.fixed_dictionaries(r.arguments)) for r in self.rules}
        weighed = [name for name in sorted(drawn) for _ in range(self.weights.get(name, 1))]
        self._rules_strategy = st.sampled_from(weighed).flatmap(drawn.__getitem__)  # type: ignore[assignment]  # draws rules and arguments, as the other

    @rule()
    def look(self) -> None:
        """Compare everything with the model."""
        self.driver.do(self.driver.look)

    def teardown(self) -> None:
        """Look once more, unless the example has ended by what it found."""
        if sys.exc_info()[0] is None:
            self.driver.do(self.driver.look)


class _Publishes(Machine):
    @rule(where=_WHERE, which=_BLOB, tags=_TAGS)
    def publish(self, where: int, which: int, tags: list[str]) -> None:
        """Push an image under some tags."""
        self.driver.do(lambda: self.driver.publish(where, min(which, 1), tags))

    @rule(where=_WHERE, which=_WHICH)
    def delete_manifest(self, where: int, which: int) -> None:
        """Delete a manifest."""
        self.driver.do(lambda: self.driver.delete_manifest(where, which))


class _Blobs(Machine):
    @rule(where=_WHERE, which=_BLOB)
    def push_blob(self, where: int, which: int) -> None:
        """Push a blob."""
        self.driver.do(lambda: self.driver.push_blob(where, which))

    @rule(where=_EITHER, which=_BLOB)
    def mount(self, where: int, which: int) -> None:
        """Mount a blob."""
        self.driver.do(lambda: self.driver.mount(where, which))

    @rule(where=_EITHER, which=_WHICH)
    def delete_blob(self, where: int, which: int) -> None:
        """Delete a blob."""
        self.driver.do(lambda: self.driver.delete_blob(where, which))


class _Tags(_Publishes):
    @rule(where=_WHERE, which=_WHICH, tag=_TAG)
    def retag(self, where: int, which: int, tag: str) -> None:
        """Give a manifest another tag."""
        self.driver.do(lambda: self.driver.retag(where, which, tag))

    @rule(where=_WHERE, which=_WHICH)
    def delete_tag(self, where: int, which: int) -> None:
        """Delete a tag."""
        self.driver.do(lambda: self.driver.delete_tag(where, which))


class _Uploads(Machine):
    @rule(where=_WHERE)
    def start(self, where: int) -> None:
        """Open an upload."""
        self.driver.do(lambda: self.driver.start(where))

    @rule(which=_WHICH, size=_SIZE)
    def chunk(self, which: int, size: int) -> None:
        """Send a chunk."""
        self.driver.do(lambda: self.driver.chunk(which, size))

    @rule(which=_WHICH)
    def status(self, which: int) -> None:
        """Ask how far an upload is."""
        self.driver.do(lambda: self.driver.status(which))

    @rule(which=_WHICH, size=_LAST)
    def finish(self, which: int, size: int) -> None:
        """Close an upload."""
        self.driver.do(lambda: self.driver.finish(which, size))

    @rule(which=_WHICH)
    def cancel(self, which: int) -> None:
        """Cancel an upload."""
        self.driver.do(lambda: self.driver.cancel(which))


class _Referrers(_Publishes):
    @rule(where=_WHERE, subject=_WHICH, which=_BLOB)
    def attach(self, where: int, subject: int, which: int) -> None:
        """Push an image that refers to another."""
        self.driver.do(lambda: self.driver.attach(where, subject, which))

    @rule(where=_WHERE, which=_BLOB, tags=_TAGS)
    def list_together(self, where: int, which: int, tags: list[str]) -> None:
        """Push an index."""
        self.driver.do(lambda: self.driver.bundle(where, which, tags))


class Tags(_Tags):
    """Images and tags."""

    weights: ClassVar = {"publish": 4, "retag": 5, "delete_tag": 2, "delete_manifest": 2}


class Blobs(_Blobs, _Publishes):
    """Blobs in two repositories, and images that name them."""

    weights: ClassVar = {"push_blob": 4, "mount": 5, "delete_blob": 5, "publish": 2}


class Uploads(_Uploads):
    """Uploads beside each other."""

    weights: ClassVar = {"start": 3, "chunk": 3, "cancel": 2}


class Referrers(_Referrers):
    """Images, what refers to them, and indexes."""

    weights: ClassVar = {"publish": 2, "attach": 4, "list_together": 3}


class Everything(_Tags, _Blobs, _Uploads, _Referrers):
    """All operations."""
