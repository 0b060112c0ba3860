"""``registry-conformance attach``: a certificate beside an image, as a manifest that refers to it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from conformance.client.client import Client
from conformance.client.http.exchange import Response
from conformance.client.http.transport import Transport, TransportOptions, unusable_authorities
from conformance.client.locations import upload_location
from conformance.client.login.authentication import Authenticator
from conformance.client.login.credentials import Credentials, CredentialsError, from_docker_config
from conformance.client.redaction import Redactor
from conformance.client.registry import OCI_INDEX, OCI_MANIFEST, Registry, Repository
from conformance.settings import USER_AGENT
from conformance.target.content import ANY_MANIFEST
from reports.certificate.envelope import PAYLOAD_TYPE
from reports.certificate.statement import PREDICATE
from reports.commands.calling import Unusable

#: The type of a DSSE envelope, how that of a bundle of sigstore begins, and that of a configuration that says nothing
#: (OCI image specification, 1.1).
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
_BUNDLE = re.compile(r"application/vnd\.dev\.sigstore\.bundle\.v[0-9.]+\+json")
_EMPTY = "application/vnd.oci.empty.v1+json"
_IMAGE = re.compile(r"/([a-z0-9][a-z0-9._/-]*?)(?::([\w][\w.-]{0,127})|@(sha256:[0-9a-f]{64}))")


class Refusal(Exception):
    """The registry did not take what was pushed; the message is one sentence."""


def attach(repo: Repository, reference: str, certificate: bytes, kind: str = ENVELOPE) -> str:
    """Push a certificate of a media type that refers to an image, and return the digest of its manifest.

    Where the registry has no list of referrers, the tag that stands for one is written, as the specification asks of
    clients (OCI distribution specification, Unavailable Referrers API).

    Raises:
        Refusal: the image is not there, or the registry refuses a push.
    """
    found = repo.get_manifest(reference, ANY_MANIFEST)
    if found.status != 200:  # OK
        raise Refusal(f"the image {repo.name} {reference} cannot be read: {_said(found)}.")
    subject = _descriptor(found.header("Content-Type") or OCI_MANIFEST, found.body)
    for blob in (b"{}", certificate):
        _push(repo, blob)
    layer = _descriptor(kind, certificate)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": kind,
        "config": _descriptor(_EMPTY, b"{}"),
        "layers": [layer],
        "subject": subject,
        "annotations": {"in-toto.io/predicate-type": PREDICATE},
    }
    body = json.dumps(manifest, separators=(",", ":")).encode()
    digest = _digest(body)
    answer = repo.put_manifest(digest, body, OCI_MANIFEST)
    if answer.status != 201:  # Created
        raise Refusal(f"the manifest of the certificate was refused: {_said(answer)}.")
    if answer.header("OCI-Subject") is None:
        entry = {**_descriptor(OCI_MANIFEST, body), "artifactType": kind, "annotations": manifest["annotations"]}
        _list(repo, subject["digest"], entry)
    return digest


def _push(repo: Repository, blob: bytes) -> None:
    digest = _digest(blob)
    if repo.head_blob(digest).status == 200:  # OK
        return
    opened = repo.start_upload()
    location = upload_location(opened) if opened.status == 202 else None  # Accepted
    if location is None:
        raise Refusal(f"the registry opens no upload: {_said(opened)}.")
    answer = repo.put_upload(location, digest, blob)
    if answer.status != 201:  # Created
        raise Refusal(f"the registry refuses a blob: {_said(answer)}.")


def _list(repo: Repository, subject: str, entry: dict[str, Any]) -> None:
    """Add an entry to the index under the tag that stands for the list of referrers."""
    tag = subject.replace(":", "-")
    answer = repo.get_manifest(tag, OCI_INDEX)
    entries: list[Any] = []
    if answer.status == 200:  # OK
        try:
            entries = list(json.loads(answer.body)["manifests"])
        except (ValueError, LookupError, TypeError):
            raise Refusal(f"what is under the tag {tag} is no index, and is left as it is.") from None
    if not any(isinstance(one, dict) and one.get("digest") == entry["digest"] for one in entries):
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*entries, entry]}
        answer = repo.put_manifest(tag, json.dumps(index, separators=(",", ":")).encode(), OCI_INDEX)
        if answer.status != 201:  # Created
            raise Refusal(f"the list of referrers under the tag {tag} was refused: {_said(answer)}.")


def _descriptor(media_type: str, body: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(body), "size": len(body)}


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _said(answer: Response) -> str:
    return answer.failure or f"status {answer.status} {answer.reason}".strip()


@click.command("attach")
@click.argument("path", metavar="CERTIFICATE", type=click.Path(path_type=Path))
@click.argument("image", metavar="URL/NAME:TAG")
@click.option("--username", default="", metavar="NAME", help="user name for a login (REGISTRY_USERNAME)")
@click.option("--docker-config", metavar="FILE", help="take the login from a Docker config.json")
@click.option("--ca-bundle", metavar="FILE", help="certificates to trust, in PEM")
@click.option("--insecure", is_flag=True, help="do not check the server's certificate")
def attaching(
    *, path: Path, image: str, username: str, docker_config: str | None, ca_bundle: str | None, insecure: bool
) -> int:
    """Push a certificate to a registry, as a referrer of an image there: https://registry.example.com/team/app:v1.

    The password is taken from REGISTRY_PASSWORD. Whoever finds the image finds the certificate in its list of
    referrers, and checks it with registry-conformance verify.
    """
    url, name, reference = _place(image)
    if ca_bundle is not None and (cause := unusable_authorities(ca_bundle)):
        raise Unusable(f"--ca-bundle: {ca_bundle} cannot be used ({cause}).")
    certificate, kind = _certificate(path)
    login = _login(username or os.environ.get("REGISTRY_USERNAME", ""), docker_config, url)
    redactor = Redactor()
    transport = Transport(TransportOptions(ca_bundle=ca_bundle, insecure=insecure), USER_AGENT)
    client = Client(url, transport, Authenticator(login, redactor, url), redactor)
    try:
        digest = attach(Repository(Registry(client), name), reference, certificate, kind)
    except Refusal as error:
        click.echo(f"registry-conformance attach: {redactor.clean(str(error))}", err=True)
        return 1
    finally:
        transport.close()
    click.echo(f"{name}@{digest} refers to {name} {reference}")
    return 0


def _place(image: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(image)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    match = _IMAGE.fullmatch(parts.path)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or match is None:
        raise click.UsageError("expected the image as https://HOST/NAME:TAG or https://HOST/NAME@sha256:HEX")
    return f"{parts.scheme}://{parts.netloc}", match[1], match[2] or match[3]


def _certificate(path: Path) -> tuple[bytes, str]:
    """Return a certificate and its media type."""
    try:
        data = path.read_bytes()
        document = json.loads(data)
        bundle = str(document.get("mediaType"))
        kind = document.get("dsseEnvelope", document)["payloadType"]
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        kind = ""
    if kind != PAYLOAD_TYPE or ("dsseEnvelope" in document and not _BUNDLE.fullmatch(bundle)):
        raise Unusable(f"{path} is no certificate.")
    return data, bundle if "dsseEnvelope" in document else ENVELOPE


def _login(username: str, docker_config: str | None, url: str) -> Credentials | None:
    if docker_config is not None:
        try:
            return from_docker_config(Path(docker_config).expanduser(), url)
        except CredentialsError as error:
            raise Unusable(f"--docker-config: {error}") from None
    password = os.environ.get("REGISTRY_PASSWORD", "")
    if username and not password:
        raise click.UsageError("--username: needs a password too; give it as REGISTRY_PASSWORD")
    return Credentials(username, password) if username else None
