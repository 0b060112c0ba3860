"""Plugins that fail, log or leak with credentials in their hands."""

from __future__ import annotations

_HEAD = """
import base64, logging, pathlib, subprocess, sys
import pytest
from conformance.client.client import Client

def credentials(session):
    return session.settings.credentials

"""

FIXTURE = (
    _HEAD
    + """
@pytest.fixture(autouse=True)
def crashing(session):
    found = credentials(session)
    password, pair = found.password, f"{found.username}:{found.password}".encode()
    if session.client.url:
        raise RuntimeError(f"with {password} and {found.basic()} and {pair!r}", {"password": password})
"""
)

TEARDOWN = (
    _HEAD
    + """
@pytest.fixture(autouse=True)
def crashing(session):
    yield
    password = credentials(session).password
    raise RuntimeError("after " + base64.b64encode(b"x" + password.encode()).decode())
"""
)

_CLIENT = (
    _HEAD
    + """
_once = Client._once
calls = []

def crashing(self, call, authorization, trail):
    calls.append(call)
    if len(calls) > {after} and authorization:
        basic, headers = authorization, [("Authorization", authorization)]
        raise RuntimeError(f"{headers} {basic[:60]} {" ".join(map(repr, headers))}")
    return _once(self, call, authorization, trail)

Client._once = crashing
"""
)
CLIENT = _CLIENT.replace("{after}", "70")
PROBING = _CLIENT.replace("{after}", "5")

HOOK = (
    _HEAD
    + """
from conformance.run.plugin import SESSION

@pytest.hookimpl
def pytest_runtest_setup(item):
    session = item.config.stash[SESSION]

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid, location):
    if KEPT:
        password = credentials(KEPT[0]).password
        raise RuntimeError(f"{password} {password.encode()!r}")

KEPT = []

@pytest.hookimpl
def pytest_collection_modifyitems(config, items):
    KEPT.append(config.stash[SESSION])
"""
)

LOGGING = (
    _HEAD
    + """
_once = Client._once

def logging_once(self, call, authorization, trail):
    logging.getLogger("library").warning("sends %s with %r to %s", call.method, authorization, call.url)
    try:
        raise ValueError(authorization)
    except ValueError:
        logging.getLogger("library").exception("with %s", {"authorization": authorization})
    return _once(self, call, authorization, trail)

Client._once = logging_once
"""
)

#: At the very end, when nothing is captured any more.
PRINTS = (
    _HEAD
    + """
import atexit

@pytest.fixture(autouse=True, scope="session")
def printing(session):
    shown = base64.b64encode(b"x" + credentials(session).password.encode()).decode()
    atexit.register(lambda: print(shown, file=sys.__stderr__))
"""
)

WRITES = (
    _HEAD
    + """
@pytest.fixture(autouse=True, scope="session")
def writing(session):
    path = session.settings.report / "planted"
    path.write_text(credentials(session).password.encode().hex())
    yield
"""
)

STARTS = (
    _HEAD
    + """
@pytest.fixture(autouse=True, scope="session")
def starting(session):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3)", credentials(session).password])
    yield
    process.wait()
"""
)
