"""The check finds what one side of the specification says and the other does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.contract import Contract
from spec import catalogue, document
from spec.catalogue import ROOT
from spec.ties import Ties

from .miniature import Tree

BASE = "spec/requirements/base.yaml"
PATH = "spec/paths/base.yaml"
TWO_PROFILES = """\
- {id: docker-v2, title: Docker, sources: [docker-api]}
- {id: oci-1.0, title: OCI 1.0, sources: [docker-api]}
"""
TIED = "      x-no-requirement: BASE-V2-200 has a scenario\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        pytest.param(
            PATH, TIED, "", f"{PATH}:4: status 200 of base.get has neither x-requirement nor", id="untied status"
        ),
        pytest.param(
            PATH,
            "          x-requirement: BASE-V2-HEADER\n",
            "",
            f"{PATH}:7: header Version in status 200 of base.get has neither",
            id="untied header",
        ),
        pytest.param(
            PATH,
            "  responses:",
            "  parameters:\n    - {name: n, in: query, schema: {type: string}}\n  responses:",
            f"{PATH}:4: parameter n of base.get has neither",
            id="untied parameter",
        ),
        pytest.param(
            PATH,
            "  responses:",
            "  parameters:\n    - {name: n, in: query, schema: {}, x-requirement: BASE-V2-200}\n  responses:",
            f"{PATH}:4: parameter n of base.get has an x-requirement, though no exchange decides by a parameter",
            id="parameter with a requirement",
        ),
        pytest.param(
            PATH,
            TIED,
            f"{TIED}      content:\n        text/plain: {{schema: {{type: string}}}}\n",
            f"{PATH}:13: media type text/plain in status 200 of base.get has neither",
            id="untied media type",
        ),
        pytest.param(
            PATH,
            TIED,
            f"{TIED}      content:\n        text/plain: {{x-no-requirement: any, schema: {{type: string}}}}\n",
            f"{PATH}:13: schema of media type text/plain in status 200 of base.get has neither",
            id="untied schema",
        ),
        pytest.param(
            PATH,
            "x-no-requirement: BASE-V2-200",
            "x-no-requirement: BASE-V2-404",
            f"{PATH}:11: x-no-requirement names nothing: BASE-V2-404",
            id="reason with an unknown id",
        ),
        pytest.param(
            PATH,
            TIED,
            f"{TIED}      x-requirement: BASE-V2-200\n",
            f"{PATH}:4: status 200 of base.get has both x-requirement and x-no-requirement",
            id="both",
        ),
        pytest.param(
            PATH,
            TIED,
            "      x-requirement: BASE-V2-HEADER\n",
            f"{PATH}:4: BASE-V2-HEADER is on status 200 of base.get, which its entry does not state",
            id="status of another requirement",
        ),
        pytest.param(
            PATH,
            '"200"',
            '"204"',
            f"{BASE}:1: BASE-V2-200 states 200 for base.get, which the OpenAPI document does not have",
            id="changed status of the document",
        ),
        pytest.param(
            BASE,
            "statuses: [200]",
            "statuses: [204]",
            f"{BASE}:1: the statement of BASE-V2-200 names 200, its statuses do not",
            id="changed status of the data",
        ),
        pytest.param(
            BASE,
            "answered 200",
            "answered 204",
            f"{BASE}:1: the statement of BASE-V2-200 names 204, its statuses do not",
            id="changed status of the statement",
        ),
        pytest.param(
            BASE,
            "statuses: [200]",
            "statuses: {base.got: [200]}",
            f"{BASE}:1: malformed entry: statuses: base.got is none of its operations",
            id="status of another operation",
        ),
        pytest.param(
            BASE,
            "{docker-v2: MUST}",
            "{docker-v2: null, oci-1.0: MUST}",
            f"{BASE}:8: BASE-V2-HEADER (SHOULD in docker-v2) presumes BASE-V2-200, which has no level there: "
            "give it one, or list docker-v2 in its presumed_beyond with the reason",
            id="level set to null under a presumption",
        ),
        pytest.param(
            BASE,
            "  statuses: [200]\n",
            "  statuses: [200]\n  presumed_beyond: {profiles: [docker-v2], why: It is no longer true.}\n",
            f"{BASE}:1: BASE-V2-200 says why it is presumed beyond docker-v2, where nothing does so",
            id="needless reason",
        ),
    ],
)
def test_what_is_not_tied_is_named_with_its_place(tree: Tree, file: str, old: str, new: str, problem: str) -> None:
    if "oci-1.0" in new:
        tree.write("spec/profiles.yaml", TWO_PROFILES)
    tree.replace(file, old, new)
    problems = tree.problems()
    assert any(line.startswith(problem) for line in problems), "\n".join(problems)


def test_a_reason_lets_a_profile_lack_what_is_presumed(tree: Tree) -> None:
    tree.write("spec/profiles.yaml", TWO_PROFILES)
    tree.replace(BASE, "{docker-v2: MUST}", "{oci-1.0: MUST}")
    tree.replace(
        BASE,
        "  statuses: [200]\n",
        "  statuses: [200]\n  presumed_beyond: {profiles: [docker-v2], why: Without an answer there is no header.}\n",
    )
    assert tree.problems() == []


def test_another_status_of_a_deleted_blob_is_told_and_convicts_who_gives_the_old_one(tmp_path: Path) -> None:
    root = tmp_path / "spec"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = root / "paths" / "blobs.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count('"202":') == 1
    path.write_text(text.replace('"202":', '"204":'), encoding="utf-8")
    bundler = document.Bundler(root)
    bundled = bundler.bundle()
    problems = [str(problem) for problem in Ties(bundler, bundled, catalogue.load(root)).problems()]
    line = text[: text.index('"202":')].count("\n") + 1
    assert f"spec/paths/blobs.yaml:{line}: no requirement states 204 for blob.delete" in problems
    assert any("MGMT-BLOB-DELETE-202 states 202 for blob.delete, which" in problem for problem in problems)
    deleted = Exchange(
        "blob.delete",
        {"name": "a", "digest": "sha256:" + "a" * 64},
        Request("DELETE", "http://r.example/v2/a/blobs/sha256:" + "a" * 64, Headers()),
        Response(202, "Accepted", Headers([("Content-Length", "0"), ("Docker-Content-Digest", "sha256:" + "a" * 64)])),
    )
    assert [breach.requirement for breach in Contract(bundled).check(deleted).breaches] == ["MGMT-BLOB-DELETE-202"]
    assert Contract(document.load()).check(deleted).breaches == ()
