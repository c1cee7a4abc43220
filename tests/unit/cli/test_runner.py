"""The walk counts what failed, goes on after it, and says so to people and programs."""

import json
from typing import Any

import pytest

from services.cli.demo.journey import Facts, Journey, Step, StepFailed, refused
from services.cli.demo.papers import certificate
from services.cli.demo.runner import JsonTeller, Teller, walk
from services.cli.demo.walk import STEPS
from services.cli.exits import ExitCode, Failure

NOWHERE: Any = None


def journey() -> Journey:
    return Journey(NOWHERE, NOWHERE, NOWHERE, "test", lambda text: None)


def good(_: Journey) -> str:
    return "fine"


def bad(_: Journey) -> str:
    raise StepFailed("it is not so")


def broken(_: Journey) -> str:
    raise KeyError("name")


def refused_step(_: Journey) -> str:
    raise Failure(ExitCode.REFUSED, "no", reason="WRONG_STATE")


def needy(walked: Journey) -> str:
    return str(walked.facts.voucher)


STEPS_HERE = [
    Step(run.__name__, run.__name__, ("V1",), run) for run in (good, bad, broken, refused_step, needy)
]


def test_every_step_is_walked_and_failures_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = walk(journey(), STEPS_HERE, Teller("journey", len(STEPS_HERE)))
    assert [outcome.ok for outcome in outcomes] == [True, False, False, False, False]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "journey: 1 of 5 steps ok"
    assert any("WRONG_STATE no" in line for line in lines)
    assert any("KeyError" in line for line in lines)
    assert any("needs `voucher` of an earlier step" in line for line in lines)


def test_programs_get_a_line_per_step_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    walk(journey(), STEPS_HERE, JsonTeller("journey", len(STEPS_HERE)))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in lines] == ["good", "bad", "broken", "refused_step", "needy"]
    assert all({"step", "rows", "ok", "seconds"} <= set(line) for line in lines)
    assert [line["ok"] for line in lines] == [True, False, False, False, False]


def test_a_refusal_that_does_not_come_fails_the_step() -> None:
    with pytest.raises(StepFailed, match="was answered"), refused("VOUCHER_SPENT"):
        pass


def test_another_refusal_than_the_expected_fails_the_step() -> None:
    with pytest.raises(StepFailed, match="got WRONG_STATE"), refused("VOUCHER_SPENT"):
        raise Failure(ExitCode.REFUSED, "no", reason="WRONG_STATE")


def test_the_expected_refusal_can_be_read() -> None:
    with refused("VOUCHER_SPENT") as seen:
        raise Failure(ExitCode.REFUSED, "nothing left", reason="VOUCHER_SPENT")
    assert seen.failure.text == "nothing left"


def test_waiting_ends() -> None:
    walked = journey()
    answers = iter((None, None, 7))
    assert walked.wait_for("seven", lambda: next(answers)) == 7
    walked.patience = 0.1
    with pytest.raises(StepFailed, match="not within"):
        walked.wait_for("the end of time", lambda: None)


def test_facts_are_kept_by_name() -> None:
    facts = Facts()
    facts.voucher = "vouchers/1"
    assert facts.voucher == "vouchers/1"


def test_the_journey_has_24_steps_of_which_five_are_refusals() -> None:
    assert len(STEPS) == 24
    assert len({step.name for step in STEPS}) == 24
    assert sum(step.name.startswith("refused-") for step in STEPS) == 5
    assert all(step.rows for step in STEPS)


def test_the_certificate_is_a_pdf_whose_places_are_right() -> None:
    paper = certificate("abc")
    table = int(paper.rsplit(b"startxref\n", 1)[1].split()[0])
    assert paper[table:].startswith(b"xref")
    first = int(paper[table:].splitlines()[3].split()[0])
    assert paper[first:].startswith(b"1 0 obj")
