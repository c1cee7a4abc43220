"""`waymark ledger verify`: what it compares with, and what it says when there is no end in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from waymark.vouchers.v1 import ledger_pb2 as pb

from services.cli.client import Caller, late
from services.cli.exits import ExitCode, Failure
from services.cli.ledger_check import MOST, broken, kept_rounds, verified


class Edge:
    """Answers twice, and then has the whole or is too late."""

    def __init__(self, *, in_time: bool) -> None:
        self.in_time = in_time

    def stub(self, _: Any) -> Any:
        return SimpleNamespace(VerifyWholeLedger=self.stream)

    def stream(self, _: Any, *, timeout: float) -> Iterator[pb.VerifyWholeLedgerResponse]:
        assert timeout == 600
        answer = pb.VerifyWholeLedgerResponse(entry_count=5, expected_entry_count=9)
        yield answer
        if not self.in_time:
            raise late()
        answer.result.intact = True
        yield answer


def test_without_an_end_in_time_it_says_how_far_it_came_and_not_that_nobody_answers() -> None:
    with pytest.raises(Failure, match="5 of 9 entries were read") as raised:
        verified(cast("Caller", Edge(in_time=False)), [])
    assert raised.value.code is ExitCode.REFUSED
    assert verified(cast("Caller", Edge(in_time=True)), []) == {"intact": True}  # the control


def test_a_wrong_count_is_mended_and_a_wrong_entry_stops_payouts() -> None:
    counted, entered = {"kind": "TURNOVER"}, {"kind": "HASH"}
    assert "counted anew" in broken([counted, counted]).remedy
    assert broken([counted, entered]).remedy == broken([entered]).remedy != broken([counted]).remedy


@pytest.mark.parametrize(
    ("error", "code"),
    [(httpx.ReadTimeout("slow"), ExitCode.REFUSED), (httpx.ConnectTimeout("gone"), ExitCode.UNREACHABLE)],
)
def test_an_answer_that_does_not_come_in_time_is_no_stack_that_is_gone(
    error: Exception, code: ExitCode, tmp_path: Path
) -> None:
    client = SimpleNamespace(home=tmp_path, state=SimpleNamespace(edge="http://127.0.0.1:1"))
    with pytest.raises(Failure) as raised, Caller(cast("Any", client), "").reached():
        raise error
    assert raised.value.code is code


def test_a_file_of_rounds_is_read_the_newest_of_them(tmp_path: Path) -> None:
    file = tmp_path / "rounds.json"
    rounds = [{"number": str(number), "digest": f"{number:064x}"} for number in range(MOST + 5, 0, -1)]
    file.write_text(json.dumps(rounds))
    kept = kept_rounds(file)
    assert (len(kept), kept[0].number, kept[-1].number) == (MOST, 6, MOST + 5)
    assert kept[-1].digest == rounds[0]["digest"]
    for other in ("[]", "{}", "round  chains", '[{"number": 1}]', '["1"]'):
        file.write_text(other)
        with pytest.raises(Failure, match="holds no rounds"):
            kept_rounds(file)
