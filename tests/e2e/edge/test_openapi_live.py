"""The OpenAPI document against live answers: whatever is sent, the answer is one that the document allows."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.cli.stack.issuer import ROLES
from tests.support.world import World

pytestmark = [pytest.mark.filterwarnings("default")]

# As it is served: the checks hold that the committed one is made from the contracts.
DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())
METHODS = ("get", "post", "put", "patch", "delete")
FITTING, UNFITTING = 2, 1  # examples of requests that are as the document asks, and of others


def takes_anything(operation: dict[str, Any]) -> bool:
    """Whether there is anything in a request that could be wrong."""
    return bool(operation.get("parameters") or operation.get("requestBody"))


CASES = [
    pytest.param(path, method, id=f"{method.upper()} {path}")
    for path, item in sorted(DOCUMENT["paths"].items())
    for method in METHODS
    if method in item
]


def schema_of(document: dict[str, Any]) -> Any:
    """What schemathesis makes of a document; loaded here, since it takes seconds and one worker needs it."""
    import schemathesis

    return schemathesis.openapi.from_dict(document)


@cache
def whole_schema() -> Any:
    """Of the document as it is."""
    return schema_of(DOCUMENT)


def held(*, lines: bool = False) -> list[Any]:
    """What an answer must be; of `lines`, a JSON document each, there is no schema that could be asked."""
    from schemathesis.checks import CHECKS

    names = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
    return [CHECKS.get_one(name) for name in names[: 2 if lines else 3]]


def is_lines(operation: dict[str, Any], answer: Any) -> bool:
    """Whether an answer is a stream, of which each line must then be JSON."""
    content = operation["responses"]["200"]["content"]
    if answer.status_code != 200 or content.get("application/json", {}).get("schema") != {}:
        return False
    for line in answer.text.splitlines():
        json.loads(line)
    return True


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """One connection for all requests: to make a new client each time takes longer than most answers do."""
    import requests

    with requests.Session() as made:
        made.trust_env = False
        yield made


@pytest.mark.parametrize(("path", "method"), CASES)
def test_answers_are_those_the_document_allows(whole: World, session: Any, path: str, method: str) -> None:
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from schemathesis import GenerationMode

    described, operation = DOCUMENT["paths"][path][method], whole_schema()[path][method.upper()]
    # One caller in every role, so that requests get past the policy and into the service.
    headers = whole.edge.bearer(" ".join(ROLES), org="organisations/somebody")
    modes = {GenerationMode.POSITIVE: FITTING} | (
        {GenerationMode.NEGATIVE: UNFITTING} if takes_anything(described) else {}
    )
    for mode, examples in modes.items():
        quiet = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )

        @quiet
        @seed(20261121)
        @given(case=operation.as_strategy(generation_mode=mode))
        def try_it(case: Any) -> None:
            answer = case.call(base_url=whole.edge.url, headers=headers, session=session)
            case.validate_response(answer, checks=held(lines=is_lines(described, answer)))
            assert answer.status_code not in (500, 502), answer.text

        try_it()


def test_control_a_document_that_promises_something_else_is_caught(whole: World) -> None:
    promised = copy.deepcopy(DOCUMENT)
    courses = promised["components"]["schemas"]["catalogue.v1.ListCoursesResponse"]
    courses["properties"]["nextPageToken"] = {"type": "integer"}
    schema = schema_of(promised)
    case = schema["/v1/courses"]["GET"].Case()
    from schemathesis.core.failures import FailureGroup

    with pytest.raises(FailureGroup, match="violates schema"):
        case.call_and_validate(base_url=whole.edge.url, checks=held())
