"""Fair opening: collected in a window, drawn by a seed committed before, dealt with once."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.vouchers.v1 import application_pb2, programme_pb2, waiting_list_pb2
from waymark.vouchers.v1 import opening_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.domain import draw
from services.vouchers.drawing import reveal
from services.vouchers.jobs import draw_openings
from services.vouchers.store import openings as store
from services.vouchers.store.wallet_tables import openings as table
from tests.integration.vouchers.refusals import refused, tried, violations_of
from tests.support.vouchers import NO_EVIDENCE, World

Application = application_pb2.Application
Opening = pb.Opening
Outcome = pb.DrawnApplication


def announced(world: World, fund: int = 1_000_000, **changes: Any) -> str:
    """A programme with a window in an hour; returns its name."""
    start = datetime.now(UTC) + timedelta(hours=1)
    rule = {
        "openTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "closeTime": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    return world.programme(fund=fund, **NO_EVIDENCE, openingRule=rule, **changes)


def shift(world: World, hours: int) -> None:
    """Makes everything about openings so much longer ago: the database's clock cannot be turned."""
    columns = ("created_at", "open_at", "close_at")
    ago = ", ".join(f"{name} = {name} - make_interval(mins => :minutes)" for name in columns)
    with transaction(world.app) as tx:
        tx.execute(text(f"UPDATE openings SET {ago} WHERE state < 3"), {"minutes": hours * 60 + 1})


def opened(
    world: World, people: int, fund: int = 1_000_000, **changes: Any
) -> tuple[str, list[tuple[Any, Any]]]:
    """A programme with people who have applied within its window; the window is closed."""
    programme = announced(world, fund, **changes)
    shift(world, 1)
    learners = [world.learner() for _ in range(people)]
    with ThreadPoolExecutor(4) as pool:  # as many as the server's threads: none waits and is sent away
        found = list(pool.map(lambda each: (each, world.apply(each, programme)), learners))
    assert {application.state for _, application in found} <= {Application.STATE_IN_DRAW}
    shift(world, 1)
    return programme, found


def opening(world: World, programme: str) -> Any:
    request = pb.GetOpeningRequest(name=f"{programme}/openings/1")
    return world.person().openings.GetOpening(request)


def published(world: World, programme: str, size: int = 7) -> list[Any]:
    request = pb.ListDrawnApplicationsRequest(parent=f"{programme}/openings/1", page_size=size)
    found: list[Any] = []
    while True:
        page = world.auditor.openings.ListDrawnApplications(request)
        found += page.applications
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return found


def read(world: World, name: str) -> Any:
    return world.caseworker.applications.GetApplication(application_pb2.GetApplicationRequest(name=name))


def faults(world: World, programme: str) -> list[str]:
    now = opening(world, programme)
    drawn = [(each.application, each.rank) for each in published(world, programme)]
    seed, committed = bytes.fromhex(now.seed), bytes.fromhex(now.seed_sha256)
    return list(draw.faults(seed, committed, now.application_count, drawn))


def test_a_window_takes_applications_and_the_draw_grants_in_its_order(world: World) -> None:
    programme = announced(world, fund=300_000)
    before = opening(world, programme)
    assert (before.state, before.seed) == (Opening.STATE_ANNOUNCED, "")
    assert before.commit_time.seconds < before.open_time.seconds
    learner = world.learner()
    assert refused(lambda: world.apply(learner, programme)) == "OPENING_NOT_YET"
    shift(world, 1)
    people = [learner, *(world.learner() for _ in range(7))]
    names = [world.apply(each, programme).name for each in people]
    draw_openings(world.app)  # too early: nothing happens
    assert opening(world, programme).seed == ""
    assert published(world, programme) == []
    shift(world, 1)
    assert refused(lambda: world.apply(world.learner(), programme)) == "OPENING_CLOSED"
    draw_openings(world.app)

    after = opening(world, programme)
    assert after.state == Opening.STATE_DONE
    assert hashlib.sha256(bytes.fromhex(after.seed)).hexdigest() == before.seed_sha256
    assert (after.application_count, after.done_count, after.granted_count, after.waiting_count) == (
        8,
        8,
        3,
        5,
    )
    drawn = published(world, programme)
    assert [each.application for each in drawn] == draw.order(bytes.fromhex(after.seed), names)
    assert [each.outcome for each in drawn] == [Outcome.OUTCOME_GRANTED] * 3 + [Outcome.OUTCOME_WAITING] * 5
    assert faults(world, programme) == []
    for each in drawn[:3]:
        assert read(world, each.application).voucher
    request = waiting_list_pb2.ListWaitingListEntriesRequest(programme=programme)
    waiting = world.caseworker.waiting.ListWaitingListEntries(request).waiting_list_entries
    assert [each.application for each in waiting] == [each.application for each in drawn[3:]]
    everything = application_pb2.ReplayApplicationsRequest(programme=programme)
    assert not world.auditor.applications.ReplayApplications(everything).disagreements
    report = world.verify()
    assert report.intact, report.findings
    again = world.apply(world.learner(), programme)  # as usual from now on
    assert list(again.reason_codes) == ["BUDGET_EXHAUSTED"]


