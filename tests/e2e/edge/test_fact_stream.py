"""A stream of facts through the edge: by gRPC, and by REST as an array of messages answered line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import grpc
from waymark.vouchers.v1 import learner_fact_pb2 as pb
from waymark.vouchers.v1 import learner_fact_pb2_grpc

from tests.support.world import World

SOME = 4_000  # messages, of about as many bytes as a body may have
MANY = 20_000
PATH = "/v1/learnerFacts:stream"


def told(number: int) -> dict[str, object]:
    """A message in JSON."""
    facts = [
        {"key": "education_level", "number": str(number % 9), "source": "FACT_SOURCE_PES_REGISTER"},
        {"key": "residence_nuts", "text": "BE211", "source": "FACT_SOURCE_PES_REGISTER"},
    ]
    return {"parent": f"learners/streamed-{number}", "facts": facts}


def test_an_array_is_answered_line_by_line_and_no_longer_one_than_a_body_may_be(whole: World) -> None:
    headers = whole.edge.bearer("system")
    with whole.edge.client() as client:
        answer = client.post(PATH, json=[told(number) for number in range(SOME)], headers=headers)
        longer = client.post(PATH, json=[told(number) for number in range(2 * SOME)], headers=headers)
    assert answer.status_code == 200, answer.text
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [int(line["messageCount"]) for line in lines] == list(range(500, SOME + 1, 500))
    assert (lines[-1]["storedCount"], lines[-1]["factCount"]) == (str(SOME), str(2 * SOME))
    assert not any(line["findings"] for line in lines)
    assert longer.status_code == 413
    assert longer.json()["details"][0]["reason"] == "REQUEST_TOO_LARGE"


def test_findings_over_rest_and_no_stranger(whole: World) -> None:
    wrong = told(1) | {"parent": "nobody"}
    headers = whole.edge.bearer("system")
    with whole.edge.client() as client:
        answer = client.post(PATH, json=[told(1), wrong, told(2)], headers=headers)
        (line,) = (json.loads(line) for line in answer.text.splitlines())
        assert (line["storedCount"], line["invalidCount"]) == ("2", "1")
        assert (line["findings"][0]["position"], line["findings"][0]["field"]) == ("2", "parent")
        refused = client.post(PATH, json=[told(1)], headers=whole.edge.bearer("learner"))
        assert refused.status_code == 403, refused.text
        assert refused.json()["details"][0]["reason"] == "PERMISSION_DENIED"


def test_over_grpc_answers_come_while_messages_go(whole: World) -> None:
    with grpc.insecure_channel(whole.edge.address) as channel:
        stub = learner_fact_pb2_grpc.LearnerFactServiceStub(channel)
        sent = 0

        def messages() -> Iterator[pb.StreamLearnerFactsRequest]:
            nonlocal sent
            fact = pb.LearnerFact(key="education_level", number=1, source=pb.FACT_SOURCE_PES_REGISTER)
            for sent in range(1, MANY + 1):
                yield pb.StreamLearnerFactsRequest(parent=f"learners/{sent}", facts=[fact])

        metadata = list(whole.edge.bearer("system").items())
        answers = stub.StreamLearnerFacts(messages(), metadata=metadata, timeout=120)
        first = next(answers)
        assert first.message_count == 500
        assert sent < MANY
        assert list(answers)[-1].stored_count == MANY
