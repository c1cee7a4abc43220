"""Jobs: once per period over all replicas, one at a time, and a failing one harms no other."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.platform.events import jobs
from services.platform.events.jobs import run_if_due, run_jobs
from services.platform.service import Job
from tests.support.events import eventually


def job(run, *, every: float = 60.0) -> Job:
    return Job("probe", timedelta(seconds=every), run)


def test_a_job_runs_once_per_period_whoever_asks(rig):
    runs: list[int] = []
    one = job(lambda _: runs.append(1), every=0.5)
    assert [run_if_due(rig.app, one) for _ in range(3)] == [True, False, False]
    time.sleep(0.6)
    assert run_if_due(rig.app, one)
    assert len(runs) == 2


@pytest.mark.parametrize("guarded", [True, False], ids=["lock", "control"])
def test_two_replicas_never_run_a_job_at_the_same_time_and_without_the_lock_they_do(
    rig, monkeypatch, guarded
):
    from contextlib import contextmanager

    @contextmanager
    def unguarded(*_):
        yield True

    if not guarded:
        monkeypatch.setattr(jobs, "_alone", unguarded)
    inside, most, mutex = 0, 0, threading.Lock()

    def run(_):
        nonlocal inside, most
        with mutex:
            inside += 1
            most = max(most, inside)
        time.sleep(0.5)
        with mutex:
            inside -= 1

    slow = job(run, every=0.1)
    threads = [threading.Thread(target=lambda: run_if_due(rig.app, slow)) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    assert most == (1 if guarded else 2)


def test_a_failing_job_is_counted_and_the_others_run(rig):
    def fail(_):
        raise RuntimeError

    ran, stop = threading.Event(), threading.Event()
    wanted = [
        Job("fails", timedelta(seconds=60), fail),
        Job("runs", timedelta(seconds=60), lambda _: ran.set()),
    ]
    thread = threading.Thread(target=run_jobs, args=(rig.app, wanted, stop))
    thread.start()
    eventually(ran.is_set)
    stop.set()
    thread.join()
    assert REGISTRY.get_sample_value("waymark_job_runs_total", {"job": "fails", "outcome": "failed"}) == 1
