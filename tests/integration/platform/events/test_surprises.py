"""An error that nobody foresaw kills neither relay nor consumer and loses no event; it is logged as error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import PendingRollbackError, ResourceClosedError
from structlog.testing import capture_logs

from services.platform.events import consumer as consumers
from services.platform.events.consumer import Consumer
from services.platform.events.relay import Relay
from tests.support.events import Rig, running
from tests.support.waiting import eventually

SURPRISES = [PendingRollbackError("late"), ResourceClosedError("gone"), RuntimeError("unforeseen")]


def failing_first(whole: Callable[..., Any], errors: list[Exception]) -> Callable[..., Any]:
    """Raises each of `errors` at a call of its own, then does what `whole` does."""
    left = list(errors)

    def call(*arguments: Any, **options: Any) -> Any:
        if left:
            raise left.pop()
        return whole(*arguments, **options)

    return call


@pytest.mark.fault
def test_a_relay_survives_what_nobody_foresaw(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relay, "_take", failing_first(Relay._take, SURPRISES))
    rig.publish(("k", 1))
    with capture_logs() as lines, running(Relay(rig.settings, rig.engine).run):
        eventually(lambda: rig.waiting() == 0)
    said = [line["log_level"] for line in lines if line["event"] == "relay_waits"]
    assert said == ["error"] * len(SURPRISES)


def said(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line["event"] == "consumer_reconnects"]


@pytest.mark.fault
def test_a_consumer_survives_what_nobody_foresaw(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_commit", failing_first(consumers._commit, SURPRISES))
    rig.publish(("k", 1))
    with (
        capture_logs() as lines,
        running(Relay(rig.settings, rig.engine).run, Consumer(rig.definition, rig.app).run),
    ):
        eventually(lambda: len(said(lines)) == len(SURPRISES))
        rig.publish(("k", 2))
        eventually(lambda: rig.effects() == [("k", 1), ("k", 2)])
    assert {line["log_level"] for line in said(lines)} == {"error"}


@pytest.mark.fault
def test_control_an_error_outside_the_loop_ends_the_relay(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the loop does not wait out reaches the caller, and with it the supervisor."""

    class Ended(BaseException):
        pass

    def end(_: Relay) -> None:
        raise Ended

    monkeypatch.setattr(Relay, "_take", end)
    with pytest.raises(Ended):
        Relay(rig.settings, rig.engine).run(threading.Event())
