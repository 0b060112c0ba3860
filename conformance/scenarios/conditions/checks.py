"""All looks at laws."""

from __future__ import annotations

from conformance.scenarios.conditions.blobs import checks as blob_checks
from conformance.scenarios.conditions.lists import checks as list_checks
from conformance.scenarios.conditions.manifests import checks as manifest_checks
from conformance.scenarios.conditions.manifests import fate_checks
from conformance.scenarios.conditions.rows.attempt import Check

#: Looks at what rows left, when all are done.
LATER = frozenset(
    {
        blob_checks.STILL,
        blob_checks.GONE_LATER,
        fate_checks.STILL,
        manifest_checks.TAGS,
        manifest_checks.TAGS_NAME,
        manifest_checks.LISTED,
        manifest_checks.LISTED_ONCE,
        manifest_checks.LISTED_DIGEST,
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
