"""Streams facts from JSON lines to the vouchers service, and says how far it came when that breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from waymark.vouchers.v1 import learner_fact_pb2 as pb
from waymark.vouchers.v1 import learner_fact_pb2_grpc

from services.cli.client import Caller
from services.cli.exits import ExitCode, Failure, FieldViolation
from services.cli.progress import counts

LONGEST = 600.0  # seconds; no stream lasts longer


def push_lines(caller: Caller, lines: Iterable[bytes], skip: int) -> dict[str, Any]:
    """Streams the lines after the first `skip`, with a bar; returns the last answer as JSON with
    all findings, by line. Raises Failure, which names the lines that are dealt with and what was wrong with
    them, because who goes on skips them."""
    sent = _Messages(lines, skip)
    service = caller.stub(learner_fact_pb2_grpc.LearnerFactServiceStub)
    last, findings = pb.StreamLearnerFactsResponse(), list[pb.LearnerFactFinding]()
    try:
        with counts() as bar:
            task = bar.add_task("stored", total=None)
            for last in service.StreamLearnerFacts(iter(sent), timeout=LONGEST):
                for found in last.findings:
                    found.position += skip
                    findings.append(found)
                bar.update(task, completed=last.message_count)
        if sent.problem:
            raise Failure(ExitCode.USAGE, sent.problem, remedy="Mend the line.")
    except Failure as failure:
        done = skip + last.message_count
        said = f"Lines up to {done} are dealt with; go on with --skip {done}."
        failure.remedy = f"{failure.remedy} {said}".strip()
        failure.violations += tuple(map(_violation, findings))
        raise
    told = MessageToDict(last, always_print_fields_with_no_presence=True)
    return told | {"findings": list(map(MessageToDict, findings))}


def _violation(found: pb.LearnerFactFinding) -> FieldViolation:
    place = f"line {found.position}"
    return FieldViolation(f"{place}, {found.field}" if found.field else place, found.explanation)


class _Messages:
    """The messages that lines hold, up to the first line that is none; `problem` then says so."""

    def __init__(self, lines: Iterable[bytes], skip: int) -> None:
        self._lines, self._skip = lines, skip
        self.problem = ""

    def __iter__(self) -> Iterator[pb.StreamLearnerFactsRequest]:
        for number, line in enumerate(self._lines, 1):
            if number <= self._skip:
                continue
            try:
                yield Parse(line, pb.StreamLearnerFactsRequest())
            except (ParseError, UnicodeDecodeError) as error:
                self.problem = f"Line {number} is no message of facts in JSON: {error}"
                return
