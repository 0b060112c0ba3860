"""The version check."""

from __future__ import annotations

from reference.messages import JSON, Request, Response


class Base:
    """/v2/."""

    async def get(self, _request: Request) -> Response:
        """The API is here."""
        return Response(200, [("Content-Type", JSON)], b"{}")
