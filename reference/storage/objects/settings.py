"""What a configuration says of a bucket, by the names of the original's parameters; it needs no library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from reference.configfile import Section
from reference.settings import Bucket

_CHUNK = 10 << 20
_SMALLEST_CHUNK = 5 << 20


def read(kind: str, section: Section, remarks: list[str]) -> Bucket:
    """The bucket that a section describes.

    Raises:
        ConfigError: what it says cannot be done.
    """
    bucket = _KINDS[kind](section)
    for key in _IDLE.get(kind, ()):
        if key in section:
            section.text(key)
            remarks.append(f"{section.name(key)} changes nothing here")
    section.refuse(_REFUSED.get(kind, {}))
    section.finish()
    return bucket


def _chunk(section: Section) -> int:
    chunk = section.number("chunksize", _CHUNK)
    if chunk < _SMALLEST_CHUNK:
        section.fail_at(
            "chunksize", f"{section.name('chunksize')} must be {_SMALLEST_CHUNK} bytes or more, not {chunk}"
        )
    return chunk


def _s3(section: Section) -> Bucket:
    endpoint = section.text("regionendpoint").rstrip("/")
    secure, path_style = section.flag("secure", True), section.flag("forcepathstyle", True)
    bucket = section.text("bucket", required=True)
    options: dict[str, object] = {
        "bucket": bucket,
        "region": section.text("region", required=not endpoint) or "us-east-1",
        "virtual_hosted_style_request": not path_style,
    }
    if endpoint:
        scheme, separator, host = endpoint.rpartition("://")
        scheme = scheme if separator else ("https" if secure else "http")
        if scheme not in ("http", "https") or not host or "@" in host:
            section.fail_at("regionendpoint", f"{section.name('regionendpoint')} must be a URL with http or https")
        options["endpoint"] = f"{scheme}://{host}" if path_style else f"{scheme}://{bucket}.{host}"
    elif not secure:
        section.fail_at("secure", f"{section.name('secure')}: without TLS only a regionendpoint is talked to")
    options |= _s3_login(section) | _s3_encryption(section)
    section.only("v4auth", "true", "requests are signed by version 4")
    section.only("accelerate", "false", "the library has no such endpoint")
    section.only("usedualstack", "false", "the library has no such endpoint; name one by regionendpoint")
    if section.text("storageclass", "STANDARD").upper() not in ("STANDARD", "NONE"):
        section.fail_at("storageclass", f"{section.name('storageclass')} can only be STANDARD: copies would lose it")
    section.only("objectacl", "private", "the library sets none; the policy of the bucket can")
    client: dict[str, object] = {
        "allow_http": str(options.get("endpoint", "")).startswith("http://"),
        "allow_invalid_certificates": section.flag("skipverify", False),
    }
    if agent := section.text("useragent"):
        client["user_agent"] = agent
    return Bucket("s3", bucket, section.text("rootdirectory"), options, client, _chunk(section))


def _s3_login(section: Section) -> dict[str, object]:
    """Without keys, the library looks for those of the environment and of the machine, as the original does."""
    access, secret = section.text("accesskey"), section.text("secretkey")
    if bool(access) != bool(secret):
        section.fail("storage.s3 needs both accesskey and secretkey, or neither")
    login = {"access_key_id": access, "secret_access_key": secret, "session_token": section.text("sessiontoken")}
    return {key: value for key, value in login.items() if value}


def _s3_encryption(section: Section) -> dict[str, object]:
    encrypt, key = section.flag("encrypt", False), section.text("keyid")
    if key and not encrypt:
        section.fail_at("keyid", f"{section.name('keyid')} is of use only with encrypt: true")
    if not encrypt:
        return {}
    if not key:
        return {"server_side_encryption": "AES256"}
    return {"server_side_encryption": "aws:kms", "sse_kms_key_id": key}


def _gcs(section: Section) -> Bucket:
    """Without a key, the library looks for the credentials of the environment and of the machine."""
    bucket, keyfile = section.text("bucket", required=True), section.text("keyfile")
    options: dict[str, object] = {"bucket": bucket}
    if keyfile:
        if not Path(keyfile).is_file():
            section.fail_at("keyfile", f"{section.name('keyfile')}: {keyfile} is no file")
        options["service_account"] = keyfile
    client: dict[str, object] = {"allow_http": _is_plain(Path(keyfile))} if keyfile else {}
    if agent := section.text("useragent"):
        client["user_agent"] = agent
    return Bucket("gcs", bucket, section.text("rootdirectory"), options, client, _chunk(section))


def _is_plain(keyfile: Path) -> bool:
    """Whether a key is for an emulator that has no TLS."""
    try:
        return str(json.loads(keyfile.read_text(encoding="utf-8"))["gcs_base_url"]).startswith("http://")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _azure(section: Section) -> Bucket:
    account, container = section.text("accountname", required=True), section.text("container", required=True)
    realm = section.text("realm", "core.windows.net")
    url = section.text("serviceurl", f"https://{account}.blob.{realm}").rstrip("/")
    if not url.startswith(("http://", "https://")) or "@" in url:
        section.fail_at("serviceurl", f"{section.name('serviceurl')} must be a URL with http or https")
    options: dict[str, object] = {"account_name": account, "container_name": container, "endpoint": url}
    key, login = section.text("accountkey"), section.section("credentials")
    if login is not None:
        options |= _azure_login(login, key)
    elif key:
        options["account_key"] = key
    client: dict[str, object] = {"allow_http": url.startswith("http://")}
    return Bucket("azure", container, section.text("rootdirectory"), options, client, _chunk(section))


def _azure_login(section: Section, key: str) -> dict[str, object]:
    kind = section.choice("type", ("shared_key", "client_secret", "default_credentials"), "default_credentials")
    options: dict[str, object] = {}
    if kind == "shared_key":
        if not key:
            section.fail("storage.azure.accountkey is missing")
        options["account_key"] = key
    if kind == "client_secret":
        options["client_id"] = section.text("clientid", required=True)
        options["tenant_id"] = section.text("tenantid", required=True)
        options["client_secret"] = section.text("secret", required=True)
    section.finish()
    return options


_KINDS: Mapping[str, Callable[[Section], Bucket]] = {"s3": _s3, "gcs": _gcs, "azure": _azure}
#: What steers how the original does its work.
_IDLE: Mapping[str, tuple[str, ...]] = {
    "s3": ("multipartcopychunksize", "multipartcopymaxconcurrency", "multipartcopythresholdsize", "loglevel"),
    "gcs": ("maxconcurrency",),
    "azure": (
        *("trimlegacyrootprefix", "copy_status_poll_max_retry", "copy_status_poll_delay"),
        *("max_retries", "retry_delay"),
    ),
}
_REFUSED: Mapping[str, Mapping[str, str]] = {
    "s3": {"objectownership": "the library sets no rights of objects; the bucket can"},
    "gcs": {"credentials": "the key is in a file: keyfile"},
}
KINDS = tuple(_KINDS)