def test_while_it_waits_for_the_draw_an_application_replays(world: World) -> None:
    _, found = opened(world, 2, fund=100_000)
    for _, application in found:
        replay = application_pb2.ReplayApplicationRequest(name=application.name)
        answer = world.auditor.applications.ReplayApplication(replay)
        assert answer.agrees, answer.differences


def test_each_person_is_in_once(world: World) -> None:
    programme = announced(world)
    shift(world, 1)
    learner = world.learner()
    other = world.offer("courses/other")
    first = world.apply(learner, programme)
    assert refused(lambda: world.apply(learner, programme)) == "APPLICATION_OPEN"
    assert refused(lambda: world.apply(learner, programme, other)) == "APPLICATION_OPEN"
    employed = world.apply(world.learner(employment_status="employed"), programme)
    assert employed.state == Application.STATE_REFUSED  # no draw helps
    shift(world, 1)
    draw_openings(world.app)
    assert [each.application for each in published(world, programme)] == [first.name]


def test_who_leaves_the_draw_in_time_frees_the_place_and_may_apply_for_another_session(world: World) -> None:
    programme = announced(world)
    shift(world, 1)
    learner, stays = world.learner(), world.learner()
    wrong, kept = world.apply(learner, programme), world.apply(stays, programme)
    withdraw = application_pb2.WithdrawApplicationRequest(name=wrong.name)
    gone = learner.applications.WithdrawApplication(withdraw)
    assert gone.state == Application.STATE_WITHDRAWN
    replay = application_pb2.ReplayApplicationRequest(name=wrong.name)
    answer = world.auditor.applications.ReplayApplication(replay)
    assert answer.agrees, answer.differences
    right = world.apply(learner, programme, world.offer("courses/right"))
    shift(world, 1)
    with transaction(world.app) as tx:  # the order is out, and nobody dealt with
        reveal(world.app, tx, programme.rpartition("/")[2], 1)
    late = application_pb2.WithdrawApplicationRequest(name=kept.name)
    assert refused(lambda: stays.applications.WithdrawApplication(late)) == "WRONG_STATE"
    draw_openings(world.app)
    assert {each.application for each in published(world, programme)} == {right.name, kept.name}
    assert faults(world, programme) == []


def unlocked(tx: Any, programme_id: str) -> Any:
    """The standing opening, for somebody who forgot to share its lock."""
    statement = select(table).where(table.c.programme_id == programme_id, table.c.state < 3)
    return tx.execute(statement).one_or_none()


