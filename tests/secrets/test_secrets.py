"""No output of the suite has a canary, in any configuration; the search finds planted ones."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.secrets.canaries import NAMES, Canaries
from tests.secrets.cases import CASES, PLANTED
from tests.secrets.trial import leaks
from tests.support.sampling import sampled


@pytest.mark.parametrize("name", sampled(CASES, 3))
def test_nothing_leaks(name: str, tmp_path: Path) -> None:
    assert leaks(name, tmp_path) == []


@pytest.mark.parametrize("name", sampled(PLANTED, 1))
def test_a_planted_leak_is_found(name: str, tmp_path: Path) -> None:
    found = leaks(name, tmp_path)
    assert any(PLANTED[name][1] in sentence for sentence in found), found


@pytest.mark.parametrize("name", NAMES)
def test_a_canary_is_found_in_every_form(name: str) -> None:
    canaries = Canaries()
    secret = canaries[name]
    data = f"ann:{secret}".encode()
    forms = [secret, quote(secret, safe=""), json.dumps(secret), html.escape(secret), data.hex(), data.hex().upper()]
    forms += [quote(quote(secret)), json.dumps({"a": json.dumps(secret)}), str(data)]
    forms += [base64.b64encode(b"?" * shift + data).decode() for shift in range(3)]
    forms += [base64.urlsafe_b64encode(data).decode(), base64.b64encode(f"{secret}:ann".encode()).decode()]
    assert [canaries.found(f"before {form} after") for form in forms] == [[name]] * len(forms)
    assert not Canaries().found(secret)
