"""Methods that an endpoint does not offer."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, verifies

METHOD_NOT_ALLOWED = 405
NOT_IMPLEMENTED = 501


def _refusals(repo: Repository, setup: SetUp) -> list[tuple[str, Response]]:
    """Send methods that no profile gives to these endpoints."""
    manifest = setup.image(repo)
    ask = repo.registry.request
    name, digest = f"/v2/{repo.name}", manifest.blobs[0].digest if manifest.blobs else setup.make.digest()
    return [
        ("POST", ask("POST", f"{name}/manifests/{manifest.digest}", tried=True)),
        ("PUT", ask("PUT", f"{name}/blobs/{digest}", tried=True)),
        ("CONFORM", ask("CONFORM", f"{name}/tags/list", tried=True)),
    ]


@verifies("BASE-METHOD-405", "BASE-METHOD-405-CODE", "BASE-METHOD-405-ALLOW")
def test_methods_that_are_not_offered(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A method that an endpoint lacks is refused, and a 405 says what the endpoint takes."""
    refusals = _refusals(repo, setup)
    for _, answer in refusals:
        judge(
            "BASE-METHOD-405",
            answer.refused or answer.status == NOT_IMPLEMENTED,
            "a refusal (405, 501 or another 4xx) of the method",
            answer,
        )
    not_allowed = [(method, answer) for method, answer in refusals if answer.status == METHOD_NOT_ALLOWED]
    if not not_allowed:
        raise Unsupported("no request was answered 405")
    for method, answer in not_allowed:
        judge.code("BASE-METHOD-405-CODE", answer, "UNSUPPORTED")
        allowed = [m.strip() for m in (answer.header("Allow") or "").split(",")]
        judge(
            "BASE-METHOD-405-ALLOW",
            "Allow" in answer.headers and method not in allowed,
            f"an Allow header that lists other methods than {method}",
            answer,
            actual=f"status 405 had {'Allow: ' + ', '.join(allowed) if 'Allow' in answer.headers else 'none'}",
        )
