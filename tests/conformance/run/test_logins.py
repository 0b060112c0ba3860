"""Each way to give a login works, and no output has the password or a token."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.conformance.conftest import USERS
from tests.support.forking import Forker
from tests.support.scripted.tokens import TOKEN, guarded
from tests.support.servers import Server
from tests.support.suite import SuiteRun

_PASSWORD = USERS["ann"]
#: The fault of both registries: a finding with exchanges.
_ONE = "--requirement=PULL-BLOB-HEAD-200"


@dataclass(frozen=True, slots=True)
class Run:
    """A run and all that it wrote, files by name and both outputs."""

    suite: SuiteRun
    written: dict[str, str]


def run_all(suite: Forker, folder: Path, url: str, *options: str, env: dict[str, str] | None = None) -> Run:
    """Run with every kind of report."""
    report, extra = folder / "report", folder / "extra"
    options = (
        *options,
        _ONE,
        f"--junitxml={extra / 'junit.xml'}",
        f"--alluredir={extra / 'allure'}",
        "-o",
        "junit_logging=all",
    )
    run = suite.run(url, *options, env=env, report=report)
    files = [path for top in (report, extra) for path in top.rglob("*") if path.is_file()]
    written = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}
    return Run(run, {**written, "stdout": run.stdout, "stderr": run.stderr})


def check_clean(run: Run, *secrets: str) -> None:
    """A run found what there is to find, wrote every report, and no secret in any spelling."""
    assert run.suite.exit_code == 1, run.suite.stdout + run.suite.stderr
    assert run.suite.broken == ["PULL-BLOB-HEAD-200"]
    names = list(run.written)
    for wanted in ("report.json", "report.html", "summary.md", "junit.xml", "-result.json", "-attachment"):
        assert any(wanted in name for name in names), (wanted, names)
    for secret in secrets:
        code = base64.b64encode(secret.encode()).decode().rstrip("=")
        escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
        for spelling in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), code} | escaped:
            for name, text in run.written.items():
                assert spelling not in text, f"{name} has {spelling!r}"


_SECRETS = (_PASSWORD, f"ann:{_PASSWORD}")


def test_options(suite: Forker, locked_registry: Server, tmp_path: Path) -> None:
    run = run_all(suite, tmp_path, locked_registry.url, "--username=ann", f"--password={_PASSWORD}")
    check_clean(run, *_SECRETS)


def test_environment(suite: Forker, locked_registry: Server, tmp_path: Path) -> None:
    env = {"REGISTRY_USERNAME": "ann", "REGISTRY_PASSWORD": _PASSWORD}
    check_clean(run_all(suite, tmp_path, locked_registry.url, env=env), *_SECRETS)


def test_url(suite: Forker, locked_registry: Server, tmp_path: Path) -> None:
    url = locked_registry.url.replace("http://", f"http://ann:{quote(_PASSWORD, safe='')}@")
    run = run_all(suite, tmp_path, url)
    check_clean(run, *_SECRETS)
    assert run.suite.report is not None
    assert run.suite.report["target"]["url"] == locked_registry.url


def test_other_accounts(suite: Forker, locked_registry: Server, tmp_path: Path) -> None:
    """The passwords of other accounts and expired tokens are secrets as the owner's is."""
    secrets = ("c4nary & pull", "c4nary/other", "c4nary.of.old")
    options = ("--username=ann", "--auth-pull-only-username=ann", f"--auth-pull-only-password={secrets[0]}")
    env = {
        "REGISTRY_PASSWORD": _PASSWORD,
        "REGISTRY_AUTH_OTHER_USERNAME": "eve",
        "REGISTRY_AUTH_OTHER_PASSWORD": secrets[1],
        "REGISTRY_AUTH_EXPIRED_TOKEN": secrets[2],
    }
    more = ("--requirement=AUTH-NO-LEAK-READ", "-n", "1")
    run = run_all(suite, tmp_path, locked_registry.url, *options, *more, env=env)
    check_clean(run, *_SECRETS, *secrets)
    assert run.suite.report is not None
    options_shown = run.suite.report["run"]["options"]
    assert (options_shown["accounts"], options_shown["auth-expired-token"]) == (["auth-pull-only", "auth-other"], True)


def test_docker_config(suite: Forker, locked_registry: Server, tmp_path: Path) -> None:
    auth = base64.b64encode(f"ann:{_PASSWORD}".encode()).decode()
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"auths": {locked_registry.address: {"auth": auth}}}))
    check_clean(run_all(suite, tmp_path, locked_registry.url, f"--docker-config={path}"), *_SECRETS)


def test_credential_helper(
    suite: Forker, locked_registry: Server, tmp_path: Path, helper: Callable[[str], dict[str, str]]
) -> None:
    (tmp_path / "secret").write_text(json.dumps({"Username": "ann", "Secret": _PASSWORD}))
    env = helper(f'test "$1" = get && test "$(cat)" = {locked_registry.address} && cat {tmp_path / "secret"}')
    path = tmp_path / "config.json"
    path.write_text('{"credsStore": "fake"}')
    check_clean(
        run_all(suite, tmp_path, locked_registry.url, env={**env, "REGISTRY_DOCKER_CONFIG": str(path)}), *_SECRETS
    )


def test_configuration_file(suite: Forker, locked_registry: Server, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    lines = [f"registry_url = {json.dumps(locked_registry.url)}", 'username = "ann"', f"password = '''{_PASSWORD}'''"]
    path.write_text("\n".join(["[tool.pytest]", *lines]), encoding="utf-8")
    check_clean(run_all(suite, tmp_path, locked_registry.url, "-c", str(path)), *_SECRETS)


def test_token_in_a_worker(suite: Forker, open_registry: Server, tmp_path: Path) -> None:
    """The login travels to a process of its own; a part of the suite stays a part there."""
    env = {"REGISTRY_USERNAME": "ann", "REGISTRY_PASSWORD": _PASSWORD}
    with guarded(open_registry.url, USERS) as registry:
        run = run_all(suite, tmp_path, registry.url, "-n", "1", env=env)
    check_clean(run, *_SECRETS, TOKEN)
    assert run.suite.report is not None
    assert not run.suite.report["run"]["complete"]
    assert {"PASS"} != {profile["verdict"] for profile in run.suite.report["profiles"].values()}
    assert not any("basic" in asked.headers.get("authorization", "").lower() for asked in registry.registry.asked)


def test_token_with_a_wrong_password(suite: Forker, open_registry: Server) -> None:
    with guarded(open_registry.url, USERS) as registry:
        run = suite.run(registry.url, "--username=ann", env={"REGISTRY_PASSWORD": "c4nary wrong"})
    assert run.exit_code == 4
    assert "--username: " in run.stderr
    assert "does not accept the user name or password" in run.stderr
    assert "c4nary" not in run.stdout + run.stderr
