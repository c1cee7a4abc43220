"""The OpenAPI document: addresses, limits, errors, and that it is the same each time."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from services.platform.edge import openapi
from services.platform.edge.contract import Contract
from tests.support.contract import CONTRACT


@cache
def described() -> dict[str, Any]:
    """The document, made when it is asked for: every worker loads this module, and one needs it."""
    document: dict[str, Any] = json.loads(openapi.document(CONTRACT))
    return document


def operations() -> list[tuple[str, str, Any]]:
    """Each operation with its verb and path."""
    paths = described()["paths"]
    return [(verb, path, operation) for path, verbs in paths.items() for verb, operation in verbs.items()]


def schemas() -> dict[str, Any]:
    """Schemas by name."""
    found: dict[str, Any] = described()["components"]["schemas"]
    return found


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("/v1/courses", "/v1/courses", []),
        ("/v1/{name=courses/*}", "/v1/courses/{coursesId}", [("coursesId", "name")]),
        ("/v1/{name=courses/*}:correct", "/v1/courses/{coursesId}:correct", [("coursesId", "name")]),
        (
            "/v1/{course.name=courses/*/sessions/*}",
            "/v1/courses/{coursesId}/sessions/{sessionsId}",
            [("coursesId", "course.name"), ("sessionsId", "course.name")],
        ),
        ("/v1/{parent=holders/*}/entries", "/v1/holders/{holdersId}/entries", [("holdersId", "parent")]),
        ("/v1/greetings/{name}", "/v1/greetings/{name}", [("name", "name")]),
    ],
)
def test_path_templates(template: str, path: str, parameters: list[tuple[str, str]]) -> None:
    assert openapi.openapi_path(template) == (path, parameters)


def test_the_document_is_the_same_each_time() -> None:
    assert openapi.document(Contract()) == openapi.document(Contract())


def test_every_binding_of_every_rpc_is_described_once() -> None:
    bindings = [binding for rpc in CONTRACT.rpcs for binding in rpc.bindings]
    assert len(operations()) == len(bindings)
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)


def test_references_lead_somewhere() -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            inner = set().union(*(references(one) for one in value.values()), set())
            return inner | ({value["$ref"]} if "$ref" in value else set())
        return set().union(*(references(one) for one in value)) if isinstance(value, list) else set()

    known = {f"#/components/schemas/{name}" for name in schemas()}
    assert references(described()) <= known


def test_path_parameters_are_those_of_the_path() -> None:
    for _, path, operation in operations():
        named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert {f"{{{name}}}" for name in named} == {
            part for part in path.replace(":", "/").split("/") if "{" in part
        }


def test_errors_have_their_http_status_and_reason() -> None:
    (operation,) = (one for _, _, one in operations() if one["operationId"].endswith("GetHolder"))
    assert "`NOT_FOUND`" in operation["responses"]["404"]["description"]
    assert operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "/Error"
    )


def test_only_public_calls_may_go_without_a_token() -> None:
    public = {rpc.name for rpc in CONTRACT.rpcs if rpc.policy is not None and rpc.policy.public}
    free = {
        operation["operationId"].rpartition(".")[2]
        for _, _, operation in operations()
        if {} in operation.get("security", [])
    }
    assert free == public


def test_roles_and_relations_are_named() -> None:
    (operation,) = (one for _, _, one in operations() if one["operationId"].endswith("GetHolder"))
    assert "learner (self)" in operation["x-roles"]


class TestSchemas:
    def test_limits_hold_for_what_is_sent_only(self) -> None:
        for name, schema in schemas().items():
            if not name.endswith(".Input") and name != "Error":
                text = json.dumps(schema)
                assert '"maxLength"' not in text
                assert '"required": ["' not in text.replace('"required": ["@type"]', "")

    def test_every_schema_is_one(self) -> None:
        for schema in schemas().values():
            jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})

    def test_lengths_of_text_that_callers_send_are_capped(self) -> None:
        """Every string in a request body has a cap, a closed list or a format; nothing is endless."""
        # Names and etags are compared and never kept; Money has its own check.
        compared = {"name", "etag", "currencyCode"}
        limits = {"maxLength", "enum", "format", "pattern", "contentEncoding"}
        endless = [
            f"{name}.{field}"
            for name, schema in schemas().items()
            if name.endswith(".Input")
            for field, one in schema.get("properties", {}).items()
            if one.get("type") == "string" and not limits & one.keys() and field not in compared
        ]
        assert endless == []
