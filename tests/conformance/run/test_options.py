"""Each bad value of an option is refused in one sentence with option and cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.run.option_table import OPTIONS
from tests.conformance.run.reading import read

_ONE = "PULL-BLOB-GET-200"


def refused(*arguments: str, words: str) -> str:
    """A command line is refused with one line that has these words."""
    with pytest.raises(pytest.UsageError) as caught:
        read(*arguments)
    said = str(caught.value)
    assert words in said
    assert said.isprintable()
    return said


@pytest.fixture(autouse=True)
def _no_options_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("registry.example.com:5000", "needs a scheme, http:// or https://, and a host; did you mean https://registry"),
        ("ftp://registry.example.com", "needs a scheme"),
        ("http:/registry.example.com", "needs a scheme"),
        ("http://", "needs a scheme"),
        ("", "is given without a value"),
        ("http://registry.example.com/v2", "must not have a path, a query or a fragment (found 'v2')"),
        ("http://registry.example.com/?a=b", "must not have a path, a query or a fragment (found 'a=b')"),
        ("http://registry.example.com:port", "is not a valid URL"),
        ("http://registry.example.com:70000", "is not a valid URL"),
        ("http://[::1", "is not a valid URL"),
        ("http://two words", "is not the name of a host"),
        ("http://dots..example", "is not the name of a host"),
    ],
)
def test_url(url: str, words: str) -> None:
    assert refused(f"--registry-url={url}", words=words).startswith("--registry-url: ")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ann:c4nary9@host.invalid", "did you mean https://host.invalid?"),
        ("http://ann:c4nary9@host.invalid/path", "found 'path'"),
        ("http://ann:12/c4nary9@host.invalid", "must be percent-encoded"),
        ("http://ann:12?c4nary9@host.invalid", "must be percent-encoded"),
        ("http://ann:c4/nary9@host.invalid", "is not a valid URL"),
        ("http://ann@host.invalid", "--username: needs a password too"),
    ],
)
def test_url_with_credentials_is_not_shown(url: str, words: str) -> None:
    assert "nary9" not in refused(f"--registry-url={url}", words=words)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--profile", "oci-9", "there is no 'oci-9'; choose one of docker-v2, oci-1.0, oci-1.1, oci-1.2-dev"),
        ("--category", "pulling", "there is no 'pulling'; choose one of base, pull, push"),
        ("--requirement", "PULL-BLOB-GET-201", "there is no requirement 'PULL-BLOB-GET-201'"),
        ("--capability", "flying=yes", "there is no 'flying'"),
        ("--capability", "mount=perhaps", "expected NAME=yes or NAME=no, not 'mount=perhaps'"),
        ("--timeout", "soon", "expected seconds from 0.1 to 86400, not 'soon'"),
        ("--timeout", "0", "expected seconds from 0.1"),
        ("--timeout", "nan", "expected seconds from 0.1"),
        ("--max-time", "-1", "expected seconds from 1 "),
        ("--settle", "1e99", "expected seconds from 0 to 86400"),
        ("--min-chunk", "4 KiB", "expected a whole number"),
        ("--seed", "-1", "expected a whole number"),
        ("--seed", "\u00b2", "expected a whole number"),
        ("--effort", "much", "choose one of quick, default, thorough"),
        ("--namespace", "Upper", "'Upper' is not a repository name"),
        ("--repository", "a//b", "'a//b' is not a repository name"),
        ("--existing", "name", "expected NAME:TAG or NAME@DIGEST, not 'name'"),
        ("--password", "c4nary", "needs --username too"),
        ("--username", "ann", "needs a password too; give it as REGISTRY_PASSWORD"),
        ("--auth-other-password", "c4nary", "needs --auth-other-username too"),
        ("--auth-pull-only-username", "ann", "needs a password too; give it as REGISTRY_AUTH_PULL_ONLY_PASSWORD"),
        ("--auth-expired-token", "c4n\xe4ry", "a token has no space, and nothing but ASCII"),
        ("--ca-bundle", "/nonexistent.pem", "/nonexistent.pem cannot be used (No such file or directory)"),
        ("--ca-bundle", "pyproject.toml", "pyproject.toml cannot be used (it holds no certificate in PEM)"),
        ("--known-failures", "/nonexistent.yaml", "/nonexistent.yaml cannot be read (No such file or directory)"),
        ("--docker-config", "/nonexistent.json", "/nonexistent.json: cannot be read (No such file or directory)"),
        ("--report", "", "is given without a value"),
        ("--notifications-listen", "5001", "expected HOST:PORT, the address that the target posts to, not '5001'"),
        ("--notifications-listen", "127.0.0.1:0", "expected HOST:PORT"),
        ("--notifications-listen", "127.0.0.1:70000", "expected HOST:PORT"),
        ("--notifications-header", "Authorization: c4nary", "needs --notifications-listen HOST:PORT"),
        ("--notifications-header", "c4nary", "expected a header field, Name: value"),
    ],
)
def test_value(option: str, value: str, words: str) -> None:
    said = refused("--registry-url=http://127.0.0.1:1", f"{option}={value}", words=words)
    assert said.startswith(f"{option}: ")
    assert "c4nary" not in said


def test_read_only_needs_an_image() -> None:
    refused("--read-only", words="--read-only: needs --existing NAME:TAG")


def test_switch_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_INSECURE", "perhaps")
    refused(words="REGISTRY_INSECURE: expected yes or no, not 'perhaps'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- id: [", ":1: is not valid YAML"),
        ("a: b", ":1: expected a list of entries with id and why"),
        ("- just a text", ":1: an entry needs the members id and why, both text"),
        (f"- id: {_ONE}", ":1: an entry needs the members id and why"),
        (f"- {{id: {_ONE}, why: [a]}}", ":1: an entry needs the members id and why, both text"),
        (f"- {{id: {_ONE}, why: w, who: me}}", ":1: unknown member 'who'"),
        (f"- {{id: {_ONE}, why: w, why: v}}", ":1: a member stands twice"),
        (f"- {{id: {_ONE}, why: w}}\n- {{id: {_ONE}, why: v}}", f":2: {_ONE} is named twice"),
        ("# first\n- {id: NOPE, why: w}", ":2: there is no requirement 'NOPE'"),
        (f"- {{id: {_ONE}, why: w, until: soon}}", ":1: until is not a date such as 2027-01-31"),
        (f"- {{id: {_ONE}, why: w, until: 2020-01-31}}", f":1: the entry of {_ONE} ended on 2020-01-31"),
        ("\x00", ": is not valid YAML"),
    ],
)
def test_known_failures(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(text)
    assert refused(f"--known-failures={path}", words=words).startswith(f"--known-failures: {path}:")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "has no login for 127.0.0.1:1"),
        ({"auths": {"other.example": {"auth": "YTpi"}}}, "has no login for 127.0.0.1:1"),
        ({"auths": {"127.0.0.1:1": {}}}, "has no login for 127.0.0.1:1"),
        ({"auths": []}, "has no login"),
        ({"auths": "c4nary"}, "the member auths is not a JSON object"),
        ({"auths": {"127.0.0.1:1": {"auth": "c4nary!"}}}, "is not base64 of user:password"),
        ({"auths": {"127.0.0.1:1": {"auth": 5}}}, "is not base64 of user:password"),
        ({"auths": {"127.0.0.1:1": {"identitytoken": "c4nary"}}}, "is an identity token"),
        ({"credsStore": "absent-c4n"}, "the credential helper docker-credential-absent-c4n is not installed"),
        ({"credsStore": "../c4nary"}, "the name of its credential helper is not a plain word"),
        ({"credHelpers": {"127.0.0.1:1": 5}}, "the name of its credential helper is not a plain word"),
    ],
)
def test_docker_config(content: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    said = refused("--registry-url=http://127.0.0.1:1", f"--docker-config={path}", words=words)
    assert said.startswith("--docker-config: ")
    assert "c4nary" not in said


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo c4nary >&2; exit 3", "docker-credential-fake failed with exit code 3"),
        ("echo credentials not found in native keychain; exit 1", "has no login for 127.0.0.1:1"),
        ("echo c4nary", "docker-credential-fake gave no JSON with Username and Secret"),
        ('echo \'{"Username":"ann"}\'', "gave no JSON with Username and Secret"),
        ('echo \'{"Username":"<token>","Secret":"c4nary"}\'', "gave an identity token"),
    ],
)
def test_credential_helper(
    script: str,
    words: str,
    tmp_path: Path,
    helper: Callable[[str], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"credsStore": "fake"}')
    monkeypatch.setenv("PATH", helper(script)["PATH"])
    said = refused("--registry-url=http://127.0.0.1:1", f"--docker-config={path}", words=words)
    assert said.startswith("--docker-config: ")
    assert "c4nary" not in said


def test_credentials_of_the_url_are_taken_out_of_it() -> None:
    found = read("--registry-url=http://ann:c4nary%2F%26@[::1]:5000/")
    assert found.url == "http://[::1]:5000"
    assert found.credentials is not None
    assert (found.credentials.username, found.credentials.password) == ("ann", "c4nary/&")
    assert "c4nary" not in repr(found)


def test_a_password_keeps_its_spaces_and_joins_the_name_in_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_PASSWORD", " c4nary ")
    found = read("--registry-url=https://ann@registry.example.com")
    assert found.credentials is not None
    assert (found.credentials.username, found.credentials.password) == ("ann", " c4nary ")


@pytest.mark.parametrize(
    ("url", "content", "script", "wanted"),
    [
        ("http://h:1", {"auths": {"h:1": {"auth": "YW5uOnA6cQ=="}}}, "", ("ann", "p:q")),
        ("https://h", {"auths": {"https://h/v1/": {"username": "ann", "password": "p"}}}, "", ("ann", "p")),
        ("https://h", {"auths": {"h": {}}, "credsStore": "fake"}, "$(cat)", ("ann", "h")),
        ("https://h", {"auths": {"h": {"auth": "Ynk6cA=="}}, "credHelpers": {"h": "fake"}}, "$(cat)", ("ann", "h")),
        ("https://h", {"auths": {"h": {"auth": "Ynk6cA=="}}, "credsStore": "fake"}, "$(cat)", ("by", "p")),
        ("https://registry-1.docker.io", {"credsStore": "fake"}, "$(cat)", ("ann", "https://index.docker.io/v1/")),
    ],
)
def test_login_from_a_docker_config(
    *,
    url: str,
    content: object,
    script: str,
    wanted: tuple[str, str],
    tmp_path: Path,
    helper: Callable[[str], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(content))
    if script:
        answer = f'printf \'{{"Username":"ann","Secret":"%s"}}\' "{script}"'
        monkeypatch.setenv("PATH", helper(answer)["PATH"])
    found = read(f"--registry-url={url}", f"--docker-config={path}").credentials
    assert found is not None
    assert (found.username, found.password) == wanted
