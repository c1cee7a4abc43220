"""Waiting for work in the background, which goes on also while nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.cli import operation
from services.cli.exits import ExitCode, Failure

NAME = "voucherOperations/1"
AWAY = Failure(ExitCode.REFUSED, "away", reason="UNAVAILABLE")


class Work:
    """A call whose answers about work are given beforehand, failures among them."""

    def __init__(self, *answers: Any) -> None:
        self._answers: Iterator[Any] = iter(answers)

    def get(self, name: str) -> Any:
        """The next answer."""
        answer = next(self._answers)
        if isinstance(answer, Failure):
            raise answer
        return {"name": name, **answer}


def wait(*answers: Any) -> dict[str, Any]:
    """Waits for work that was running at first."""
    return operation.until_done(Work(*answers), {"name": NAME, "state": "STATE_RUNNING"})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that passes by sleeping alone."""
    now = [0.0]
    passing = SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)
    )
    monkeypatch.setattr(operation, "time", passing)


def test_a_stack_that_is_away_for_a_while_is_waited_for() -> None:
    gone = Failure(ExitCode.UNREACHABLE, "gone")
    assert wait(AWAY, gone, {"state": "STATE_RUNNING"}, AWAY, {"state": "STATE_SUCCEEDED"})["name"] == NAME


@pytest.mark.parametrize("answers", [[AWAY] * 99, [Failure(ExitCode.NOT_FOUND, "no", reason="NOT_FOUND")]])
def test_whoever_gives_up_waiting_learns_how_to_come_back(answers: list[Failure]) -> None:
    with pytest.raises(Failure) as raised:
        wait(*answers)
    assert f"waymark operation wait {NAME}" in raised.value.remedy


@pytest.mark.parametrize(
    ("reason", "remedy"), [("ALLOCATION_FILE_INVALID", "Mend the file"), ("INTERNAL", "operation resume")]
)
def test_work_that_failed_says_what_helps(reason: str, remedy: str) -> None:
    with pytest.raises(Failure) as raised:
        wait({"state": "STATE_FAILED", "reason": reason})
    assert remedy in raised.value.remedy
