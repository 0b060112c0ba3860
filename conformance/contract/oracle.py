"""openapi-core as the judge of an exchange: an adapter, since it asks for a request and a response of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseFinderError
from openapi_core.validation.response.exceptions import DataValidationError, HeaderValidationError

from conformance.client.http.exchange import Exchange, Headers, Response
from conformance.contract.plan import METHODS, OperationPlan

_HOST = "http://registry.invalid"
#: Stands for a path parameter that an exchange does not tell, as the session of an opaque upload location.
_PLACEHOLDER = "session"


class OpenAPIRequest:
    """An exchange's request with its canonical path: parameters are percent-encoded, so names keep one segment."""

    def __init__(self, operation: OperationPlan, exchange: Exchange) -> None:
        self.parameters = RequestParameters()
        self.host_url = _HOST
        self.method = operation.method
        self.path = canonical_path(operation.path, exchange.parameters)
        self.content_type = ""
        self.body: bytes | None = None


class OpenAPIResponse:
    """A response with one reading of its header fields."""

    def __init__(self, response: Response, headers: Mapping[str, str]) -> None:
        self.status_code = response.status
        self.content_type = response.media_type
        self.data = response.body
        self.headers = headers


class FieldMapping(Mapping[str, str]):
    """Header fields as a mapping whose keys are compared without case."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._fields = {name.lower(): value for name, value in fields}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Oracle:
    """What openapi-core finds in an exchange."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        types, formats = _vocabulary(document)
        config = Config(
            spec_validator_cls=None,  # type: ignore[arg-type]  # documented: no check; `spec check` does it
            extra_media_type_deserializers={name: _as_json if _is_json(name) else _as_text for name in types},
            # Formats are notes in JSON Schema 2020-12.
            extra_format_validators=dict.fromkeys(formats, _anything),
        )
        self._openapi = OpenAPI.from_dict(_without_servers(document), config=config)

    def errors(self, operation: OperationPlan, exchange: Exchange, with_body: bool) -> dict[str, str]:
        """Return openapi-core's errors by part: ``status``, ``body`` and ``header NAME``.

        Fields that are repeated are read one by one and joined; an error stands if each reading has it.
        """
        response = exchange.response
        if response is None:
            return {}
        request = OpenAPIRequest(operation, exchange)
        found: dict[str, str] | None = None
        for reading in readings(response.headers):
            errors: dict[str, str] = {}
            for error in self._iterate(request, OpenAPIResponse(response, reading)):
                part = _part(error)
                if part != "body" or with_body:
                    # Not its text: that may be the whole body, and fails on bodies that are no UTF-8.
                    errors[part] = f"{operation.id}, {part}: {type(error.__cause__ or error).__name__}"
            found = errors if found is None else {part: text for part, text in found.items() if part in errors}
        return found or {}

    def _iterate(self, request: OpenAPIRequest, response: OpenAPIResponse) -> Iterator[Exception]:
        try:
            yield from self._openapi.iter_response_errors(request, response)
        except RecursionError:
            yield DataValidationError()


def canonical_path(template: str, parameters: Mapping[str, str]) -> str:
    """Fill a path template with percent-encoded parameters."""
    path = template
    for piece in template.split("{")[1:]:
        name = piece.split("}")[0]
        path = path.replace(f"{{{name}}}", quote(parameters.get(name) or _PLACEHOLDER, safe="", errors="replace"))
    return path


def readings(headers: Headers) -> Iterator[FieldMapping]:
    """Give the ways to read header fields: repeated ones joined, and each of their values alone."""
    repeated = {name: headers.all(name) for name in headers.names()}
    yield FieldMapping((name, ", ".join(values)) for name, values in repeated.items())
    longest = max((len(values) for values in repeated.values()), default=1)
    for index in range(longest if longest > 1 else 0):
        yield FieldMapping((name, values[min(index, len(values) - 1)]) for name, values in repeated.items())


def _part(error: Exception) -> str:
    if isinstance(error, HeaderValidationError):
        return f"header {error.name.lower()}"
    if isinstance(error, ResponseFinderError):
        return "status"
    if isinstance(error, DataValidationError):
        return "body"
    if isinstance(error, OpenAPIError):
        return type(error).__name__
    raise error


def _without_servers(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without servers: an exchange's operation is known, whatever its host."""
    paths = {
        path: {
            key: {k: v for k, v in node.items() if k != "servers"} if key in METHODS else node
            for key, node in item.items()
            if key != "servers"
        }
        for path, item in document.get("paths", {}).items()
    }
    return {**{key: value for key, value in document.items() if key != "servers"}, "paths": paths}


def _vocabulary(node: Any) -> tuple[set[str], set[str]]:
    """Collect the media types and the formats that a document names."""
    types: set[str] = set()
    formats: set[str] = set()
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            types.update(item["content"] if isinstance(item.get("content"), dict) else ())
            formats.update({item["format"]} if isinstance(item.get("format"), str) else ())
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return types, formats


def _is_json(name: str) -> bool:
    return name.endswith(("/json", "+json"))


def _as_json(value: bytes, **_: str) -> Any:
    return json.loads(value)


def _as_text(value: bytes, **_: str) -> str:
    return value.decode("latin-1")


def _anything(_: object) -> bool:
    return True
