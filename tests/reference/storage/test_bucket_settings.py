"""Each parameter of a bucket is obeyed, or refused by name with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reference.configuration.reading import ConfigError, read
from reference.settings import Bucket
from tests.support import valid
from tests.support.buckets import configuration
from tests.support.obeys import obeys

S3 = {"region": "eu-central-1", "bucket": "images"}
AZURE = {"accountname": "ours", "container": "images"}
LOGIN = {"type": "client_secret", "clientid": "i", "tenantid": "t", "secret": "s"}


def taken(folder: Path, kind: str, parameters: dict[str, Any], **more: Any) -> tuple[Bucket, list[str]]:
    path = configuration(folder / "config.yml", {kind: parameters, **more})
    config = read(path, {})
    valid.check(path)
    assert config.bucket is not None
    return config.bucket, config.remarks


@obeys(
    "storage.s3.bucket",
    "storage.s3.region",
    "storage.s3.regionendpoint",
    "storage.s3.forcepathstyle",
    "storage.s3.secure",
    "storage.s3.accesskey",
    "storage.s3.secretkey",
    "storage.s3.sessiontoken",
    "storage.s3.encrypt",
    "storage.s3.keyid",
)
@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({}, {"bucket": "images", "region": "eu-central-1", "virtual_hosted_style_request": False}),
        ({"accesskey": "a", "secretkey": "b"}, {"access_key_id": "a", "secret_access_key": "b"}),
        ({"accesskey": "a", "secretkey": "b", "sessiontoken": "c"}, {"session_token": "c"}),
        ({"regionendpoint": "http://s3.example:9000/"}, {"endpoint": "http://s3.example:9000"}),
        ({"regionendpoint": "s3.example"}, {"endpoint": "https://s3.example"}),
        ({"regionendpoint": "s3.example", "secure": False}, {"endpoint": "http://s3.example"}),
        (
            {"regionendpoint": "s3.example", "forcepathstyle": False},
            {"endpoint": "https://images.s3.example", "virtual_hosted_style_request": True},
        ),
        ({"encrypt": True}, {"server_side_encryption": "AES256"}),
        ({"encrypt": True, "keyid": "k"}, {"server_side_encryption": "aws:kms", "sse_kms_key_id": "k"}),
    ],
)
def test_what_s3_is_told(tmp_path: Path, parameters: dict[str, Any], options: dict[str, Any]) -> None:
    bucket, _ = taken(tmp_path, "s3", S3 | parameters)
    assert {key: bucket.options[key] for key in options} == options
    assert bucket.client["allow_http"] == str(options.get("endpoint", "")).startswith("http:")


@obeys(
    "storage.azure.accountname",
    "storage.azure.container",
    "storage.azure.accountkey",
    "storage.azure.credentials.type",
    "storage.azure.credentials.clientid",
    "storage.azure.credentials.tenantid",
    "storage.azure.credentials.secret",
    "storage.azure.realm",
    "storage.azure.serviceurl",
    "storage.azure.skipverify",
)
@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({}, {"account_name": "ours", "container_name": "images", "endpoint": "https://ours.blob.core.windows.net"}),
        ({"skipverify": True}, {}),
        ({"realm": "core.chinacloudapi.cn"}, {"endpoint": "https://ours.blob.core.chinacloudapi.cn"}),
        ({"serviceurl": "http://127.0.0.1:10000/ours/"}, {"endpoint": "http://127.0.0.1:10000/ours"}),
        ({"accountkey": "k"}, {"account_key": "k"}),
        ({"accountkey": "k", "credentials": {"type": "shared_key"}}, {"account_key": "k"}),
        ({"credentials": LOGIN}, {"client_id": "i", "tenant_id": "t", "client_secret": "s"}),
        ({"credentials": {"type": "default_credentials"}}, {}),
    ],
)
def test_what_azure_is_told(tmp_path: Path, parameters: dict[str, Any], options: dict[str, Any]) -> None:
    bucket, _ = taken(tmp_path, "azure", AZURE | parameters)
    assert {key: bucket.options[key] for key in options} == options
    assert bucket.client["allow_http"] == str(options.get("endpoint", "")).startswith("http:")
    assert set(bucket.secrets) == {"k", "s"} & {str(value) for value in options.values()}
    assert bucket.client["allow_invalid_certificates"] == parameters.get("skipverify", False)


@obeys("storage.gcs.bucket", "storage.gcs.keyfile", "storage.gcs.rootdirectory")
def test_what_google_is_told(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text('{"client_email": "a@b"}')
    parameters = {"bucket": "images", "keyfile": str(key), "rootdirectory": "r", "maxconcurrency": 3}
    bucket, remarks = taken(tmp_path, "gcs", parameters)
    assert bucket.options == {"bucket": "images", "service_account": str(key)}
    assert (bucket.description, bucket.client) == ("gcs images/r", {"allow_http": False})
    assert remarks == ["storage.gcs.maxconcurrency changes nothing here"]
    key.write_text('{"gcs_base_url": "http://127.0.0.1:1"}')
    assert taken(tmp_path, "gcs", parameters)[0].client == {"allow_http": True}
    assert taken(tmp_path, "gcs", {"bucket": "images"})[0].options == {"bucket": "images"}


@obeys("storage.s3.rootdirectory", "storage.s3.chunksize", "storage.s3.skipverify", "storage.s3.useragent")
def test_what_does_not_concern_the_bucket_itself(tmp_path: Path) -> None:
    more = {"rootdirectory": "/a/b/", "chunksize": 6 << 20, "skipverify": True, "useragent": "x", "loglevel": "off"}
    bucket, remarks = taken(tmp_path, "s3", S3 | more | {"v4auth": True, "storageclass": "STANDARD"})
    assert (bucket.description, bucket.chunk) == ("s3 images/a/b", 6 << 20)
    assert bucket.client == {"allow_http": False, "allow_invalid_certificates": True, "user_agent": "x"}
    assert remarks == ["storage.s3.loglevel changes nothing here"]
    assert bucket.redirect
    assert not taken(tmp_path, "s3", S3, redirect={"disable": True})[0].redirect


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    bucket, _ = taken(tmp_path, "s3", S3 | {"accesskey": "AAAA", "secretkey": "BBBB", "sessiontoken": "CCCC"})
    assert not any(secret in repr(bucket) for secret in ("AAAA", "BBBB", "CCCC"))
    assert sorted(bucket.secrets) == ["AAAA", "BBBB", "CCCC"]


@pytest.mark.parametrize(
    ("kind", "parameters", "says"),
    [
        ("s3", {"bucket": "x"}, "storage.s3.region is missing"),
        ("s3", {"region": "x"}, "storage.s3.bucket is missing"),
        ("s3", S3 | {"accesskey": "x"}, "storage.s3 needs both accesskey and secretkey, or neither"),
        ("s3", S3 | {"regionendpoint": "ftp://x"}, "storage.s3.regionendpoint must be a URL with http or https"),
        ("s3", S3 | {"regionendpoint": "http://u:p@x"}, "storage.s3.regionendpoint must be a URL with http or https"),
        ("s3", S3 | {"secure": False}, "storage.s3.secure: without TLS only a regionendpoint is talked to"),
        ("s3", S3 | {"v4auth": False}, "storage.s3.v4auth can only be true: requests are signed by version 4"),
        ("s3", S3 | {"accelerate": True}, "storage.s3.accelerate can only be false"),
        ("s3", S3 | {"usedualstack": True}, "storage.s3.usedualstack can only be false"),
        ("s3", S3 | {"storageclass": "GLACIER"}, "storage.s3.storageclass can only be STANDARD"),
        ("s3", S3 | {"objectacl": "public-read"}, "storage.s3.objectacl can only be private"),
        ("s3", S3 | {"objectownership": True}, "storage.s3.objectownership is not supported by the reference"),
        ("s3", S3 | {"keyid": "x"}, "storage.s3.keyid is of use only with encrypt: true"),
        ("s3", S3 | {"chunksize": 100}, "storage.s3.chunksize must be 5242880 or more, not 100"),
        ("s3", S3 | {"buckett": "x"}, "storage.s3.buckett is unknown"),
        ("gcs", {"keyfile": "x"}, "storage.gcs.bucket is missing"),
        ("gcs", {"bucket": "x", "keyfile": "/absent"}, "storage.gcs.keyfile: /absent is no file"),
        ("gcs", {"bucket": "x", "credentials": {}}, "storage.gcs.credentials is not supported by the reference"),
        ("azure", {"container": "x"}, "storage.azure.accountname is missing"),
        ("azure", {"accountname": "x"}, "storage.azure.container is missing"),
        ("azure", AZURE | {"serviceurl": "x"}, "storage.azure.serviceurl must be a URL with http or https"),
        ("azure", AZURE | {"credentials": {"type": "x"}}, "storage.azure.credentials.type must be one of shared_key"),
        ("azure", AZURE | {"credentials": {"type": "shared_key"}}, "storage.azure.accountkey is missing"),
        ("azure", AZURE | {"credentials": {"type": "client_secret"}}, "storage.azure.credentials.clientid is missing"),
    ],
)
def test_what_is_not_done_is_refused(tmp_path: Path, kind: str, parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=r"config.yml:\d+: ") as caught:
        taken(tmp_path, kind, parameters)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("storage", "more", "says"),
    [
        ({"maintenance": {"garbagecollect": {"enabled": True}}}, {}, "storage.maintenance.garbagecollect.enabled: "),
        ({}, {"proxy": {"remoteurl": "http://x"}}, "proxy: a cache is kept in a filesystem or in memory"),
        ({"filesystem": {}}, {}, "storage must have exactly one of "),
    ],
)
def test_what_cannot_be_on_a_bucket_is_refused(
    tmp_path: Path, storage: dict[str, Any], more: dict[str, Any], says: str
) -> None:
    path = configuration(tmp_path / "config.yml", {"s3": S3, **storage}, **more)
    with pytest.raises(ConfigError) as caught:
        read(path, {})
    assert says in str(caught.value)
