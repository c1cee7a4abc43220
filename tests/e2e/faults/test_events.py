"""Relay and consumers are killed under load: events may come twice, their effects come once."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support import audit
from tests.support.gates import Gates, Point, gates
from tests.support.stand import Learner, Stand
from tests.support.traffic import load
from tests.support.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture
def built(stand: Stand) -> Iterator[Gates]:
    with gates(stand.database("vouchers")) as made:
        yield made


def test_relay_and_consumers_killed_under_load_have_one_effect_each(
    stand: Stand, spenders: list[Learner], built: Gates
) -> None:
    walkers = [stand.learner(pathway=True) for _ in range(9)]
    relay = stand.part("vouchers-relay")
    with load(*(partial(stand.spend, each) for each in spenders), pause=0.1):
        with built.closed(Point.PUBLISHED) as gate:
            for walker in walkers[:3]:
                stand.spend(walker)
            eventually(gate.waiting)
            stand.signal("vouchers-relay", signal.SIGKILL)  # the broker has them, the outbox too
        stand.until_restarted(relay)
        for walker in walkers[3:6]:
            stand.spend(walker)
            consumer = stand.part("portfolio-consumer")
            stand.signal("portfolio-consumer", signal.SIGKILL)
            stand.until_restarted(consumer)
        for part in ("portfolio-relay", "vouchers-consumer", "vouchers-relay"):
            stand.signal(part, signal.SIGKILL)
        for walker in walkers[6:]:
            stand.spend(walker)
            time.sleep(0.5)
    stand.stack.until(lambda state: state.ready)
    stand.until_confirmed(walkers)
    stand.until_drained()
    eventually(lambda: not stand.one("portfolio", "SELECT count(*) FROM outbox"))

    records = audit.read_topics(stand.bootstrap, [audit.REDEMPTIONS])
    told = Counter(event.id for event in audit.events_in(records))
    assert max(told.values()) > 1  # control: without the inbox these would act twice
    assert audit.event_faults(audit.events_in(records), stand.callers.journal) == []
    pathways = [walker.pathway for walker in walkers]
    assert audit.step_faults(audit.read_topics(stand.bootstrap, [audit.PATHWAYS]), pathways) == []
    once = "SELECT count(*) FROM step_redemptions WHERE holder_id = ANY (%s)"
    assert stand.one("portfolio", once, [walker.person.subject for walker in walkers]) == len(walkers)
    assert stand.books() == []
