"""The keys of the configuration: those of the original, and some of the reference alone."""

from __future__ import annotations

from reference import tls
from reference.configuration.bucket_keys import BUCKETS
from reference.configuration.table import Idle, Key, Kind, Only, Refused, Table
from reference.settings import MOST_WORKERS
from reference.storage import drivers
from reference.storage.layout import LAYOUTS
from reference.storage.sync import MODES

STORAGES = ("filesystem", "inmemory", *BUCKETS)

#: How clients show a certificate; the TLS library can do no more.
CLIENT_AUTH = ("require-and-verify-client-cert", "verify-client-cert-if-given")
_LEVELS = ("error", "warn", "info", "debug")
_NO_DRIVER = f"it has the drivers {', '.join(STORAGES)}"
_VERIFIES = "the TLS library verifies each certificate that it asks for"
_OLD = "RFC 8996 forbids it; clients of today speak TLS 1.2 or later"
_FAILURES = "how many failures in a row make the registry unavailable"

_LOG = Table(
    "The log, on standard error; a line for each request on standard output.",
    {
        "level": Key("what is logged; the default is loglevel", choices=_LEVELS),
        "formatter": Key("the form of a line", choices=("text", "json", "logstash"), default="text"),
        "fields": Key("words that each line has", Kind.FIELDS),
        "reportcaller": Key("each line names the place in the source", Kind.FLAG, default=False),
        "accesslog": Table(
            "The lines for answered requests, in the combined format, with seconds and the id of the request.",
            {"disabled": Key("no line is written for a request", Kind.FLAG, default=False)},
        ),
        "hooks": Refused("it sends no mail"),
    },
)

_MAINTENANCE = Table(
    "What is done beside the requests.",
    {
        "readonly": Table(
            "Whether the registry takes anything.",
            {"enabled": Key("it takes nothing, and deletes nothing", Kind.FLAG, default=False)},
        ),
        "uploadpurging": Table(
            "The end of old upload sessions, when the registry starts and again and again.",
            {
                "enabled": Key("old sessions end", Kind.FLAG, default=True),
                "age": Key("how old a session has to be", Kind.DURATION, default="168h"),
                "interval": Key("the time between two rounds", Kind.DURATION, default="24h", least=1),
                "dryrun": Key("only log how many would end", Kind.FLAG, default=False),
            },
        ),
        "garbagecollect": Table(
            "The deletion of what no image needs, while clients push.",
            {
                "enabled": Key("garbage is deleted; not in a bucket", Kind.FLAG, default=False),
                "interval": Key("the time between two rounds", Kind.DURATION, default="24h", least=1),
                "age": Key("so long nobody needed or asked for what goes", Kind.DURATION, default="24h"),
                "deleteuntagged": Key("a manifest that no tag leads to is garbage", Kind.FLAG, default=False),
                "dryrun": Key("only log how much would go", Kind.FLAG, default=False),
            },
            own=True,
        ),
    },
)

_STORAGE = Table(
    "Where content is kept: exactly one driver, and what is done with what it keeps.",
    {
        "filesystem": Table(
            "A directory.",
            {
                "rootdirectory": Key("the directory", default="/var/lib/registry"),
                "sync": Key("what survives a power cut", choices=MODES, default=MODES[0], own=True),
                "layout": Key("how it lies there", choices=LAYOUTS, default=LAYOUTS[0], own=True),
                "maxthreads": Idle(kind=Kind.NUMBER),
            },
        ),
        "inmemory": Table("Memory: content is gone with the process.", {}),
        **BUCKETS,
        "s3aws": Refused(_NO_DRIVER),
        "swift": Refused(_NO_DRIVER),
        "oss": Refused(_NO_DRIVER),
        "delete": Table(
            "Deletion by digest and by tag.",
            {"enabled": Key("clients may delete; the default of the original is false", Kind.FLAG, default=True)},
        ),
        "maintenance": _MAINTENANCE,
        "cache": Table(
            "What is known of blobs.",
            {
                "blobdescriptor": Only("inmemory", "there is no other cache"),
                "layerinfo": Only("inmemory", "there is no other cache"),
                "blobdescriptorsize": Idle(kind=Kind.NUMBER),
            },
        ),
        "redirect": Table(
            "Where pulls of whole blobs are sent to.",
            {"disable": Key("the registry gives them itself, and not the bucket", Kind.FLAG, default=False)},
        ),
        "tag": Table("Lookups of tags.", {"concurrencylimit": Idle(kind=Kind.NUMBER)}),
    },
    word=True,
    required=True,
    others=drivers.names,
)

