"""The OpenAPI 3.1 document of the REST interface, made from the contract and from nothing else.

Deterministic: the same descriptor set yields the same bytes.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2

from services.platform.edge.contract import Binding, Contract, Message, Rpc
from services.platform.edge.errors import HTTP_STATUS
from services.platform.edge.openapi_schemas import WELL_KNOWN, Schemas, is_output_only, is_required

_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=([^}]*))?\}")
_HTTP_BODY = "google.api.HttpBody"
_ABOUT = (
    "Career portfolios, learning vouchers and a course catalogue for public employment services. Made from "
    "the contracts under `proto/`; gRPC and gRPC-Web answer here too.\n\n"
    "A query parameter that is not named here is refused. A field of a JSON body that is not named here is "
    "ignored without a word: check what you send against this document."
)


def document(contract: Contract) -> str:
    """Returns the document as JSON text."""
    schemas = Schemas(contract)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for rpc in contract.rpcs:
        for number, binding in enumerate(rpc.bindings):
            address, parameters = openapi_path(binding.template)
            operation = _operation(contract, schemas, rpc, binding, parameters)
            if number:
                operation["operationId"] += f".{number + 1}"
            paths[address][binding.verb] = operation
    body = {
        "openapi": "3.1.0",
        "info": {
            "title": "Waymark",
            "version": "v1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name.rpartition(".")[2]} for name in contract.interfaces],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**dict(sorted(schemas.components.items())), "Error": error_schema()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Access token of the OIDC issuer, claims `sub`, `roles` and `org`.",
                }
            },
        },
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def openapi_path(template: str) -> tuple[str, list[tuple[str, str]]]:
    """Turns `/v1/{name=courses/*}:archive` into `/v1/courses/{coursesId}:archive`.

    Also returns the parameters as (name in the path, field bound), in order.
    """
    parameters: list[tuple[str, str]] = []

    def parameter(name: str, bound: str) -> str:
        parameters.append((name, bound))
        return f"{{{name}}}"

    def variable(match: re.Match[str]) -> str:
        bound, pattern = match.group(1), match.group(2) or "*"
        segments = pattern.split("/")
        written = [
            parameter(f"{segments[number - 1]}Id" if number else bound, bound)
            if segment in ("*", "**")
            else segment
            for number, segment in enumerate(segments)
        ]
        return "/".join(written)

    return _VARIABLE.sub(variable, template), parameters


def _operation(
    contract: Contract, schemas: Schemas, rpc: Rpc, binding: Binding, parameters: list[tuple[str, str]]
) -> dict[str, Any]:
    request = contract.messages[rpc.request]
    bound = {name.split(".")[0] for _, name in parameters if "." not in name}
    operation: dict[str, Any] = {
        "operationId": f"{rpc.interface}.{rpc.name}".removeprefix("waymark."),
        "tags": [rpc.interface.rpartition(".")[2]],
        "summary": rpc.description.split(". ")[0].split("\n\n")[0].replace("\n", " ").rstrip("."),
        "description": rpc.description + "\n\n" + _who(rpc),
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": f"Part of the field `{field}`.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^/:?#%]+$"},
            }
            for name, field in parameters
        ],
        "responses": _responses(contract, schemas, rpc),
        "x-roles": [
            _role(allow.role) + (f" ({allow.relationship})" if allow.relationship else "")
            for allow in (rpc.policy.allow if rpc.policy else ())
        ],
    }
    if rpc.policy is not None and rpc.policy.public:
        operation["security"] = [{}, {"token": []}]
    if binding.body == "*":
        sent = schemas.object(request, sent=True, without=bound)
        operation["requestBody"] = _json({"type": "array", "items": sent} if rpc.client_streaming else sent)
    elif binding.body:
        field = next(field for field in request.fields if field.descriptor.name == binding.body)
        operation["requestBody"] = _json(schemas.field(field, sent=True))
        bound.add(binding.body)
    if binding.body != "*":
        operation["parameters"] += _query(contract, schemas, request, bound)
    return operation


def _query(
    contract: Contract, schemas: Schemas, request: Message, bound: set[str]
) -> Iterator[dict[str, Any]]:
    """Fields that neither path nor body hold become query parameters, nested ones by dotted name."""

    def walk(message: Message, prefix: str, depth: int) -> Iterator[dict[str, Any]]:
        for field in message.fields:
            descriptor = field.descriptor
            kind = descriptor.type_name.lstrip(".")
            if (not prefix and descriptor.name in bound) or is_output_only(field):
                continue
            if descriptor.type == FieldDescriptorProto.TYPE_MESSAGE and kind not in WELL_KNOWN:
                # Repeated messages and maps have no form in a query string.
                if descriptor.label != FieldDescriptorProto.LABEL_REPEATED and depth < 3:
                    yield from walk(contract.messages[kind], f"{prefix}{descriptor.json_name}.", depth + 1)
                continue
            yield {
                "name": prefix + descriptor.json_name,
                "in": "query",
                "required": not prefix and is_required(field),
                "description": field.comment,
                "schema": schemas.field(field, sent=True),
            }

    return walk(request, "", 0)


def _responses(contract: Contract, schemas: Schemas, rpc: Rpc) -> dict[str, Any]:
    if rpc.response == _HTTP_BODY:
        content: dict[str, Any] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    elif rpc.server_streaming:
        # One JSON document a line; JSON Schema has no word for that.
        content = {"application/json": {"schema": {}}}
    else:
        content = {"application/json": {"schema": schemas.reference(rpc.response, sent=False)}}
    answer = contract.messages[rpc.response]
    told = answer.comment.split("\n\n")[0] if rpc.response.startswith("waymark.") else "Done."
    if "application/json" in content and rpc.server_streaming:
        told += " One JSON document a line."
    responses: dict[str, Any] = {"200": {"description": told, "content": content}}
    texts: dict[int, list[str]] = defaultdict(list)
    for name in rpc.reasons:
        value = reason_pb2.Reason.DESCRIPTOR.values_by_name.get(f"REASON_{name}")
        if value is not None:
            info = value.GetOptions().Extensions[reason_pb2.info]
            texts[HTTP_STATUS[info.code]].append(f"`{name}`: {info.text} {info.remedy}")
    for status in sorted(texts):
        responses[str(status)] = _error("\n\n".join(texts[status]))
    return {**responses, "default": _error("Any other error, with its reason from `docs/errors.md`.")}


def _error(description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "content": content}


def error_schema() -> dict[str, Any]:
    """google.rpc.Status in its JSON mapping; `details` holds ErrorInfo, and BadRequest or RetryInfo where
    due.
    """
    reasons = [
        value.name.removeprefix("REASON_") for value in reason_pb2.Reason.DESCRIPTOR.values if value.number
    ]
    return {
        "type": "object",
        "description": "google.rpc.Status. Branch on `reason` of the detail of type google.rpc.ErrorInfo.",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {"type": "integer", "description": "google.rpc.Code."},
            "message": {"type": "string", "description": "One sentence for developers."},
            "details": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["@type"],
                    "properties": {
                        "@type": {"type": "string"},
                        "reason": {"type": "string", "enum": reasons},
                        "domain": {"type": "string", "const": "waymark"},
                        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                        "retryDelay": {"type": "string"},
                        "fieldViolations": {"type": "array", "items": {"type": "object"}},
                    },
                },
            },
        },
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _role(number: int) -> str:
    return options_pb2.Role.Name(number).removeprefix("ROLE_").lower()  # type: ignore[arg-type]


def _who(rpc: Rpc) -> str:
    if rpc.policy is None:
        return "Nobody may call this."
    if rpc.policy.public:
        return "Anybody may call this."
    callers = [
        f"`{_role(allow.role)}`" + (f" that is `{allow.relationship}`" if allow.relationship else "")
        for allow in rpc.policy.allow
    ]
    return "Who may call: " + ", ".join(callers) + "."
