"""Where the edge sends what: RPCs by path to their service, presigned object addresses to S3, the rest
nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from services.platform.edge.contract import Contract, Rpc
from services.platform.edge.limits import Limits
from services.platform.objects.tickets import INCOMING

OBJECTS = "objects"
_NOBODY = 9_223_372_036_854_775_807
# Path-style addresses of Waymark's buckets, `waymark-<service>-<purpose>`.
_BUCKET = r"/waymark-[a-z0-9-]+"
_KEY = r"/[A-Za-z0-9][A-Za-z0-9._/~-]*"
# Where tickets lead: nobody reads from there, and the service moves the bytes once they are checked.
_INCOMING = f"/{INCOMING}[A-Za-z0-9._/~-]*"
# A stream or a file passes as it comes; everything else is small and is taken in whole.
UNBUFFERED = {
    "envoy.filters.http.buffer": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
        "disabled": True,
    }
}
CORS_HEADERS = (
    "authorization",
    "content-type",
    "grpc-timeout",
    "traceparent",
    "x-amz-checksum-sha256",
    "x-amz-content-sha256",
    "x-grpc-web",
    "x-user-agent",
)
CORS_EXPOSED = (
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "retry-after",
    "x-request-id",
)


def route_configuration(
    contract: Contract, openapi: str, openapi_size: int, limits: Limits, origins: Sequence[str]
) -> dict[str, Any]:
    """The route table. `openapi` is the path of the document served; `origins` are regular expressions
    (CORS).
    """
    return {
        "name": "edge",
        "validate_clusters": False,
        "max_direct_response_body_size_bytes": max(openapi_size, 4096),
        "response_headers_to_remove": [
            "server",
            "x-powered-by",
            "x-amz-request-id",
            "x-amz-id-2",
            "grpc-accept-encoding",
        ],
        "response_headers_to_add": [_set("x-content-type-options", "nosniff")],
        "virtual_hosts": [
            {
                "name": "waymark",
                "domains": ["*"],
                "typed_per_filter_config": {"envoy.filters.http.cors": _cors(origins)},
                "routes": list(_routes(contract, openapi, limits)),
            }
        ],
    }


def _routes(contract: Contract, openapi: str, limits: Limits) -> Iterator[dict[str, Any]]:
    yield _answer("live", {"path": "/livez"}, 200, "ok\n")
    yield _document(openapi)
    yield from _object_routes(limits)
    for rpc in contract.rpcs:
        yield _rpc(rpc, limits)
    # The transcoder finds the RPC and with it another route. CORS needs a true route until then, and a path
    # that no RPC has ends here, at a cluster that does not exist.
    nowhere = {"cluster": "nowhere", "cluster_not_found_response_code": "NOT_FOUND"}
    yield {"name": "rest", "match": {"prefix": "/v1/"}, "route": nowhere}
    yield _answer("unknown", {"prefix": "/"}, 404)


def _rpc(rpc: Rpc, limits: Limits) -> dict[str, Any]:
    streams = rpc.client_streaming or rpc.server_streaming
    longest = limits.longest_stream if streams else limits.longest_deadline
    return {
        "name": rpc.path.removeprefix("/waymark."),
        "match": {"path": rpc.path},
        "route": {
            "cluster": rpc.service,
            "timeout": "0s" if streams else f"{limits.longest_deadline}s",
            "idle_timeout": f"{limits.idle}s",
            "max_stream_duration": {
                "max_stream_duration": f"{longest}s",
                "grpc_timeout_header_max": f"{longest}s",
            },
        },
        "typed_per_filter_config": {**_lua("keep_known"), **(UNBUFFERED if rpc.client_streaming else {})},
    }


def _object_routes(limits: Limits) -> Iterator[dict[str, Any]]:
    """Presigned uploads to quarantine and presigned downloads; every other request for an object is
    refused.
    """
    signed = [
        {"name": "X-Amz-Signature", "string_match": {"safe_regex": {"regex": "[0-9a-f]{64}"}}},
        {"name": "X-Amz-SignedHeaders", "present_match": True},
    ]
    incoming = {"safe_regex": {"regex": _BUCKET + _INCOMING}}
    anything = {"safe_regex": {"regex": _BUCKET + _KEY}}
    put, get = (_method_is(verb) for verb in ("PUT", "GET"))
    too_long = _longer_than(limits.upload_bytes)
    yield _answer("upload-too-large", {**incoming, "headers": [put, too_long]}, 413)
    unsized = {"name": "content-length", "present_match": True, "invert_match": True}
    yield _answer("upload-unsized", {**incoming, "headers": [put, unsized]}, 411)
    yield _object("upload", {**incoming, "headers": [put], "query_parameters": signed}, limits)
    yield _answer("incoming-unread", {**incoming, "headers": [get]}, 403)
    yield _object("download", {**anything, "headers": [get], "query_parameters": signed}, limits)
    yield _answer("objects-refused", {"prefix": "/waymark-"}, 403)


def _object(name: str, match: dict[str, Any], limits: Limits) -> dict[str, Any]:
    return {
        "name": name,
        "match": match,
        "route": {
            "cluster": OBJECTS,
            # No timeout for the whole: a large file over a slow line is fine as long as it moves.
            "timeout": "0s",
            "idle_timeout": f"{limits.idle}s",
            "max_stream_duration": {"max_stream_duration": f"{limits.longest_stream}s"},
        },
        "request_headers_to_remove": ["authorization", "cookie"],
        # Uploaded bytes are somebody else's: never run, framed or guessed at by a browser.
        "response_headers_to_add": [
            _set("content-security-policy", "default-src 'none'; sandbox"),
            {
                "header": {"key": "content-disposition", "value": "attachment"},
                "append_action": "ADD_IF_ABSENT",
            },
        ],
        "typed_per_filter_config": {
            **UNBUFFERED,
            **_lua("strip_unsigned"),
        },
    }


def _lua(name: str) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute"
    return {"envoy.filters.http.lua": {"@type": kind, "name": name}}


def _document(path: str) -> dict[str, Any]:
    return {
        "name": "openapi",
        "match": {"path": "/openapi.json"},
        "direct_response": {"status": 200, "body": {"filename": path}},
        "response_headers_to_add": [_set("content-type", "application/json")],
    }


def _answer(name: str, match: dict[str, Any], status: int, body: str = "") -> dict[str, Any]:
    reply: dict[str, Any] = {"status": status}
    if body:
        reply["body"] = {"inline_string": body}
    return {"name": name, "match": match, "direct_response": reply}


def _method_is(verb: str) -> dict[str, Any]:
    return {"name": ":method", "string_match": {"exact": verb}}


def _longer_than(size: int) -> dict[str, Any]:
    return {"name": "content-length", "range_match": {"start": size + 1, "end": _NOBODY}}


def _set(key: str, value: str) -> dict[str, Any]:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _cors(origins: Sequence[str]) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"safe_regex": {"regex": origin}} for origin in origins],
        "allow_methods": "GET, PUT, POST, PATCH, DELETE",
        "allow_headers": ", ".join(CORS_HEADERS),
        "expose_headers": ", ".join(CORS_EXPOSED),
        "max_age": "3600",
    }


def valid_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Returns the expressions unchanged; raises ValueError for one that lets any origin in."""
    for origin in origins:
        if re.fullmatch(origin, "https://stranger.example"):
            raise ValueError(f"the CORS origin {origin!r} lets every site in")
    return tuple(origins)