def leaves_during_the_draw(world: World, programme: str, learner: Any, name: str) -> str:
    """Somebody withdraws while the order is being written; returns why it was refused, empty when not."""
    answers = list[str]()

    def leave() -> None:
        request = application_pb2.WithdrawApplicationRequest(name=name)
        answers.append(tried(lambda: learner.applications.WithdrawApplication(request)))

    leaving = threading.Thread(target=leave)
    with transaction(world.app) as tx:
        reveal(world.app, tx, programme.rpartition("/")[2], 1)
        leaving.start()
        leaving.join(1)
    leaving.join(30)
    return answers[0]


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_nobody_leaves_once_the_order_is_being_written(
    world: World, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    programme, ((learner, application),) = opened(world, 1)
    if not locked:
        monkeypatch.setattr(store, "standing", unlocked)
    left = leaves_during_the_draw(world, programme, learner, application.name)
    assert left == ("WRONG_STATE" if locked else "")
    assert (faults(world, programme) == []) is locked  # one that the count has is nowhere in the order


def test_a_second_application_at_the_same_moment_is_refused_by_the_database(world: World) -> None:
    programme = announced(world)
    shift(world, 1)
    learner, other = world.learner(), world.offer("courses/other")
    sessions = [world.session, other] * 4

    def one(session: str) -> str:
        try:
            return str(world.apply(learner, programme, session).name)
        except Exception:
            return ""

    with ThreadPoolExecutor(8) as pool:
        names = [name for name in pool.map(one, sessions) if name]
    assert len(names) == 1


def test_a_case_for_a_person_is_referred_and_one_that_changed_is_refused(world: World) -> None:
    programme = announced(world)
    shift(world, 1)
    unsure, changed = world.person("learner"), world.learner()
    referred, refusal = world.apply(unsure, programme), world.apply(changed, programme)
    assert referred.state == Application.STATE_IN_DRAW
    world.push(changed, {"employment_status": "employed"})
    shift(world, 1)
    draw_openings(world.app)
    outcomes = {each.application: each.outcome for each in published(world, programme)}
    assert outcomes == {referred.name: Outcome.OUTCOME_REFERRED, refusal.name: Outcome.OUTCOME_REFUSED}
    assert read(world, referred.name).state == Application.STATE_SUBMITTED
    assert list(read(world, refusal.name).reason_codes) == ["NOT_A_JOBSEEKER"]


def test_a_course_that_is_gone_is_refused_and_stops_nobody(world: World) -> None:
    programme = announced(world)
    gone, here = world.offer("courses/gone"), world.learner()
    shift(world, 1)
    lost, kept = world.apply(world.learner(), programme, gone), world.apply(here, programme)
    world.offer("courses/gone", removed=True)
    shift(world, 1)
    draw_openings(world.app)
    assert list(read(world, lost.name).reason_codes) == ["SESSION_UNKNOWN"]
    assert read(world, kept.name).voucher
    everything = application_pb2.ReplayApplicationsRequest(programme=programme)
    assert not world.auditor.applications.ReplayApplications(everything).disagreements


def test_an_opening_must_be_announced_before_it_begins_and_one_at_a_time(world: World) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    rule = {"openTime": f"{past:%Y-%m-%dT%H:%M:%SZ}", "closeTime": "2099-01-01T00:00:00Z"}
    assert refused(lambda: world.programme(**NO_EVIDENCE, openingRule=rule)) == "OPENING_NOT_POSSIBLE"
    backwards = {"openTime": "2099-01-02T00:00:00Z", "closeTime": "2099-01-01T00:00:00Z"}
    found = violations_of(lambda: world.programme(**NO_EVIDENCE, openingRule=backwards))
    assert "version.opening_rule.close_time" in found
    programme = announced(world)
    versions = world.maker.programmes.ListProgrammeVersions(
        programme_pb2.ListProgrammeVersionsRequest(parent=programme)
    )
    request = programme_pb2.CreateProgrammeVersionRequest(parent=programme, version=versions.versions[0])
    second = world.maker.programmes.CreateProgrammeVersion(request)
    activate = programme_pb2.ActivateProgrammeVersionRequest(name=second.name)
    assert (
        refused(lambda: world.checker.programmes.ActivateProgrammeVersion(activate)) == "OPENING_NOT_POSSIBLE"
    )
    listed = world.person().openings.ListOpenings(pb.ListOpeningsRequest(parent=programme))
    assert [each.name for each in listed.openings] == [f"{programme}/openings/1"]


def test_the_seed_is_nowhere_in_the_clear_before_the_draw(world: World) -> None:
    programme = announced(world)
    with transaction(world.app) as tx:
        row = tx.execute(select(table)).one()
        assert row.seed is None
    secret = world.app.notes.open(f"{programme}/openings/1", row.sealed_seed)
    assert hashlib.sha256(bytes.fromhex(secret)).digest() == row.seed_sha256
    assert bytes.fromhex(secret) not in row.sealed_seed
    assert secret.encode() not in row.sealed_seed
