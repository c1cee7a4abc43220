"""The OpenAPI document against live answers: whatever is sent, the answer is one that the document allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from services.cli.stack.issuer import ROLES
from services.platform.edge import openapi
from services.platform.edge.contract import Contract
from tests.support.world import World

pytestmark = [pytest.mark.filterwarnings("default")]

SCHEMA = schemathesis.openapi.from_dict(json.loads(openapi.document(Contract())))
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}
HELD = [
    CHECKS.get_one(name)
    for name in ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
]
MODES = {"fitting": GenerationMode.POSITIVE, "unfitting": GenerationMode.NEGATIVE}


def takes_anything(label: str) -> bool:
    """Whether there is anything in a request that could be wrong."""
    raw = OPERATIONS[label].definition.raw
    return bool(raw.get("parameters") or raw.get("requestBody"))


CASES = [
    pytest.param(label, mode, id=f"{label}-{name}")
    for label in sorted(OPERATIONS)
    for name, mode in MODES.items()
    if mode is GenerationMode.POSITIVE or takes_anything(label)
]
EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}


@pytest.mark.parametrize(("label", "mode"), CASES)
def test_answers_are_those_the_document_allows(whole: World, label: str, mode: GenerationMode) -> None:
    operation: Any = OPERATIONS[label]
    # One caller in every role, so that requests get past the policy and into the service.
    headers = whole.edge.bearer(" ".join(ROLES), org="organisations/somebody")
    quiet = settings(
        max_examples=EXAMPLES[mode],
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @quiet
    @seed(20261121)
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_it(case: Any) -> None:
        answer = case.call(base_url=whole.edge.url, headers=headers)
        case.validate_response(answer, checks=HELD)
        assert answer.status_code not in (500, 502), answer.text

    try_it()


def test_control_a_document_that_promises_something_else_is_caught(whole: World) -> None:
    promised = json.loads(openapi.document(Contract()))
    courses = promised["components"]["schemas"]["catalogue.v1.ListCoursesResponse"]
    courses["properties"]["nextPageToken"] = {"type": "integer"}
    schema = schemathesis.openapi.from_dict(promised)
    case = schema["/v1/courses"]["GET"].Case()
    with pytest.raises(FailureGroup, match="violates schema"):
        case.call_and_validate(base_url=whole.edge.url, checks=HELD)
