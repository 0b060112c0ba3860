"""A specification of two requirements, with a scenario and a fault, to break in one place."""

from __future__ import annotations

import shutil
from pathlib import Path

from spec.catalogue import ROOT
from spec.check import Result, check

FILES = {
    "spec/profiles.yaml": "- id: docker-v2\n  title: Docker Registry HTTP API V2\n  sources: [docker-api]\n",
    "spec/sources.yaml": (
        "- {id: docker-api, title: The Docker document, url: 'https://example.org/api.md', version: July 2021}\n"
    ),
    "spec/capabilities.yaml": "- {id: ranges, title: Byte ranges, probe: A range GET is answered 206.}\n",
    "spec/withdrawn.yaml": "- {id: BASE-V1-200, reason: The first version has no check.}\n",
    "spec/requirements/base.yaml": """\
- id: BASE-V2-200
  statement: The version check is answered 200.
  level: {docker-v2: MUST}
  sources:
    - {document: docker-api, section: API Version Check}
  operations: [base.get]
  statuses: [200]
- id: BASE-V2-HEADER
  statement: The version check has a header.
  level: {docker-v2: SHOULD}
  sources:
    - {document: docker-api, section: API Version Check}
  operations: [base.get]
  needs: [ranges]
  presumes: [BASE-V2-200]
- id: BASE-V2-FREE
  statement: The body of the version check is free.
  level: {docker-v2: MAY}
  sources:
    - {document: docker-api, section: API Version Check}
  operations: [base.get]
  untestable: It cannot fail.
""",
    "spec/openapi.yaml": """\
openapi: 3.1.0
info: {title: Miniature, version: "1"}
paths:
  /v2/:
    $ref: paths/base.yaml
""",
    "spec/paths/base.yaml": """\
get:
  operationId: base.get
  responses:
    "200":
      description: well
      headers:
        Version:
          required: true
          x-requirement: BASE-V2-HEADER
          schema: {$ref: ../schemas/version.schema.json}
      x-no-requirement: BASE-V2-200 has a scenario
""",
    "spec/schemas/version.schema.json": """\
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "string"
}
""",
    "conformance/scenarios/base/test_base.py": '''\
from conformance.verdict.judge import verifies


@verifies("BASE-V2-200")
def test_version_check(registry):
    """The version check is answered 200."""
''',
    "reference/faults/base.py": 'fault("no-base", "GET of /v2/ answers 404", breaks="BASE-V2-200", apply=None)\n'
    'fault("no-header", "GET of /v2/ has no version", breaks="BASE-V2-HEADER", apply=None)\n',
    "reference/variants/base.py": 'variant("empty-base", "GET of /v2/ has no body", apply=None)\n',
}


class Tree:
    """The miniature in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)
        for kind in ("profiles", "sources", "capabilities", "withdrawn", "catalogue"):
            shutil.copy(ROOT / "schemas" / f"{kind}.schema.json", folder / "spec" / "schemas")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def check(self) -> Result:
        return check(self.folder)

    def problems(self) -> list[str]:
        return [str(problem) for problem in self.check().problems]
