"""The Envoy configuration as data: nothing the contract does not name gets through."""

from __future__ import annotations

from typing import Any

import pytest
from google.rpc import error_details_pb2
from waymark.errors.v1 import reason_pb2

from services.platform.edge.envoy import LOCAL_ORIGINS
from services.platform.edge.errors import REASONS, body_of, local_replies, status_of
from services.platform.edge.filters import KEEP_KNOWN, http_filters, lua
from services.platform.edge.limits import Limits
from services.platform.edge.process import EdgeSettings
from services.platform.edge.routes import CORS_HEADERS, route_configuration, valid_origins
from services.platform.settings import SettingsError
from tests.support.contract import CONTRACT

ROUTES = route_configuration(CONTRACT, "/openapi.json", 1, Limits(), LOCAL_ORIGINS)["virtual_hosts"][0][
    "routes"
]
FILTERS = http_filters(CONTRACT, "/d.binpb", "https://issuer", "waymark", "https://issuer/jwks", Limits())


def config_of(name: str) -> dict[str, Any]:
    return next(one["typed_config"] for one in FILTERS if one["name"].endswith(name))


def test_each_rpc_has_a_route_to_its_service_and_there_are_no_others() -> None:
    calls = {
        route["match"]["path"]: route["route"]["cluster"]
        for route in ROUTES
        if route["match"].get("path", "").startswith("/waymark.")
    }
    assert calls == {rpc.path: rpc.service for rpc in CONTRACT.rpcs}


def test_streams_have_no_timeout_and_calls_have() -> None:
    timeouts = {
        route["match"].get("path"): route["route"]["timeout"]
        for route in ROUTES
        if "timeout" in route.get("route", {})
    }
    for rpc in CONTRACT.rpcs:
        assert (timeouts[rpc.path] == "0s") == rpc.server_streaming


def test_a_token_is_optional_for_public_rpcs_only() -> None:
    *optional, last = config_of("jwt_authn")["rules"]
    assert {rule["match"]["path"] for rule in optional} == {
        rpc.path for rpc in CONTRACT.rpcs if rpc.policy is not None and rpc.policy.public
    }
    assert last == {"match": {"prefix": "/waymark."}, "requires": {"provider_name": "issuer"}}


def test_the_token_is_checked_after_the_path_is_that_of_an_rpc() -> None:
    names = [one["name"].rpartition(".")[2] for one in FILTERS]
    assert names.index("grpc_json_transcoder") < names.index("jwt_authn") < names.index("rate_principal")
    assert names[-1] == "router"


def test_errors_of_the_edge_have_a_published_reason() -> None:
    for mapper in local_replies()["mappers"]:
        assert mapper["filter"]
    assert {401, 403, 404, 408, 413, 429, 503, 504} <= REASONS.keys()


@pytest.mark.parametrize("reason", sorted(set(REASONS.values())))
def test_errors_of_the_edge_say_what_to_do_as_those_of_services(reason: int) -> None:
    status = status_of(reason)
    info = reason_pb2.Reason.DESCRIPTOR.values_by_number[reason].GetOptions().Extensions[reason_pb2.info]
    told = error_details_pb2.LocalizedMessage()
    assert status.details[-1].Unpack(told)
    assert told.message == f"{info.text} {info.remedy}"
    assert "%" not in str(body_of(status))  # which Envoy would read as commands


def test_addresses_of_one_customer_have_one_budget() -> None:
    limit = config_of("rate_address")
    assert limit["rate_limits"] == [
        {"actions": [{"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}]}
    ]
    assert limit["descriptors"][0]["entries"] == [{"key": "masked_remote_address"}]


def test_pages_are_offered_no_header_that_no_service_gets() -> None:
    known = lua(KEEP_KNOWN)
    for name in CORS_HEADERS:
        assert name in known or name.startswith("x-amz-") or name == "x-user-agent"


@pytest.mark.parametrize("origin", [".*", "https?://.*", r"https://[a-z.]+"])
def test_an_origin_that_lets_everybody_in_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="every site"):
        valid_origins([origin])


def environment(**changed: str) -> dict[str, str]:
    return {
        "WAYMARK_ENVIRONMENT": "production",
        "WAYMARK_OIDC_ISSUER": "https://login.example",
        "WAYMARK_S3_ENDPOINT": "https://s3.example",
        "WAYMARK_CATALOGUE_ADDRESS": "catalogue:7000",
        "WAYMARK_VOUCHERS_ADDRESS": "vouchers:7000",
        "WAYMARK_PORTFOLIO_ADDRESS": "portfolio:7000",
        **changed,
    }


def test_production_lets_no_page_call_until_its_site_is_named() -> None:
    assert EdgeSettings.from_environment(environment()).origins == ()
    named = EdgeSettings.from_environment(environment(WAYMARK_EDGE_ORIGINS=r"https://waymark\.example"))
    assert named.origins == (r"https://waymark\.example",)
    assert (
        EdgeSettings.from_environment(environment(WAYMARK_ENVIRONMENT="development")).origins == LOCAL_ORIGINS
    )


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"WAYMARK_VOUCHERS_ADDRESS": ""}, "WAYMARK_VOUCHERS_ADDRESS"),
        ({"WAYMARK_EDGE_LISTEN": "8080"}, "WAYMARK_EDGE_LISTEN"),
        ({"WAYMARK_EDGE_ADMIN_PORT": "many"}, "WAYMARK_EDGE_ADMIN_PORT"),
        ({"WAYMARK_S3_ENDPOINT": ""}, "WAYMARK_S3_ENDPOINT"),
        ({"WAYMARK_OIDC_ISSUER": "http://login.example"}, "WAYMARK_OIDC_ISSUER"),
        ({"WAYMARK_EDGE_CERTIFICATE": "/a.pem"}, "WAYMARK_EDGE_PRIVATE_KEY"),
    ],
)
def test_a_wrong_setting_is_named(changed: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        EdgeSettings.from_environment(environment(**changed))