_TLS = Table(
    "TLS of the registry; the debug server has none.",
    {
        "certificate": Key("the certificate, in PEM", Kind.FILE),
        "key": Key("its key, in PEM and not encrypted", Kind.FILE),
        "clientcas": Key(
            "files in PEM: a client without a certificate that one of them signed gets no answer", Kind.WORDS
        ),
        "clientauth": Key(
            "whether a client needs a certificate; a wrong one gets no answer in either case",
            choices=CLIENT_AUTH,
            default=CLIENT_AUTH[0],
            never=dict.fromkeys(("request-client-cert", "require-any-client-cert"), _VERIFIES),
        ),
        "minimumtls": Key(
            "the least version", choices=tuple(tls.VERSIONS), default="tls1.2", never=dict.fromkeys(tls.WITHDRAWN, _OLD)
        ),
        "ciphersuites": Key(
            "suites of TLS 1.2; TLS 1.3 has its own in any case", Kind.WORDS, choices=(*tls.SUITES, *tls.SUITES_OF_13)
        ),
        "letsencrypt": Refused("certificates come from files"),
    },
    rules={
        "dependencies": {
            **{"certificate": ["key"], "key": ["certificate"]},
            **{"clientcas": ["certificate"], "clientauth": ["clientcas"]},
        }
    },
)

_HTTP = Table(
    "The server.",
    {
        "addr": Key(
            "where it listens; port 0 is a free port, and without a host all addresses",
            Kind.ADDRESS,
            default="127.0.0.1:5000",
        ),
        "net": Only("tcp", "it listens on TCP alone"),
        "prefix": Refused("the API begins at /v2/"),
        "host": Key("the URL of the registry, which makes Locations absolute", Kind.URL),
        "secret": Idle("the state of an upload is in the storage"),
        "relativeurls": Key("Locations are relative, whatever host says", Kind.FLAG, default=False),
        "draintimeout": Key("so long open requests have when the server ends", Kind.DURATION, default="5s"),
        "workers": Key(
            "how many processes answer requests, as one registry; more than 1 not with storage.inmemory, the"
            " layout of the original, a proxy or storage.maintenance.garbagecollect",
            Kind.NUMBER,
            default=1,
            least=1,
            most=MOST_WORKERS,
            own=True,
        ),
        "headers": Key("fields that each answer has", Kind.LISTS),
        "debug": Table(
            "The debug server, without TLS and without a login: health, variables and metrics.",
            {
                "addr": Key("where it listens; there is none without this", Kind.ADDRESS),
                "prometheus": Table(
                    "Metrics for Prometheus.",
                    {
                        "enabled": Key("metrics are told", Kind.FLAG, default=False),
                        "path": Key("their path on the debug server", default="/metrics"),
                    },
                ),
            },
        ),
        "tls": _TLS,
        "http2": Table(
            "HTTP/2, which is not spoken.",
            {"disabled": Key("HTTP/1.1 alone, as in any case", Kind.FLAG, default=False)},
        ),
        "h2c": Table("HTTP/2 without TLS.", {"enabled": Only("false", "the server speaks HTTP/1.1")}),
        "h3": Refused("it speaks HTTP/1.1"),
    },
)

_AUTH = Table(
    "Who may do what: everybody everything, or one of htpasswd and token.",
    {
        "htpasswd": Table(
            "Whoever is in a file may do everything.",
            {
                "realm": Key("the realm of the challenge", required=True),
                "path": Key("names with passwords as bcrypt; read again when it changes", Kind.FILE, required=True),
            },
        ),
        "token": Table(
            "Whoever has a token of a service may do what it grants.",
            {
                "realm": Key("where clients get tokens", Kind.URL, required=True),
                "service": Key("the audience of a token", required=True),
                "issuer": Key("who issues tokens", required=True),
                "rootcertbundle": Key("the certificates of the issuer", Kind.FILE, required=True),
                "autoredirect": Key("the realm is /auth/token on the registry's own host", Kind.FLAG, default=False),
                "autoredirectpath": Refused("the path is /auth/token"),
                "jwks": Refused("keys come from rootcertbundle"),
                "signingalgorithms": Refused("tokens are signed with ES256 or RS256"),
            },
        ),
        "silly": Refused("it lets everybody in"),
    },
    rules={"not": {"required": ["htpasswd", "token"]}},
)

