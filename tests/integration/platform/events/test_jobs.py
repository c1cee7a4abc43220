"""Jobs: once per period over all replicas, one at a time, and a failing one harms no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text, update

from services.platform.app import GATHERED
from services.platform.db.schema import job_runs
from services.platform.db.transaction import transaction
from services.platform.events import jobs, processes
from services.platform.events.jobs import run_if_due, run_jobs
from services.platform.events.relay import Relay
from services.platform.service import Job
from tests.support.events import Rig, running
from tests.support.waiting import eventually


def job(run, *, every: float = 60.0) -> Job:
    return Job("probe", timedelta(seconds=every), run)


def test_a_job_runs_once_per_period_whoever_asks(rig):
    runs: list[int] = []
    one = job(lambda _: runs.append(1))
    assert [run_if_due(rig.app, one) for _ in range(3)] == [True, False, False]
    with transaction(rig.app) as tx:
        tx.execute(update(job_runs).values(started_at=job_runs.c.started_at - one.every))
    assert run_if_due(rig.app, one)
    assert len(runs) == 2


@pytest.mark.parametrize("everywhere", [True, False], ids=["everywhere", "control"])
def test_a_job_of_every_process_waits_for_no_other(rig, everywhere):
    met: list[bool] = []

    def run(_):
        if not met:  # while it is at it, another process asks
            met.append(False)
            met.append(run_if_due(rig.app, one))

    one = replace(job(run, every=0), everywhere=everywhere)
    assert run_if_due(rig.app, one)
    assert met == [False, everywhere]


@pytest.mark.parametrize("guarded", [True, False], ids=["lock", "control"])
def test_two_replicas_never_run_a_job_at_the_same_time_and_without_the_lock_they_do(
    rig, monkeypatch, guarded
):
    if not guarded:
        unlocked = str(jobs._BEGIN).replace(
            "pg_try_advisory_lock(:key)", "pg_try_advisory_lock(:key) OR true"
        )
        monkeypatch.setattr(jobs, "_BEGIN", text(unlocked))
    begun, asked = threading.Semaphore(0), threading.Event()

    def run(_):
        begun.release()
        asked.wait(60)

    slow = job(run, every=0)  # always due
    first = threading.Thread(target=run_if_due, args=(rig.app, slow))
    first.start()
    begun.acquire(timeout=60)
    second = threading.Thread(target=run_if_due, args=(rig.app, slow))
    second.start()
    if guarded:
        second.join(60)  # refused while the first is at it
    assert begun.acquire(timeout=0 if guarded else 60) is not guarded
    asked.set()
    first.join()
    second.join()


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


@pytest.mark.parametrize("long", [True, False], ids=["long", "control"])
def test_a_long_job_holds_no_other_up_and_one_that_does_not_say_so_does(rig, long):
    """Both are always due; the other one must come again and again while the first is at it."""
    begun, done, stop = threading.Event(), threading.Event(), threading.Event()
    turns = threading.Semaphore(0)

    def run(_):
        begun.set()
        done.wait(60)

    def take_turn(_):
        if begun.is_set():
            turns.release()

    wanted = [
        Job("takes-long", timedelta(0), run, long=long),
        Job("goes-on", timedelta(0), take_turn),
    ]
    thread = threading.Thread(target=run_jobs, args=(rig.app, wanted, stop))
    thread.start()
    assert begun.wait(60)
    went_on = [turns.acquire(timeout=60 if long else 3) for _ in range(2)]
    stop.set()
    done.set()
    thread.join()
    assert went_on == [long, long]


@pytest.mark.parametrize("floor", [True, False], ids=["floor", "control"])
def test_jobs_in_the_middle_of_their_work_leave_the_events_a_connection(rig, monkeypatch, floor):
    """One that is under way holds two connections: one with its lock, one with what it does."""
    begun, done = threading.Semaphore(0), threading.Event()

    def work(app):
        with transaction(app) as tx:
            tx.execute(text("SELECT 1"))
            begun.release()
            done.wait(60)

    wanted = [Job(f"works-{long}", timedelta(hours=1), work, long=long) for long in (True, False)]
    if not floor:  # as many as the jobs hold; every app has GATHERED more than it is told
        monkeypatch.setattr(processes, "connections", lambda _: 2 * len(wanted) - GATHERED)
    with running(consuming(rig, wanted, monkeypatch), Relay(rig.settings, rig.engine).run):
        assert all(begun.acquire(timeout=60) for _ in wanted)
        rig.publish(("k", 1))
        reached = came(rig, 60 if floor else 5)
        done.set()
        eventually(rig.effects)
    assert reached is floor


def consuming(
    rig: Rig, wanted: list[Job], monkeypatch: pytest.MonkeyPatch
) -> Callable[[threading.Event], None]:
    """The whole process of a consumer with these jobs, told to have one connection, in a thread."""
    definition = replace(rig.definition, jobs=wanted)
    monkeypatch.setattr("services.platform.service.load_service", lambda _: definition)
    monkeypatch.setattr(
        processes, "settle_collector", lambda: None
    )  # would be for the tests' process as well

    def run(stop: threading.Event) -> None:
        monkeypatch.setattr(processes, "_prepare", lambda _: stop)
        processes.run_consumer(replace(rig.settings, threads=1))

    return run


def came(rig: Rig, seconds: float) -> bool:
    """Whether an event has its effect within this time."""
    try:
        return bool(eventually(rig.effects, seconds))
    except AssertionError:
        return False
