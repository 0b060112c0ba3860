"""The parameters of buckets, by the names of the original."""

from __future__ import annotations

from reference.configuration.table import Idle, Key, Kind, Only, Refused, Table

_NO_ENDPOINT = "the library has no such endpoint"
#: The least part of an upload that S3 takes.
_LEAST = 5 << 20
_ROOT = Key("a folder of the bucket")
_CHUNK = Key("bytes of a part of an upload", Kind.NUMBER, default=10 << 20, least=_LEAST)
_AGENT = Key("the User-Agent of the requests")
_SKIP = Key("take any certificate", Kind.FLAG, default=False)

_S3 = Table(
    "A bucket of S3, or of a service that speaks its protocol.",
    {
        "bucket": Key("the name of the bucket", required=True),
        "region": Key("its region; needed without regionendpoint", default="us-east-1"),
        "regionendpoint": Key("the address of a service that is not Amazon's, as a URL or as HOST:PORT"),
        "forcepathstyle": Key("the bucket stands in the path, not in the host", Kind.FLAG, default=True),
        "secure": Key("TLS, where regionendpoint does not say", Kind.FLAG, default=True),
        "skipverify": _SKIP,
        "accesskey": Key("the login; without it that of the environment or of the machine"),
        "secretkey": Key("the secret of accesskey"),
        "sessiontoken": Key("a token for a time"),
        "encrypt": Key("content is encrypted in the bucket", Kind.FLAG, default=False),
        "keyid": Key("the key of KMS that it is encrypted with; only with encrypt"),
        "rootdirectory": _ROOT,
        "chunksize": _CHUNK,
        "useragent": _AGENT,
        "v4auth": Only("true", "requests are signed by version 4"),
        "accelerate": Only("false", _NO_ENDPOINT),
        "usedualstack": Only("false", f"{_NO_ENDPOINT}; name one by regionendpoint"),
        "usefipsendpoint": Only("false", f"{_NO_ENDPOINT}; name one by regionendpoint"),
        "storageclass": Only("STANDARD", "copies would lose it", also=("none",)),
        "objectacl": Only("private", "the library sets none; the policy of the bucket can"),
        "objectownership": Refused("the library sets no rights of objects; the bucket can"),
        "redirectendpoint": Refused("pulls are sent to the address that the registry itself uses"),
        **dict.fromkeys(
            ("multipartcopychunksize", "multipartcopymaxconcurrency", "multipartcopythresholdsize", "loglevel"), Idle()
        ),
    },
    rules={
        "anyOf": [{"required": ["region"]}, {"required": ["regionendpoint"]}],
        "dependencies": {"accesskey": ["secretkey"], "secretkey": ["accesskey"], "keyid": ["encrypt"]},
    },
)

_GCS = Table(
    "A bucket of Google Cloud Storage.",
    {
        "bucket": Key("the name of the bucket", required=True),
        "keyfile": Key("the key of a service account; without it what the machine has", Kind.FILE),
        "rootdirectory": _ROOT,
        "chunksize": _CHUNK,
        "useragent": _AGENT,
        "maxconcurrency": Idle(),
        "credentials": Refused("the key is in a file: keyfile"),
    },
)

_AZURE = Table(
    "A container of Azure Blob Storage.",
    {
        "accountname": Key("the account", required=True),
        "container": Key("the container", required=True),
        "accountkey": Key("the key of the account"),
        "credentials": Table(
            "Another login than accountkey.",
            {
                "type": Key(
                    "its kind",
                    choices=("shared_key", "client_secret", "default_credentials"),
                    default="default_credentials",
                ),
                "clientid": Key("of client_secret"),
                "tenantid": Key("of client_secret"),
                "secret": Key("of client_secret"),
            },
        ),
        "realm": Key("the domain of the service", default="core.windows.net"),
        "serviceurl": Key("the URL of the service; by default that of the account in the realm", Kind.URL),
        "skipverify": _SKIP,
        "rootdirectory": _ROOT,
        "chunksize": _CHUNK,
        "connectionstring": Refused("accountname, accountkey and serviceurl say the same"),
        **dict.fromkeys(
            (
                *("trimlegacyrootprefix", "copy_status_poll_max_retry", "copy_status_poll_delay"),
                *("max_retries", "retry_delay"),
            ),
            Idle(),
        ),
    },
)

BUCKETS = {"s3": _S3, "gcs": _GCS, "azure": _AZURE}
