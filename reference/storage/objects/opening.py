"""From the description of a bucket to a storage in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from reference.settings import Bucket as Settings
from reference.storage import StorageError
from reference.storage.objects.bucket import Bucket
from reference.storage.objects.storage import ObjectStorage

_STORES: dict[str, Callable[..., Any]] = {"s3": S3Store, "gcs": GCSStore, "azure": AzureStore}
#: How long a bucket is waited for, in seconds: for one request, and for all attempts at it.
_TIMEOUT, _PATIENCE, _RETRIES = 60, 30, 5


def open_storage(settings: Settings) -> ObjectStorage:
    """The storage, after a look at whether the bucket can be reached.

    Raises:
        StorageError: it cannot, or the library takes what was configured for wrong.
    """
    client = {"timeout": timedelta(seconds=_TIMEOUT), "connect_timeout": timedelta(seconds=10), **settings.client}
    retry = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_PATIENCE)}
    try:
        store = _STORES[settings.kind](config=settings.options, client_options=client, retry_config=retry)
    except (BaseError, ValueError) as error:
        raise StorageError(str(error).split("\n", 1)[0]) from None
    bucket = Bucket(store, settings.root, settings.chunk, settings.secrets)
    storage = ObjectStorage(bucket, settings.description, settings.redirect)
    try:
        storage.check()
    except OSError as error:
        raise StorageError(f"the bucket cannot be used: {error.strerror}") from None
    return storage
