"""What the tests of certificates start from: a folder with keys, and with a report that may be certified."""

from __future__ import annotations

import base64
import copy
import datetime
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import reports
from reports.__main__ import main
from spec.model import Level, Outcome, weigh
from tests.reports import from_catalogue, samples

PROFILE = "oci-1.1"


class Desk:
    """A folder with keys and a report of the catalogue in which everything held."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = _held()
        for name, key in (("own", Ed25519PrivateKey.generate()), ("other", generate_private_key(SECP256R1()))):
            private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (folder / f"{name}.pem").write_bytes(private)
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (folder / f"{name}.pub").write_bytes(public)

    def write(self) -> None:
        """Write report and page."""
        reports.write(self.report, self.folder / "report")

    def issue(self, *options: str, key: str = "own") -> int:
        """Issue certificate.json."""
        self.write()
        words = ["certificate", self.place("report/report.json"), "--key", self.place(f"{key}.pem")]
        return main([*words, "-o", self.place("certificate.json"), *options])

    def verify(self, *options: str, key: str = "own", whole: bool = True) -> int:
        """Verify it, with report and page."""
        documents = ["--report", self.place("report/report.json"), "--page", self.place("report/report.html")]
        words = ["verify", self.place("certificate.json"), "--key", self.place(f"{key}.pub")]
        return main([*words, *(documents if whole else ()), *options])

    def place(self, name: str) -> str:
        """Return a path in the folder."""
        return str(self.folder / name)

    def statement(self) -> dict[str, Any]:
        """Return the statement of the certificate."""
        envelope = json.loads((self.folder / "certificate.json").read_bytes())
        made: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
        return made

    def become(self, name: str, outcome: str, withheld: str = "", verdict: str = "") -> None:
        """Give a requirement another outcome, and the report its counts."""
        entries = copy.deepcopy(self.report["requirements"])
        entry = next(each for each in entries if each["id"] == name)
        entry.update(outcome=outcome, reason="of the test", withheld=withheld)
        entry["verdicts"] = {p: str(weigh(Outcome(outcome), Level(x))) for p, x in entry["levels"].items()}
        if verdict:
            entry["verdicts"][PROFILE] = verdict
        kept = {part: self.report[part] for part in ("suite", "target", "run")}
        self.report = samples.report(entries) | copy.deepcopy(kept)


def _held() -> dict[str, Any]:
    made = from_catalogue.held()
    made["run"].update(complete=True, exit_code=0, started=started(0), profile=PROFILE)
    made["run"]["options"] = {"profile": PROFILE, "effort": "default"}
    made["suite"]["commit"] = "0123456789ab"
    made["target"]["capabilities"] = {"push": {"present": True, "declared": False}}
    return made


def started(days: int) -> str:
    moment = datetime.datetime.now(tz=datetime.UTC) - datetime.timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
