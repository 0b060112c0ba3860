"""The start of each process of a run: the options, the target, and the plugins that do the rest."""

from __future__ import annotations

import contextlib
import time

import pytest

from conformance import listener
from conformance.recording import remove_spool
from conformance.run import options, report_document, secrecy, signals
from conformance.run.plugin import Controller, Suite, unpickled
from conformance.settings import Settings
from conformance.target import cleanup, preflight, probes
from conformance.target.capabilities import Capabilities
from conformance.target.embedded import EmbeddedReference
from conformance.target.session import Session, check_writable
from spec.catalogue import Catalogue, load


def configure(config: pytest.Config) -> None:
    """Set the run up; the process that controls it meets the target before any scenario.

    Raises:
        UsageError: an option, or the target, is not what it should be.
    """
    if config.option.help or config.option.version or config.option.collectonly or config.option.markers:
        return
    # pytest makes errors of warnings, and of this one too, which --insecure asks for.
    config.addinivalue_line("filterwarnings", "ignore:Unverified HTTPS request")
    # An interrupt that passes through a plugin's hook of the old style would else become our own error.
    config.addinivalue_line("filterwarnings", "ignore::pluggy.PluggyTeardownRaisedWarning")
    secrecy.quiet(config)
    catalogue = load()
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        _configure_worker(config, catalogue, *unpickled(workerinput["conformance"]))
        return
    settings = options.settings(config, catalogue)
    settings.deadline = time.monotonic() + settings.max_time
    _forget_secrets(config, settings)
    check_writable(settings)
    with contextlib.ExitStack() as stack:
        stack.enter_context(signals.ending_as_interrupted())
        if settings.embedded:
            _embed(settings, stack)
        session = Session(settings)
        secrets = secrecy.Secrecy(session.redactor)
        config.pluginmanager.register(secrets, "conformance-secrecy")
        stack.callback(session.close)
        if settings.spool is not None:
            stack.callback(remove_spool, settings.spool)
        stack.callback(_clean_up, session)
        if settings.notifications_listen:
            # Before the first request: what it leads to may be sent at once.
            session.mailbox = stack.enter_context(listener.listening(*settings.notifications_listen))
        _meet(session)
        servers = stack.pop_all()
    suite = Suite(config, session, catalogue, secrets)
    config.pluginmanager.register(suite, "conformance-suite")
    config.pluginmanager.register(Controller(config, suite, servers), "conformance-controller")


def _clean_up(session: Session) -> None:
    """Remove what was made before the run could start."""
    signals.INTERRUPTS.ending = True
    cleanup.run(session, lambda: signals.INTERRUPTS.hurry)


def _embed(settings: Settings, stack: contextlib.ExitStack) -> None:
    embedded = EmbeddedReference()
    stack.callback(embedded.stop)
    settings.url = embedded.url
    settings.product, settings.version = "registry-conformance/reference", report_document.suite_version()


def _meet(session: Session) -> None:
    """Ask the target what it is before anything is judged."""
    try:
        preflight.check(session)
        preflight.check_existing(session)
        probes.probe(session)
    except KeyboardInterrupt:
        raise pytest.exit.Exception(signals.TOO_EARLY, 2) from None
    answered = [exchange for exchange in session.client.exchanges if exchange.response is not None]
    session.round_trip_ms = min((exchange.elapsed_ms for exchange in answered), default=0.0)
    session.throttled = any(exchange.response.status == 429 for exchange in answered if exchange.response)
    # A run that is slowed down may have no time for all.
    session.settings.telling_first = bool(session.settings.rate) or session.throttled or session.transport.pace.rate > 0
    session.note("preflight")


def _configure_worker(config: pytest.Config, catalogue: Catalogue, settings: Settings, found: Capabilities) -> None:
    """Set a worker of pytest-xdist up with what the controlling process has found."""
    workerinput = getattr(config, "workerinput", {})
    # Each worker of pytest-xdist has a pace of its own.
    settings.rate /= max(1, workerinput.get("workercount", 1))
    ending = contextlib.ExitStack()
    ending.enter_context(signals.ending_as_interrupted())
    config.add_cleanup(ending.close)
    session = Session(settings, found)
    session.mailbox = listener.enter(settings.mailbox)
    secrets = secrecy.Secrecy(session.redactor)
    config.pluginmanager.register(secrets, "conformance-secrecy")
    config.pluginmanager.register(Suite(config, session, catalogue, secrets), "conformance-suite")


def _forget_secrets(config: pytest.Config, settings: Settings) -> None:
    """Take the credentials out of what pytest, its plugins and its workers may show."""
    config.option.password = None
    config.option.auth_pull_only_password = None
    config.option.auth_other_password = None
    config.option.auth_expired_token = None
    config.option.header = None
    config.option.notifications_header = None
    if config.option.registry_url:
        config.option.registry_url = settings.url
