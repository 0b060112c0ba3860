"""The folder that github.com/opencontainers/oci-conformance asks for, as far as a report of ours can fill it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from reports import html, view
from reports.loading import ReportError
from reports.model import Report
from reports.text import markdown, markdown_block

#: The folder of each profile in that repository.
_VERSIONS = {"oci-1.0": "v1.0", "oci-1.1": "v1.1"}
#: The members of PRODUCT.yaml that only its owner knows.
MEMBERS = ("vendor", "website_url", "repo_url", "documentation_url", "product_logo_url", "type", "description")
_OPTIONAL = ("repo_url", "product_logo_url")
_TODO = "TODO"


def files(report: Report, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the files by their paths, and what is missing of them, in sentences.

    Args:
        report: a report of a whole run, by a profile that the repository knows.
        given: members of PRODUCT.yaml.

    Raises:
        ReportError: the report cannot be submitted.
    """
    run, target = report["run"], report["target"]
    version = _VERSIONS.get(run["profile"])
    if version is None:
        raise ReportError(f"there is nothing to submit by {run['profile']}; run it by {' or '.join(_VERSIONS)}.")
    if not run["complete"]:
        raise ReportError("the run was of a part of the suite.")
    if not target["product"] or not target["version"]:
        raise ReportError("it does not name what was tested; give --product and --product-version to the run.")
    name = "".join(c if c.isalnum() else "-" for c in target["product"].casefold()).strip("-")
    folder = f"distribution-spec/{version}/{name}"
    members = {"vendor": "", "name": target["product"], "version": target["version"], **dict.fromkeys(MEMBERS[1:], "")}
    members |= given
    product = "".join(
        f"{member}: {json.dumps(value or _TODO)}\n"
        for member, value in members.items()
        if value or member not in _OPTIONAL
    )
    missing = [
        f"{folder}/PRODUCT.yaml: {member} is to be filled in"
        for member, value in members.items()
        if not value and member not in _OPTIONAL
    ]
    missing.append(f"{folder}/report.html and junit.xml: the conformance tests of distribution-spec have to be run")
    texts = {
        f"{folder}/PRODUCT.yaml": product,
        f"{folder}/README.md": "\n".join(_readme(report, version)) + "\n",
        # Its own names are for what the tests of distribution-spec write.
        f"{folder}/registry-conformance.html": html.render(report),
        f"{folder}/registry-conformance.json": json.dumps(report, ensure_ascii=True) + "\n",
    }
    return texts, missing


def _readme(report: Report, version: str) -> Iterator[str]:
    run = report["run"]
    yield f"# {markdown(view.product(report))}"
    yield ""
    yield f"Conformance to the OCI Distribution Specification {version}."
    yield ""
    yield "## How to reproduce these results"
    yield ""
    yield "`report.html` and `junit.xml` are by the conformance tests of distribution-spec:"
    yield ""
    yield markdown_block(
        "git clone https://github.com/opencontainers/distribution-spec.git\n"
        "cd distribution-spec/conformance && go test -c\n"
        f"OCI_ROOT_URL={report['target']['url']} OCI_NAMESPACE=... ./conformance.test",
        "sh",
    )
    yield ""
    suite = report["suite"]
    commit = f" (commit {suite['commit']})" if suite["commit"] else ""
    yield (
        f"`registry-conformance.html` and `.json` are by registry-conformance {suite['version']}{commit}, an"
        f" independent suite, on {run['started'][:10]}:"
    )
    if run.get("command"):
        yield ""
        yield markdown_block(run["command"], "sh")
    yield ""
    one = view.chosen(report)
    yield f"Its verdict by {one.id} is {view.label(one.verdict)}: {markdown(view.counted(report))}."
