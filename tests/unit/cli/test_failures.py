"""How a refusal of a service reaches the person at the terminal."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import httpx
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from services.cli import client
from services.cli.client import failure_of_rest, failure_of_status, patiently, remedy_of
from services.cli.exits import ExitCode, Failure, FieldViolation
from services.cli.main import report


def status(code: int, *details: object) -> status_pb2.Status:
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code, message="it does not go", details=packed)


def test_reason_remedy_and_violations_come_from_the_status() -> None:
    info = error_details_pb2.ErrorInfo(reason="INVALID_ARGUMENT", domain="waymark")
    bad = error_details_pb2.BadRequest(
        field_violations=[error_details_pb2.BadRequest.FieldViolation(field="amount", description="too low")]
    )
    failure = failure_of_status(status(3, info, bad))
    assert failure.code is ExitCode.REFUSED
    assert failure.reason == "INVALID_ARGUMENT"
    assert failure.remedy == remedy_of("INVALID_ARGUMENT") != ""
    assert failure.violations == (FieldViolation("amount", "too low"),)


def test_not_found_has_an_exit_code_of_its_own() -> None:
    info = error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="waymark")
    assert failure_of_status(status(5, info)).code is ExitCode.NOT_FOUND


def test_a_rest_answer_says_the_same_as_grpc() -> None:
    body = {
        "code": 9,
        "message": "it does not go",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "WRONG_STATE",
                "domain": "waymark",
            }
        ],
    }
    failure = failure_of_rest(httpx.Response(400, json=body))
    assert (failure.reason, failure.text) == ("WRONG_STATE", "it does not go")
    assert failure.remedy


@pytest.mark.parametrize(("code", "exit_code"), [(503, ExitCode.UNREACHABLE), (413, ExitCode.REFUSED)])
def test_an_answer_of_the_edge_itself_is_shown_as_it_is(code: int, exit_code: ExitCode) -> None:
    failure = failure_of_rest(httpx.Response(code, text="upstream connect error"))
    assert failure.code is exit_code
    assert "upstream connect error" in failure.text


def test_an_unknown_reason_has_no_remedy() -> None:
    assert remedy_of("NO_SUCH_REASON") == ""


def test_people_read_what_where_and_how_to_mend_it(capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure(
        ExitCode.REFUSED,
        "it [b]does[/b] not go",
        reason="WRONG_STATE",
        remedy="wait",
        violations=[FieldViolation("state", "DRAFT")],
    )
    report(failure, as_json=False)
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == [
        "refused (WRONG_STATE): it [b]does[/b] not go",
        "  state: DRAFT",
        "remedy: wait",
    ]


def test_programs_read_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    report(Failure(ExitCode.NOT_FOUND, "gone", reason="NOT_FOUND"), as_json=True)
    error = json.loads(capsys.readouterr().err)["error"]
    assert (error["exit_code"], error["reason"], error["text"]) == (5, "NOT_FOUND", "gone")


def refusing(reason: str, times: int, seconds: float = 0.001) -> Callable[[], int]:
    """Returns a call that is refused so often, with a hint, and then says how often it was made."""
    made = count(1)

    def call() -> int:
        if (number := next(made)) <= times:
            hint = error_details_pb2.RetryInfo()
            hint.retry_delay.FromTimedelta(timedelta(seconds=seconds))
            raise failure_of_status(status(8, error_details_pb2.ErrorInfo(reason=reason), hint))
        return number

    return call


def test_who_is_told_to_come_back_comes_back() -> None:
    assert patiently(refusing("OVERLOADED", 3)) == 4


@pytest.mark.parametrize(("reason", "seconds"), [("TOO_MANY_ATTEMPTS", 0.001), ("OVERLOADED", 0)])
def test_nobody_repeats_what_would_be_refused_again(reason: str, seconds: float) -> None:
    call = refusing(reason, 1, seconds)
    with pytest.raises(Failure):
        patiently(call)
    assert call() == 2  # asked once before


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DEADLINE", 0.01)
    with pytest.raises(Failure):
        patiently(refusing("OVERLOADED", 1000))
