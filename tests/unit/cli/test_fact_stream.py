"""`waymark facts push`: what is told when a stream of lines breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from waymark.vouchers.v1 import learner_fact_pb2 as pb

from services.cli.client import Caller
from services.cli.exits import ExitCode, Failure
from services.cli.fact_stream import push_lines

GOOD, WRONG = b'{"parent": "learners/a"}\n', b'{"parent": "x"}\n'


class Edge:
    """Takes messages one by one; a name other than `learners/a` is a finding. Breaks behind `last`."""

    def __init__(self, last: int = 1000) -> None:
        self.last = last

    def stub(self, _: Any) -> Any:
        return SimpleNamespace(StreamLearnerFacts=self.stream)

    def stream(self, sent: Iterable[Any], **_: Any) -> Iterator[Any]:
        answer = pb.StreamLearnerFactsResponse()
        for number, message in enumerate(sent, 1):
            if number > self.last:
                raise Failure(ExitCode.UNREACHABLE, "gone", remedy="Look.")
            wrong = message.parent != "learners/a"
            found = [pb.LearnerFactFinding(position=number, field="parent", explanation="wrong")] * wrong
            answer = pb.StreamLearnerFactsResponse(message_count=number, findings=found)
            yield answer


def push(lines: list[bytes], skip: int = 0, last: int = 1000) -> dict[str, Any]:
    return push_lines(cast("Caller", Edge(last)), lines, skip)


def test_findings_are_told_by_line() -> None:
    pushed = push([GOOD, GOOD, WRONG], skip=1)
    assert (pushed["messageCount"], [each["position"] for each in pushed["findings"]]) == ("2", ["3"])


@pytest.mark.parametrize("line", [b"no json\n", b'{"parent": "\xff"}\n'], ids=["no JSON", "no UTF-8"])
def test_a_line_that_is_no_message_ends_the_stream_behind_the_one_before(line: bytes) -> None:
    with pytest.raises(Failure, match="Line 3 is no message of facts in JSON") as raised:
        push([GOOD, GOOD, line, GOOD])
    assert raised.value.code is ExitCode.USAGE
    assert raised.value.remedy == "Mend the line. Lines up to 2 are dealt with; go on with --skip 2."


@pytest.mark.parametrize(("lines", "last"), [([WRONG, GOOD, b"no json"], 9), ([WRONG, GOOD, GOOD], 2)])
def test_what_was_wrong_before_a_break_is_told_because_a_later_call_skips_it(
    lines: list[bytes], last: int
) -> None:
    with pytest.raises(Failure) as raised:
        push(lines, last=last)
    assert raised.value.remedy.endswith("go on with --skip 2.")
    assert [each._asdict() for each in raised.value.violations] == [
        {"field": "line 1, parent", "description": "wrong"}
    ]
