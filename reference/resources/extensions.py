"""Discovery of extensions."""

from __future__ import annotations

from reference.messages import Request, Response


class Extensions:
    """/v2/_oci/ext/discover, also below a repository."""

    async def discover(self, _request: Request) -> Response:
        """The only extension is discovery itself."""
        entry = {
            "name": "_oci",
            "description": "discovery of extensions",
            "url": "https://github.com/opencontainers/distribution-spec/blob/main/extensions/_oci.md",
            "endpoints": ["_oci/ext/discover"],
        }
        return Response.json({"extensions": [entry]})
