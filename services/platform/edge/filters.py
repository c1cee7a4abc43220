"""The HTTP filters of the edge, in the order a request passes them.

CORS → gRPC-Web → rate per address → size → JSON to gRPC → token → rate per principal → API key → header
stripping (object routes only) → router. The transcoder stands before the token check so that policies are
keyed by RPC path alone, however a call came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from services.platform.edge.admission import admission
from services.platform.edge.contract import Contract, Rpc
from services.platform.edge.limits import Limits

_TYPE = "type.googleapis.com/envoy.extensions.filters.http"
JWT = "envoy.filters.http.jwt_authn"
PROVIDER = "issuer"
CLAIMS = "claims"
# What routes do to request headers, each a Lua file of this folder.
KEEP_KNOWN = "keep_known"
STRIP_UNSIGNED = "strip_unsigned"
# Checked against the issuer's keys; a token names its algorithm, so none outside this family is ever tried.
CLOCK_SKEW = 10


def http_filters(
    contract: Contract,
    descriptors: str,
    issuer: str,
    audience: str,
    jwks_uri: str,
    limits: Limits,
    admitting: str = "",
) -> list[dict[str, Any]]:
    """The filter chain; `descriptors` is the path of the descriptor set file that Envoy reads, `admitting`
    the cluster that is asked about API keys, none when empty.
    """
    return [
        _filter("envoy.filters.http.cors", "cors.v3.Cors", {}),
        _filter("envoy.filters.http.grpc_web", "grpc_web.v3.GrpcWeb", {}),
        _rate_limit("address", limits.address_per_second, limits.address_burst, limits, _by_address()),
        _filter("envoy.filters.http.buffer", "buffer.v3.Buffer", {"max_request_bytes": limits.body_bytes}),
        _transcoder(contract, descriptors, limits),
        _token_check(contract.rpcs, issuer, audience, jwks_uri),
        _rate_limit(
            "principal", limits.principal_per_second, limits.principal_burst, limits, _by_principal()
        ),
        *([admission(admitting, contract, limits.keyed)] if admitting else []),
        _filter(
            "envoy.filters.http.lua",
            "lua.v3.Lua",
            {"source_codes": {name: {"inline_string": lua(name)} for name in (KEEP_KNOWN, STRIP_UNSIGNED)}},
        ),
        _filter("envoy.filters.http.router", "router.v3.Router", {"suppress_envoy_headers": True}),
    ]


def lua(name: str) -> str:
    """The Lua code that routes run over request headers under this name."""
    return files(__package__).joinpath(f"{name}.lua").read_text()


def _filter(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{kind}", **config}}


def _transcoder(contract: Contract, descriptors: str, limits: Limits) -> dict[str, Any]:
    config = {
        "proto_descriptor": descriptors,
        "services": list(contract.interfaces),
        "convert_grpc_status": True,
        "auto_mapping": False,
        "print_options": {
            "add_whitespace": False,
            "always_print_primitive_fields": True,
            "always_print_enums_as_ints": False,
            "preserve_proto_field_names": False,
            "stream_newline_delimited": True,
        },
        "request_validation_options": {
            "reject_unknown_method": False,
            "reject_unknown_query_parameters": True,
        },
        # As browsers write blanks in queries.
        "query_param_unescape_plus": True,
        "url_unescape_spec": "ALL_CHARACTERS_EXCEPT_RESERVED",
        "max_request_body_size": limits.body_bytes,
        "max_response_body_size": limits.answer_bytes,
    }
    return _filter(
        "envoy.filters.http.grpc_json_transcoder", "grpc_json_transcoder.v3.GrpcJsonTranscoder", config
    )


def _token_check(rpcs: Iterable[Rpc], issuer: str, audience: str, jwks_uri: str) -> dict[str, Any]:
    required = {"provider_name": PROVIDER}
    # A public RPC needs no token, but one that is sent must be good: a caller is never silently anonymous.
    optional = {"requires_any": {"requirements": [required, {"allow_missing": {}}]}}
    public = [rpc.path for rpc in rpcs if rpc.policy is not None and rpc.policy.public]
    config = {
        "providers": {
            PROVIDER: {
                "issuer": issuer,
                "audiences": [audience],
                "forward": True,
                "require_expiration": True,
                "clock_skew_seconds": CLOCK_SKEW,
                "payload_in_metadata": CLAIMS,
                # Named, so that the default second place, a query parameter, is not looked at.
                "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
                "remote_jwks": {
                    "http_uri": {"uri": jwks_uri, "cluster": "issuer", "timeout": "5s"},
                    # Refreshed in the background; while the issuer is away the last keys stay in use.
                    "cache_duration": "30s",
                    "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
                },
            }
        },
        "rules": [
            *({"match": {"path": path}, "requires": optional} for path in public),
            {"match": {"prefix": "/waymark."}, "requires": required},
        ],
    }
    return _filter(JWT, "jwt_authn.v3.JwtAuthentication", config)


def _by_address() -> list[dict[str, Any]]:
    """One customer has a whole /64 of IPv6 addresses, and one IPv4 address."""
    masks = {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}
    return [{"actions": [{"masked_remote_address": masks}]}]


def _by_principal() -> list[dict[str, Any]]:
    subject = {
        "descriptor_key": "principal",
        "metadata_key": {"key": JWT, "path": [{"key": CLAIMS}, {"key": "sub"}]},
        "source": "DYNAMIC",
        # A public call without a token counts against its address only.
        "skip_if_absent": True,
    }
    return [{"actions": [{"metadata": subject}]}]


def _rate_limit(
    name: str, per_second: int, burst: int, limits: Limits, rate_limits: list[dict[str, Any]]
) -> dict[str, Any]:
    key = {"address": "masked_remote_address", "principal": "principal"}[name]
    share = {"numerator": 100 if limits.rates else 0, "denominator": "HUNDRED"}
    bucket = {"max_tokens": burst, "tokens_per_fill": per_second, "fill_interval": "1s"}
    config = {
        "stat_prefix": f"rate_{name}",
        "filter_enabled": {"default_value": share},
        "filter_enforced": {"default_value": share},
        # The bucket of calls that no descriptor fits; wide, since each caller has one of its own below.
        "token_bucket": {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"},
        "always_consume_default_token_bucket": False,
        "rate_limits": rate_limits,
        # An entry without a value makes a bucket per value seen.
        "descriptors": [{"entries": [{"key": key}], "token_bucket": bucket}],
        "max_dynamic_descriptors": limits.remembered,
        "rate_limited_as_resource_exhausted": True,
    }
    return _filter(f"waymark.rate_{name}", "local_ratelimit.v3.LocalRateLimit", config)
