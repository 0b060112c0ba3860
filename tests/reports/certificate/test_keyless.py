"""Keyless certificates, signed and verified by sigstore's package with services of our own on the loopback."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main
from reports.certificate.envelope import EnvelopeError
from tests.reports.certificate.desk import PROFILE, Desk
from tests.reports.certificate.services import IDENTITY, ISSUER, Services, running, token

pytest.importorskip("sigstore", reason="the extra keyless is not installed")

from sigstore.errors import TUFError
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityError

from reports.certificate import keyless

_STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "report.json", "digest": {"sha256": "a" * 64}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {"result": "PASSED"},
    }
).encode()
#: By these the package finds out that a CI system is around it.
_CI = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME", "GCE_METADATA_HOST")


class Office:
    """Services, the files that reach them, and a certificate that they signed."""

    def __init__(self, services: Services, folder: Path) -> None:
        self.services = services
        self.desk = Desk(folder)
        self.trust = services.trust(folder / "trust.json")
        self.raw = token()
        self.token = folder / "token"
        self.token.write_text(self.raw + "\n", encoding="ascii")
        self.certificate = folder / "certificate.json"

    def issue(self, *options: str, output: Path | None = None) -> int:
        """Sign the report of the desk."""
        self.desk.write()
        words = ["certificate", self.desk.place("report/report.json"), "--keyless"]
        words += ["--identity-token-file", str(self.token), "--trust-config", str(self.trust)]
        return main([*words, "-o", str(output or self.certificate), *options])

    def verify(self, *options: str, identity: str = IDENTITY, issuer: str = ISSUER, path: Path | None = None) -> int:
        """Verify what it signed."""
        words = ["verify", str(path or self.certificate), "--identity", identity, "--issuer", issuer]
        return main([*words, "--trust-config", str(self.trust), *options])


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """The services."""
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def office(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office with a certificate."""
    made = Office(services, tmp_path_factory.mktemp("office"))
    assert made.issue() == 0
    return made


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _CI:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def refusing(services: Services) -> Iterator[Callable[[str, int, bytes], None]]:
    """Give a service another answer, in this test only."""

    def change(path: str, status: int, body: bytes) -> None:
        services.answers[path] = (status, body)

    yield change
    services.answers.clear()


def _sign(office: Office) -> keyless.Signing:
    return keyless.Signing(office.token, office.trust)


