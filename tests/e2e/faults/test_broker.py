"""The broker is away for a while under load: redeeming goes on, and everything is told afterwards, in order.

`WAYMARK_FAULT_SECONDS` is how long it is away, 15 unless set; a minute where a change is judged (`.ci/run`).
"""

from __future__ import annotations

import os
import time
from functools import partial

import grpc
import pytest

from tests.support import audit
from tests.support.audit import Event
from tests.support.stand import Learner, Stand
from tests.support.traffic import Journal, load

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
SECONDS = float(os.environ.get("WAYMARK_FAULT_SECONDS", "15"))
PAUSE = 0.2 * SECONDS / 15  # of each spender between calls: a longer absence is longer, and no more work
WALKERS = 10


def test_redeeming_goes_on_without_the_broker_and_every_step_is_confirmed_in_the_end(
    stand: Stand, spenders: list[Learner]
) -> None:
    journal, waiting = stand.callers.journal, list[int]()
    walkers = [stand.learner(pathway=True) for _ in range(WALKERS)]
    stand.until_drained()
    with load(*(partial(stand.spend, each) for each in spenders), pause=PAUSE):
        stand.broker.kill()
        away = time.monotonic()
        for number, walker in enumerate(walkers):
            stand.spend(walker)
            waiting.append(stand.outbox())
            time.sleep(max(0.0, away + SECONDS * (number + 1) / WALKERS - time.monotonic()))
        assert {state for each in walkers for state in stand.step_states(each)} == {"STATE_PLANNED"}
        back = time.monotonic()
        stand.broker.start()
    during = [attempt for attempt in journal.attempts if away < attempt.began < back]
    print(f"{len(during)} calls in {back - away:.0f} s without a broker, {waiting[-1]} events waiting")
    # On a machine that is busy with more than this a call may be put off: nothing to do with brokers.
    answered = [attempt for attempt in during if attempt.code is not grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert len(answered) > SECONDS
    assert {attempt.code for attempt in answered} == {grpc.StatusCode.OK}
    assert waiting == sorted(waiting)
    assert waiting[-1] >= 5 * WALKERS
    stand.until_drained()
    stand.until_confirmed(walkers)
    print(f"all told and confirmed {time.monotonic() - back:.0f} s after the broker was started again")
    assert stand.books() == []
    assert audit.event_faults(audit.events_in(audit.read_topics(stand.bootstrap)), journal) == []


def altered(events: list[Event], key: str, how: str) -> list[Event]:
    """What the topic would hold after a fault with the events of one key."""
    first, second, *others = [event for event in events if event.key == key]
    mine = {
        "lost": [first, *others],
        "swapped": [second, first, *others],
        "doubled": [first, Event(key, "another-id", first.type), second, *others],
        "repeated": [first, second, first, *others],
    }[how]
    return [event for event in events if event.key != key] + mine


@pytest.mark.parametrize(("how", "found"), [("lost", 1), ("swapped", 1), ("doubled", 1), ("repeated", 0)])
def test_control_events_lost_swapped_or_doubled_are_found(stand: Stand, how: str, found: int) -> None:
    """The same event once more is none: consumers know its id."""
    name = stand.spend(stand.learner())
    stand.until_drained()
    events = audit.events_in(audit.read_topics(stand.bootstrap))
    journal = Journal([each for each in stand.callers.journal.of(*audit.EVENTS) if each.answer.name == name])
    assert audit.event_faults(events, journal) == []
    assert len(audit.event_faults(altered(events, name, how), journal)) == found
