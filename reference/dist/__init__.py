"""Content of registries without a daemon: a client for registries, OCI layouts and archives, and the command ``dist``.

    from reference.dist import SyncClient

    with SyncClient() as client:
        copied = client.copy("registry.example/team/app:1", "oci:app:1")
        print(copied.descriptor.digest)

`Client` is the same for programs with a loop. `Options` says how registries are reached, and what
fails raises a `DistError`.
"""

from reference.dist.client import Client, SyncClient
from reference.dist.content import Descriptor, Manifest
from reference.dist.copying import Copied, Progress
from reference.dist.errors import ContentError, DeniedError, DistError, NotFoundError, RegistryError, UsageError
from reference.dist.transport import Options

__all__ = [
    "Client",
    "ContentError",
    "Copied",
    "DeniedError",
    "Descriptor",
    "DistError",
    "Manifest",
    "NotFoundError",
    "Options",
    "Progress",
    "RegistryError",
    "SyncClient",
    "UsageError",
]