def test_it_verifies_by_the_identity(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    place = office.desk.place
    assert office.verify("--report", place("report/report.json"), "--page", place("report/report.html")) == 0
    said = capsys.readouterr().out
    assert "certificate.json is good." in said
    assert f"docker-registry 2.8.2 conforms to {PROFILE}" in said
    assert f"{IDENTITY}, for whom {ISSUER} vouched, signed this statement" in said
    assert "it says what the report says" in said
    assert "Not proven:\n  - who is behind the identity" in said
    assert office.verify("--at", "2199-01-01") == 1
    assert "it expired on" in capsys.readouterr().out


def test_the_statement_is_that_of_a_key(office: Office) -> None:
    """Bytes for bytes; the bundle has it in an envelope."""
    bundle = json.loads(office.certificate.read_bytes())
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"
    (office.desk.folder / "beside").mkdir()
    beside = Desk(office.desk.folder / "beside")
    beside.report = office.desk.report
    assert beside.issue() == 0
    by_key = json.loads((beside.folder / "certificate.json").read_bytes())
    assert bundle["dsseEnvelope"]["payload"] == by_key["payload"]


def test_the_token_goes_to_the_authority_alone(
    office: Office, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    office.services.seen.clear()
    output = office.desk.folder / "again.json"
    assert office.issue(output=output) == 0
    told = capfd.readouterr()
    assert told.out == "" and f"--identity {IDENTITY} --issuer {ISSUER}" in told.err
    assert [(path, office.raw in authorization) for path, authorization, _ in office.services.seen] == [
        ("/api/v2/signingCert", True),
        ("/api/v1/log/entries", False),
    ]
    signature = office.raw.rpartition(".")[2]
    for text in (told.err, caplog.text, output.read_text(), *(body.decode() for *_, body in office.services.seen)):
        assert signature not in text


def test_another_identity_issuer_or_root_does_not_verify(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Services().trust(tmp_path / "trust.json", "https://sigstore.example.com")
    verify = office.verify
    for again in (
        partial(verify, identity="somebody@example.com"),
        partial(verify, issuer="https://accounts.example.com"),
        partial(verify, "--trust-config", str(other)),
    ):
        assert again() == 1
        said = capsys.readouterr().out
        assert "is not signed by this identity, or was changed since" in said and "It says" not in said


def test_the_root_that_comes_with_the_package_needs_no_network(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    words = ["verify", str(office.certificate), "--identity", IDENTITY, "--issuer", ISSUER]
    assert main(words) == 1
    told = capsys.readouterr()
    assert "is not signed by this identity" in told.out and not told.err
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert main(words) == 4
    assert "the trust root of sigstore cannot be used" in capsys.readouterr().err


def _changes(bundle: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give bundles of which one text, or one bit of some Base64, is another."""

    def walk(value: Any, way: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
        if isinstance(value, dict | list):
            for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
                yield from walk(inner, (*way, step))
        elif isinstance(value, str):
            yield way

    for way in walk(bundle, ()):
        again = json.loads(json.dumps(bundle))
        place = again
        for step in way[:-1]:
            place = place[step]
        try:
            data = bytearray(base64.b64decode(place[way[-1]], validate=True))
            data[len(data) // 2] ^= 1
            place[way[-1]] = base64.b64encode(bytes(data)).decode()
        except ValueError:
            place[way[-1]] += "1"
        yield ".".join(map(str, way)), again


def test_what_is_changed_does_not_verify(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    means = keyless.by_identity(IDENTITY, ISSUER, office.trust)
    good = office.certificate.read_bytes()
    assert json.loads(means.unseal(good))["predicate"]["result"] == "PASSED"
    tried = dict(_changes(json.loads(good)))
    assert len(tried) >= 15
    for name, changed in tried.items():
        with pytest.raises(EnvelopeError):
            means.unseal(json.dumps(changed).encode())
            print(f"{name} was changed, and it verified")
    path = office.desk.folder / "changed.json"
    for text in ("", "[]", "{}", '{"mediaType": 1}', "[" * 100_000, good[:-20].decode(), "\x00"):
        path.write_text(text, encoding="utf-8")
        assert office.verify(path=path) == 1
        assert "NOT good" in capsys.readouterr().out


def test_each_means_names_the_other(office: Office, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(office.certificate), "--key", office.desk.place("own.pub")]) == 1
    assert "is verified by --identity and --issuer" in capsys.readouterr().out
    assert desk.issue() == 0
    assert office.verify(path=desk.folder / "certificate.json") == 1
    assert "is verified by --key" in capsys.readouterr().out


def test_the_rules_hold_before_anything_is_asked(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    run = office.desk.report["run"]
    output = office.desk.folder / "none.json"
    office.services.seen.clear()
    for change, said in (({"complete": False}, "Only a part of the suite"), ({"exit_code": 3}, "exit code 3")):
        kept = dict(run)
        run.update(change)
        assert office.issue(output=output) == 1
        run.update(kept)
        assert said in capsys.readouterr().err
    office.desk.write()
    folder = office.desk.folder
    assert office.issue(output=folder) == 4 and office.issue(output=folder / "no" / "certificate.json") == 4
    assert capsys.readouterr().err.count("cannot be written") == 2
    assert not office.services.seen and not output.exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            ("/api/v2/signingCert", 400, b'{"message": "bad TOKEN"}'),
            "authority does not take the identity (status 400)",
        ),
        (("/api/v2/signingCert", 201, b'{"signedCertificateEmbeddedSct": "TOKEN"}'), "answers what cannot be used"),
        (("/api/v2/signingCert", 201, b"TOKEN"), "sigstore has not signed"),
        (("/api/v1/log/entries", 500, b'{"code": 1, "message": "TOKEN"}'), "log does not take the signature"),
        (("/api/v1/log/entries", 201, b'{"1": {"body": "TOKEN"}}'), "answers what cannot be used"),
    ],
)
def test_services_that_refuse(
    office: Office, refusing: Callable[[str, int, bytes], None], answer: tuple[str, int, bytes], said: str
) -> None:
    path, status, body = answer
    refusing(path, status, body.replace(b"TOKEN", office.raw.encode()))
    with pytest.raises(keyless.KeylessError) as refused:
        _sign(office)(_STATEMENT)
    assert said in str(refused.value) and office.raw not in str(refused.value)


def test_services_that_are_not_there(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office.services.trust(tmp_path / "trust.json", "http://127.0.0.1:1")
    output = tmp_path / "certificate.json"
    assert office.issue("--trust-config", str(tmp_path / "trust.json"), output=output) == 4
    told = capsys.readouterr()
    assert "sigstore has not signed: a service cannot be reached" in told.err
    assert len(told.err.splitlines()) == 1 and not told.out
    assert [path.name for path in tmp_path.iterdir()] == ["trust.json"]


def test_no_network_for_the_public_trust_root(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable() -> None:
        raise TUFError("Failed to refresh TUF metadata")

    monkeypatch.setattr(ClientTrustConfig, "production", unreachable)
    report = office.desk.place("report/report.json")
    assert main(["certificate", report, "--keyless", "--identity-token-file", str(office.token)]) == 4
    told = capsys.readouterr()
    assert "the trust root of sigstore cannot be fetched" in told.err and not told.out


def test_services_of_another_are_not_believed(office: Office, tmp_path: Path) -> None:
    """The authority and the log answer well, and by other keys than those that are trusted."""
    with running() as others:
        trust = office.services.trust(tmp_path / "trust.json", others.url)
        with pytest.raises(keyless.KeylessError, match=r"has not signed: .*SCT"):
            keyless.Signing(office.token, trust)(_STATEMENT)
        others.authority, others.certificates = office.services.authority, office.services.certificates
        others.root = office.services.root
        with pytest.raises(keyless.KeylessError, match=r"has not signed: .*log entry"):
            keyless.Signing(office.token, trust)(_STATEMENT)
        others.log = office.services.log
        assert keyless.Signing(office.token, trust)(_STATEMENT)


def test_tokens_that_cannot_be_used(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "token"
    report = office.desk.place("report/report.json")
    good = token()
    for content, said in (
        (None, "cannot be read: No such file"),
        (b"", "is no identity token for sigstore, or its time is over"),
        (b"c4nary", "is no identity token for sigstore"),
        (b"c4nary\xff", "is not UTF-8 text"),
        (token(seconds=-60).encode(), "its time is over"),
        (token(audience="c4nary").encode(), "is no identity token for sigstore"),
        (good.encode()[:-90], "is no identity token for sigstore"),
    ):
        if content is not None:
            path.write_bytes(content)
        assert main(["certificate", report, "--keyless", "--identity-token-file", str(path)]) == 4
        told = capsys.readouterr().err
        assert said in told and f"--identity-token-file: {path}" in told and len(told.splitlines()) == 1
        assert "c4nary" not in told and "eyJ" not in told
    assert main(["certificate", report, "--keyless", "--identity-token-file", str(tmp_path)]) == 4
    assert "cannot be read: Is a directory" in capsys.readouterr().err


def test_the_token_of_a_ci_system(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    signing = keyless.Signing(None, office.trust)
    with pytest.raises(keyless.KeylessError, match="there is no identity token"):
        signing(_STATEMENT)
    monkeypatch.setenv("GITLAB_CI", "true")
    with pytest.raises(keyless.KeylessError, match="the CI system gives no identity token"):
        signing(_STATEMENT)
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", "c4nary")
    with pytest.raises(keyless.KeylessError, match="the CI system gives no identity token") as refused:
        signing(_STATEMENT)
    assert "c4nary" not in str(refused.value)
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", office.raw)
    assert signing(_STATEMENT)
    assert (signing.identity, signing.issuer) == (IDENTITY, ISSUER)


def test_the_token_of_a_job_at_github(
    office: Office, refusing: Callable[[str, int, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has a token for its token, which is a secret as well."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    signing = keyless.Signing(None, office.trust)
    with pytest.raises(keyless.KeylessError, match="the CI system gives no identity token"):
        signing(_STATEMENT)  # no permission `id-token: write`
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{office.services.url}/token?api-version=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "c4nary")
    refusing("/token", 403, b"c4nary is not allowed")
    with pytest.raises(keyless.KeylessError, match="the CI system gives no identity token") as refused:
        signing(_STATEMENT)
    assert "c4nary" not in str(refused.value)
    refusing("/token", 200, json.dumps({"value": office.raw}).encode())
    assert signing(_STATEMENT)
    assert ("/token", "bearer c4nary", b"") in office.services.seen


def test_what_a_ci_system_answers_is_not_repeated(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> str:
        raise IdentityError(f"token request failed (body={office.raw!r})")

    monkeypatch.setattr(keyless, "detect_credential", failing)
    with pytest.raises(keyless.KeylessError) as refused:
        keyless.Signing(None, office.trust)(_STATEMENT)
    assert office.raw not in str(refused.value)


def test_trust_configurations_that_cannot_be_used(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trust.json"
    for text, said in (
        ("", "is no client trust configuration"),
        ("{}", "is no client trust configuration"),
        ("[]", "is no client trust configuration"),
        (office.services.trust(path, "http://sigstore.example.com").read_text(), "a token is sent by https only"),
    ):
        path.write_text(text, encoding="utf-8")
        assert office.verify("--trust-config", str(path)) == 4
        told = capsys.readouterr().err
        assert f"--trust-config: {path}" in told and said in told
    assert office.verify("--trust-config", str(tmp_path / "none")) == 4
    assert "cannot be read" in capsys.readouterr().err
