"""All looks at laws."""

from __future__ import annotations

from . import blob_checks, fate_checks, list_checks, manifest_checks
from .attempt import Check

#: Looks at what rows left, when all are done.
LATER = frozenset(
    {
        blob_checks.STILL,
        fate_checks.STILL,
        manifest_checks.TAGS,
        manifest_checks.TAGS_NAME,
        manifest_checks.LISTED,
        manifest_checks.LISTED_ONCE,
        manifest_checks.LISTED_MORE,
    }
)
ALL = (
    *(
        look
        for of in (blob_checks, manifest_checks, fate_checks, list_checks)
        for look in vars(of).values()
        if isinstance(look, Check)
    ),
    *blob_checks.MISPLACED_TAKEN,
)
#: Looks that see by their way what a plainer one sees without it.
ALSO = {
    blob_checks.CONDITION: blob_checks.AGAIN,
    blob_checks.LOCATED: blob_checks.AGAIN,
    manifest_checks.CONDITION: manifest_checks.AGAIN,
    manifest_checks.LOCATED: manifest_checks.AGAIN,
}