_IGNORED_TYPES = "media types of which nothing is told"
_NOTIFICATIONS = Table(
    "Who is told what clients do.",
    {
        "events": Table(
            "What an event has.",
            {"includereferences": Key("what a manifest names as well", Kind.FLAG, default=False)},
        ),
        "queue": Table(
            "Where events wait that are to survive the registry.",
            {"rootdirectory": Key("the directory", required=True)},
            own=True,
        ),
        "endpoints": Table(
            "An endpoint, which gets events by POST.",
            {
                "name": Key("what it is called in the log", required=True),
                "url": Key("where events are sent", Kind.URL, required=True),
                "disabled": Key("it is told nothing", Kind.FLAG, default=False),
                "headers": Key("fields that each request has", Kind.LISTS),
                "timeout": Key("so long an answer may take", Kind.DURATION, default="1s"),
                "threshold": Key("after how many failures in a row backoff begins", Kind.NUMBER, default=10),
                "backoff": Key("the pause before each try", Kind.DURATION, default="1s"),
                "ignoredmediatypes": Key(_IGNORED_TYPES, Kind.WORDS),
                "ignore": Table(
                    "What it is not told.",
                    {
                        "mediatypes": Key(_IGNORED_TYPES, Kind.WORDS),
                        "actions": Key("push, pull, mount or delete", Kind.WORDS),
                    },
                ),
            },
            many=True,
        ),
    },
)

_INTERVAL = Key("the time between two looks", Kind.DURATION, default="10s", least=1)
_TIMEOUT = Key("so long it may take; the original waits for ever", Kind.DURATION, default="5s")
_THRESHOLD = Key(_FAILURES, Kind.NUMBER, default=1)
_HEALTH = Table(
    "What is looked at; where it is not in order, each request is answered 503.",
    {
        "storagedriver": Table(
            "Whether the storage takes and gives.",
            {
                "enabled": Key("the storage is looked at", Kind.FLAG, default=False),
                "interval": _INTERVAL,
                "threshold": Key(_FAILURES, Kind.NUMBER, default=3),
            },
        ),
        "file": Table(
            "Whether a file is absent.",
            {"file": Key("the file", required=True), "interval": _INTERVAL, "threshold": _THRESHOLD},
            many=True,
        ),
        "http": Table(
            "Whether a URL answers HEAD.",
            {
                "uri": Key("the URL", Kind.URL, required=True),
                "headers": Key("fields of the request", Kind.LISTS),
                "statuscode": Key("the status of the answer", Kind.NUMBER, default=200, least=100, most=599),
                "timeout": _TIMEOUT,
                "interval": _INTERVAL,
                "threshold": _THRESHOLD,
            },
            many=True,
        ),
        "tcp": Table(
            "Whether an address takes connections.",
            {
                "addr": Key("the address", Kind.ADDRESS, required=True),
                "timeout": _TIMEOUT,
                "interval": _INTERVAL,
                "threshold": _THRESHOLD,
            },
            many=True,
        ),
    },
)

_PROXY = Table(
    "Another registry, of which this one is a cache.",
    {
        "remoteurl": Key("the other registry, without a login", Kind.URL, required=True),
        "username": Key("the login there"),
        "password": Key("its password"),
        "ttl": Key("so long content is kept; 0s is for ever", Kind.DURATION, default="168h"),
        "exec": Refused("it starts no program; the login is username and password"),
        "cachewritetimeout": Idle("content is kept as it comes", Kind.DURATION),
    },
)

CONFIGURATION = Table(
    "The configuration of the registry.",
    {
        "version": Key("the version of the format", choices=("0.1", "0.1.0"), required=True),
        "loglevel": Key("what is logged, where log.level does not say", choices=_LEVELS, default="info"),
        "log": _LOG,
        "storage": _STORAGE,
        "http": _HTTP,
        "auth": _AUTH,
        "notifications": _NOTIFICATIONS,
        "compatibility": Table(
            "Old forms of manifests.",
            {
                "schema1": Table(
                    "Signed manifests of Docker's schema 1.",
                    {
                        "enabled": Key("they are taken", Kind.FLAG, default=False),
                        "signingkeyfile": Idle("manifests stay as pushed"),
                    },
                )
            },
        ),
        "health": _HEALTH,
        "catalog": Table(
            "The list of repositories.",
            {"maxentries": Key("the most names of a page", Kind.NUMBER, default=1000, least=1)},
        ),
        "validation": Table(
            "What of a manifest is verified.",
            {
                "enabled": Idle("missing content is refused in any case", Kind.FLAG),
                "disabled": Idle("missing content is refused in any case", Kind.FLAG),
                "manifests": Refused("layers with urls are taken as they are, and missing content is refused"),
            },
        ),
        "proxy": _PROXY,
        "redis": Refused("it keeps what it knows in its own memory"),
        "middleware": Refused("it has none"),
        "policy": Refused("each repository takes every kind of manifest"),
        "reporting": Refused("it reports to nobody"),
        "tags": Refused("a list of tags has no limit but the n of its request"),
    },
)
