"""What the edge itself answers with: the same complete error bodies that services give (google.rpc.Status).

A refusal made by Envoy has an HTTP status and no details. `local_replies` maps each to a reason of the
published catalogue: as JSON for REST, and as `grpc-status-details-bin` for gRPC and gRPC-Web (which the
transcoder turns back into JSON for a REST call that it had already taken over).
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from google.protobuf import json_format
from google.rpc import code_pb2, status_pb2
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.rpc.status import answer_of

RETRY_AFTER = timedelta(seconds=1)

# google.rpc.Code → HTTP status, as the edge's transcoder answers.
HTTP_STATUS = {
    code_pb2.CANCELLED: 499,
    code_pb2.UNKNOWN: 500,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}
# HTTP status of Envoy's own reply → reason. 503 covers a service that is down, 504 one that is too slow.
REASONS = {
    400: reason_pb2.REASON_INVALID_ARGUMENT,
    401: reason_pb2.REASON_UNAUTHENTICATED,
    403: reason_pb2.REASON_PERMISSION_DENIED,
    404: reason_pb2.REASON_NOT_FOUND,
    405: reason_pb2.REASON_NOT_FOUND,
    408: reason_pb2.REASON_DEADLINE_EXCEEDED,
    411: reason_pb2.REASON_INVALID_ARGUMENT,
    413: reason_pb2.REASON_REQUEST_TOO_LARGE,
    415: reason_pb2.REASON_INVALID_ARGUMENT,
    429: reason_pb2.REASON_OVERLOADED,
    431: reason_pb2.REASON_REQUEST_TOO_LARGE,
    500: reason_pb2.REASON_INTERNAL,
    502: reason_pb2.REASON_UNAVAILABLE,
    503: reason_pb2.REASON_UNAVAILABLE,
    504: reason_pb2.REASON_DEADLINE_EXCEEDED,
}
# Where Envoy's own words say what is wrong with the JSON, the query or the token.
_EXPLAINED = (400, 401)
_GRPC = {
    "header_filter": {"header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}}
}
_RETRIED = (reason_pb2.REASON_OVERLOADED, reason_pb2.REASON_UNAVAILABLE)


def status_of(reason: int) -> status_pb2.Status:
    """The google.rpc.Status for a reason, as services make it; where waiting helps, with RetryInfo."""
    refusal = Refusal(reason, retry_after=RETRY_AFTER if reason in _RETRIED else None)
    return status_pb2.Status.FromString(answer_of(refusal).status)


def body_of(status: status_pb2.Status) -> dict[str, Any]:
    """The JSON body of a REST error: google.rpc.Status in its JSON mapping, as the transcoder writes it."""
    body: dict[str, Any] = json_format.MessageToDict(status)
    return body


def grpc_headers(status: status_pb2.Status) -> dict[str, str]:
    """The headers of an answer of gRPC that has no messages."""
    # gRPC puts binary metadata in unpadded base64.
    details = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
    return {
        "grpc-status": str(status.code),
        "grpc-message": status.message,
        "grpc-status-details-bin": details,
    }


def local_replies() -> dict[str, Any]:
    """The `local_reply_config` of the connection manager."""
    statuses = {code: status_of(reason) for code, reason in REASONS.items()}
    makers = (_web, _grpc, _http)  # the first that fits the caller is taken
    mapped = [make(code, status) for code, status in statuses.items() for make in makers]
    return {"mappers": [_as_refused(), *mapped]}


def _as_refused() -> dict[str, Any]:
    """What a service refused for its API key is whole already, other than a service that was not reached."""
    flag = {"response_flag_filter": {"flags": ["UAEX"]}}
    reached = _compared("LE", 502)
    return {"filter": {"and_filter": {"filters": [flag, reached]}}}


def _grpc(code: int, status: status_pb2.Status) -> dict[str, Any]:
    # The transcoder gives a REST call the content type of gRPC, and this header.
    transcoded = {"name": "x-envoy-original-method", "present_match": True, "invert_match": True}
    return {
        "filter": {
            "and_filter": {"filters": [_answered(code), _GRPC, {"header_filter": {"header": transcoded}}]}
        },
        # Becomes `grpc-message`, which must say the same as the details.
        "body": {"inline_string": status.message},
        "headers_to_add": [*_added(status), *_retry_after(code)],
    }


def _web(code: int, status: status_pb2.Status) -> dict[str, Any]:
    """gRPC-Web clients read nothing from an answer whose HTTP status is not 200."""
    web = {"header_filter": {"header": {"name": "x-grpc-web", "present_match": True}}}
    return {
        "filter": {"and_filter": {"filters": [_answered(code), _GRPC, web]}},
        "body": {"inline_string": ""},
        "status_code": 200,
        "headers_to_add": [*_added(status), *_retry_after(code)],
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": "application/grpc-web+proto",
        },
    }


def _http(code: int, status: status_pb2.Status) -> dict[str, Any]:
    body = body_of(status)
    if code in _EXPLAINED:
        body["details"][0]["metadata"] = {"edge": "%LOCAL_REPLY_BODY%"}
    return {
        "filter": _answered(code),
        "headers_to_add": _retry_after(code),
        "body_format_override": {"json_format": body, "content_type": "application/json"},
    }


def _added(status: status_pb2.Status) -> list[dict[str, Any]]:
    return [_header(name, value) for name, value in grpc_headers(status).items()]


def _answered(code: int) -> dict[str, Any]:
    return _compared("EQ", code)


def _compared(how: str, code: int) -> dict[str, Any]:
    value = {"default_value": code, "runtime_key": "waymark.edge.unset"}
    return {"status_code_filter": {"comparison": {"op": how, "value": value}}}


def _retry_after(code: int) -> list[dict[str, Any]]:
    if REASONS[code] not in _RETRIED:
        return []
    return [_header("retry-after", str(int(RETRY_AFTER.total_seconds())))]


def _header(key: str, value: str) -> dict[str, Any]:
    return {"header": {"key": key, "value": _literal(value)}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _literal(text: str) -> str:
    """Escapes what Envoy's formatter would read as a command."""
    return text.replace("%", "%%")
