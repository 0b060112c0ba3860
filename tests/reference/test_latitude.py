"""Each latitude in the documentation has a variant, and each variant names its latitude."""

from __future__ import annotations

import re

from reference.variants import ALL
from tests.support.servers import ROOT


def test_every_entry_has_a_variant_and_every_variant_an_entry() -> None:
    listed = re.findall(
        r"^\| `([A-Z0-9-]+)` \|", (ROOT / "docs" / "latitude.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(listed) == len(set(listed)) > 100
    named = {entry for variant in ALL.values() for entry in variant.latitude}
    assert sorted(set(listed) - named) == []
    assert sorted(named - set(listed)) == []


def test_every_variant_says_what_allows_it() -> None:
    assert not [variant.name for variant in ALL.values() if not variant.latitude and not variant.lacks]
