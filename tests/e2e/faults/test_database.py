"""PostgreSQL restarts under load: UNAVAILABLE at once, no other restart, nothing lost."""

from __future__ import annotations

import signal
import time
from functools import partial

import grpc
import psutil
import pytest

from tests.support import audit
from tests.support.stand import Learner, Stand
from tests.support.traffic import DEADLINE, load

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
# A second, and room for a machine whose cores are all at work; one that waits does so until its deadline.
AT_ONCE = DEADLINE / 4


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_database_restarted_under_load_is_unavailable_at_once_and_loses_nothing(
    stand: Stand, spenders: list[Learner], how: signal.Signals
) -> None:
    journal, before = stand.callers.journal, stand.part("postgres")
    services = {name: part for name, part in stand.stack.state.parts.items() if "-" in name}
    walkers = [stand.learner(pathway=True) for _ in range(4)]
    began = time.monotonic()
    with load(*(partial(stand.spend, each) for each in spenders)):
        time.sleep(0.5)
        psutil.Process(before.pid).send_signal(how)
        for walker in walkers:
            stand.spend(walker)
        stand.until_restarted(before)
        time.sleep(1)
    tried = [attempt for attempt in journal.attempts if attempt.began >= began]
    failed = [attempt for attempt in tried if attempt.code is not grpc.StatusCode.OK]
    # On a machine that is busy with more than this a call may also be put off.
    put_off = {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {attempt.code for attempt in failed} - put_off == {grpc.StatusCode.UNAVAILABLE}
    assert max(attempt.seconds for attempt in failed) < AT_ONCE
    assert max(attempt.began for attempt in tried) > max(attempt.began for attempt in failed)
    for name, part in services.items():
        assert (stand.part(name).pid, stand.part(name).restarts) == (part.pid, part.restarts), name
    stand.until_confirmed(walkers)
    stand.until_drained()
    assert stand.books() == []
    assert audit.event_faults(audit.events_in(audit.read_topics(stand.bootstrap)), journal) == []
