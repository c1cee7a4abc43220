"""The filter that asks a service whether a call with an API key may pass (Envoy's external authorization).

Calls without a key are not asked about and cost nothing, unless what they call is for keys only. What is sent
is the path and the headers that say how to answer; never a token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.platform.edge.contract import Contract

NAME = "envoy.filters.http.ext_authz"
KEY_HEADER = "x-api-key"
SENT = (KEY_HEADER, "content-type", "x-envoy-original-method", "x-grpc-web")
TIMEOUT = "3s"  # answered from memory, so that only a machine with far too much to do takes long
_TYPE = "type.googleapis.com/envoy.extensions.filters.http"


def admission(cluster: str, contract: Contract, keyed: Sequence[str]) -> dict[str, Any]:
    """Returns the filter, which asks `cluster`. `keyed` names services and RPCs that are for keys only.

    Raises ValueError for one that the contract does not have.
    """
    paths = list(_paths(contract, keyed))
    asked = [_present(KEY_HEADER), *(_equal(":path", path) for path in paths)]
    skip = {
        "name": "skip",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter"
        },
    }
    any_of = asked[0] if len(asked) == 1 else {"or_matcher": {"predicate": asked}}
    unless = {"predicate": {"not_matcher": any_of}, "on_match": {"action": skip}}
    return {
        "name": NAME,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
            "extension_config": {"name": NAME, "typed_config": _asking(cluster)},
            "xds_matcher": {"matcher_list": {"matchers": [unless]}},
        },
    }


def _asking(cluster: str) -> dict[str, Any]:
    return {
        "@type": f"{_TYPE}.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": cluster}, "timeout": TIMEOUT},
        # Who cannot be asked lets nobody pass.
        "failure_mode_allow": False,
        "status_on_error": {"code": "ServiceUnavailable"},
        "allowed_headers": {"patterns": [{"exact": name} for name in SENT]},
    }


def _paths(contract: Contract, keyed: Iterable[str]) -> Iterable[str]:
    for name in keyed:
        found = [
            rpc.path
            for rpc in contract.rpcs
            if name in (rpc.path.removeprefix("/waymark."), rpc.interface.removeprefix("waymark."))
        ]
        if not found:
            raise ValueError(f"{name!r} is for keys only and is no service or RPC of the contract")
        yield from found


def _present(header: str) -> dict[str, Any]:
    return _matches(header, {"safe_regex": {"google_re2": {}, "regex": ".*"}})


def _equal(header: str, value: str) -> dict[str, Any]:
    return _matches(header, {"exact": value})


def _matches(header: str, value: dict[str, Any]) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
    asked = {"name": header.strip(":"), "typed_config": {"@type": kind, "header_name": header}}
    return {"single_predicate": {"input": asked, "value_match": value}}
