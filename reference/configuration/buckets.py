"""What a configuration says of a bucket, by the names of the original's parameters; it needs no library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from reference.configuration.file import Section
from reference.settings import Bucket


def read(kind: str, section: Section) -> Bucket:
    """The bucket that a section describes.

    Raises:
        ConfigError: what it says cannot be done.
    """
    return _KINDS[kind](section)


def _s3(section: Section) -> Bucket:
    endpoint = section.text("regionendpoint").rstrip("/")
    secure, path_style = section.flag("secure"), section.flag("forcepathstyle")
    bucket, region = section.text("bucket"), section.text("region")
    if not region or not (endpoint or "region" in section):
        section.fail(f"{section.name('region')} is missing")
    options: dict[str, object] = {
        "bucket": bucket,
        "region": region,
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
    client: dict[str, object] = {
        "allow_http": str(options.get("endpoint", "")).startswith("http://"),
        "allow_invalid_certificates": section.flag("skipverify"),
    }
    if agent := section.text("useragent"):
        client["user_agent"] = agent
    return Bucket("s3", bucket, section.text("rootdirectory"), options, client, section.number("chunksize"))


def _s3_login(section: Section) -> dict[str, object]:
    """Without keys, the library looks for those of the environment and of the machine, as the original does."""
    access, secret = section.text("accesskey"), section.text("secretkey")
    if bool(access) != bool(secret):
        section.fail("storage.s3 needs both accesskey and secretkey, or neither")
    login = {"access_key_id": access, "secret_access_key": secret, "session_token": section.text("sessiontoken")}
    return {key: value for key, value in login.items() if value}


def _s3_encryption(section: Section) -> dict[str, object]:
    encrypt, key = section.flag("encrypt"), section.text("keyid")
    if key and not encrypt:
        section.fail_at("keyid", f"{section.name('keyid')} is of use only with encrypt: true")
    if not encrypt:
        return {}
    if not key:
        return {"server_side_encryption": "AES256"}
    return {"server_side_encryption": "aws:kms", "sse_kms_key_id": key}


def _gcs(section: Section) -> Bucket:
    """Without a key, the library looks for the credentials of the environment and of the machine."""
    bucket, keyfile = section.text("bucket"), section.file_at("keyfile")
    options: dict[str, object] = {"bucket": bucket}
    if keyfile is not None:
        options["service_account"] = str(keyfile)
    client: dict[str, object] = {"allow_http": _is_plain(keyfile)} if keyfile is not None else {}
    if agent := section.text("useragent"):
        client["user_agent"] = agent
    return Bucket("gcs", bucket, section.text("rootdirectory"), options, client, section.number("chunksize"))


def _is_plain(keyfile: Path) -> bool:
    """Whether a key is for an emulator that has no TLS."""
    try:
        return str(json.loads(keyfile.read_text(encoding="utf-8"))["gcs_base_url"]).startswith("http://")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _azure(section: Section) -> Bucket:
    account, container = section.text("accountname"), section.text("container")
    realm = section.text("realm")
    url = (section.url("serviceurl") or f"https://{account}.blob.{realm}").rstrip("/")
    if "@" in url:
        section.fail_at("serviceurl", f"{section.name('serviceurl')} must be a URL with http or https")
    options: dict[str, object] = {"account_name": account, "container_name": container, "endpoint": url}
    key, login = section.text("accountkey"), section.section("credentials")
    if login is not None:
        options |= _azure_login(login, key)
    elif key:
        options["account_key"] = key
    client: dict[str, object] = {
        "allow_http": url.startswith("http://"),
        "allow_invalid_certificates": section.flag("skipverify"),
    }
    return Bucket("azure", container, section.text("rootdirectory"), options, client, section.number("chunksize"))


def _azure_login(section: Section, key: str) -> dict[str, object]:
    kind = section.text("type")
    options: dict[str, object] = {}
    if kind == "shared_key":
        if not key:
            section.fail("storage.azure.accountkey is missing")
        options["account_key"] = key
    if kind == "client_secret":
        for name, option in (("clientid", "client_id"), ("tenantid", "tenant_id"), ("secret", "client_secret")):
            options[option] = section.text(name)
            if not options[option]:
                section.fail(f"{section.name(name)} is missing")
    return options


_KINDS: Mapping[str, Callable[[Section], Bucket]] = {"s3": _s3, "gcs": _gcs, "azure": _azure}
