"""Waiting for money: offers in turn, a time limit, and never twice the same cents."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, text
from waymark.vouchers.v1 import application_pb2, ledger_pb2
from waymark.vouchers.v1 import waiting_list_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import granting, waiting
from services.vouchers.jobs import offer_waiting
from services.vouchers.store import budgets, waiting_list
from tests.integration.vouchers.queues import (
    Entry,
    Waiter,
    accept,
    empty,
    entry,
    give_back,
    join,
    leave,
    states,
    waiters,
)
from tests.integration.vouchers.refusals import refused
from tests.support.meetings import Meeting
from tests.support.vouchers import NO_EVIDENCE, World, cents, request_id


def events(world: World) -> list[str]:
    with transaction(world.app) as tx:
        rows = tx.execute(text("SELECT type FROM outbox ORDER BY seq"))
        return [row.type.rpartition(".")[2] for row in rows]


def test_money_that_comes_back_is_offered_in_order_and_accepted(world: World) -> None:
    programme, holder, voucher = empty(world)
    first, second, third = found = waiters(world, programme, 3)
    assert [entry(*each).position for each in found] == [1, 2, 3]
    assert entry(world.caseworker, second[1]).position == 0  # only to the learner
    offer_waiting(world.app)
    assert states(found) == ["WAITING"] * 3

    give_back(holder, voucher)
    offer_waiting(world.app)
    assert states(found) == ["OFFERED", "WAITING", "WAITING"]
    assert cents(entry(*first).amount) == 100_000
    assert entry(*second).position == 1
    assert world.balances()[2] == 100_000  # still the programme's
    assert world.verify().intact

    accepted = accept(*first)
    assert accepted.state == Entry.STATE_ACCEPTED
    assert cents(world.wallet(first[0], accepted.voucher).available) == 100_000
    request = application_pb2.GetApplicationRequest(name=accepted.application)
    application = first[0].applications.GetApplication(request)
    assert application.state == application_pb2.Application.STATE_GRANTED
    assert application.voucher == accepted.voucher
    replay = application_pb2.ReplayApplicationRequest(name=accepted.application)
    assert world.auditor.applications.ReplayApplication(replay).agrees
    report = world.verify()
    assert report.intact, report.findings

    world.fund(programme, 200_000, "more")
    offer_waiting(world.app)
    assert states([second, third]) == ["OFFERED", "OFFERED"]


def test_an_offer_that_nobody_accepts_goes_to_the_next(world: World) -> None:
    programme, holder, voucher = empty(world, waitingRule={"acceptHours": 5})
    first, second = found = waiters(world, programme, 2)
    give_back(holder, voucher)
    offer_waiting(world.app)
    limit = entry(*first).accept_until.seconds - entry(*first).create_time.seconds
    assert 5 * 3600 <= limit < 5 * 3600 + 60
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE waiting_list SET accept_until = now() WHERE state = 2"))
    assert refused(lambda: accept(*first)) == "OFFER_EXPIRED"
    offer_waiting(world.app)
    assert states(found) == ["LAPSED", "OFFERED"]
    assert refused(lambda: accept(*first)) == "WRONG_STATE"
    assert join(first[0], entry(*first).application).position == 1  # again, at the end
    assert accept(*second).state == Entry.STATE_ACCEPTED
    assert world.verify().intact


def test_who_leaves_gives_the_offer_to_the_next(world: World) -> None:
    programme, holder, voucher = empty(world)
    first, second, _ = found = waiters(world, programme, 3)
    assert leave(*second).state == Entry.STATE_LEFT
    give_back(holder, voucher)
    offer_waiting(world.app)
    assert leave(*first).state == Entry.STATE_LEFT
    offer_waiting(world.app)
    assert states(found) == ["LEFT", "LEFT", "OFFERED"]
    assert refused(lambda: leave(*first)) == "WRONG_STATE"
    assert world.verify().intact


def test_nobody_who_comes_later_takes_the_money_of_those_who_wait(world: World) -> None:
    programme, holder, voucher = empty(world)
    ((waiter, name),) = waiters(world, programme, 1)
    give_back(holder, voucher)
    late = world.learner()
    assert list(world.apply(late, programme).reason_codes) == ["BUDGET_EXHAUSTED"]
    offer_waiting(world.app)
    assert accept(waiter, name).state == Entry.STATE_ACCEPTED
    with transaction(world.app) as tx:  # control: without anybody waiting the same money would be granted
        tx.execute(text("UPDATE waiting_list SET state = 5 WHERE state = 1"))
    world.fund(programme, 100_000, "more")
    assert world.apply(world.learner(), programme).voucher


def test_no_double_funding_whoever_was_granted_meanwhile_is_closed(world: World) -> None:
    programme, holder, voucher = empty(world)
    other = world.programme(fund=100_000, **NO_EVIDENCE)
    first, _ = found = waiters(world, programme, 2)
    give_back(holder, voucher)
    offer_waiting(world.app)
    assert world.apply(first[0], other).voucher  # the same session, another programme
    closed = accept(*first)
    assert closed.state == Entry.STATE_CLOSED
    assert list(closed.reason_codes) == ["DOUBLE_FUNDING"]
    offer_waiting(world.app)
    assert states(found) == ["CLOSED", "OFFERED"]
    assert world.verify().intact


def test_who_is_not_eligible_any_more_is_passed_over_with_the_reason(world: World) -> None:
    programme, holder, voucher = empty(world)
    first, _ = found = waiters(world, programme, 2)
    world.push(first[0], {"employment_status": "employed"})
    give_back(holder, voucher)
    offer_waiting(world.app)
    assert states(found) == ["CLOSED", "OFFERED"]
    assert list(entry(*first).reason_codes) == ["NOT_A_JOBSEEKER"]


def test_nobody_is_offered_money_for_a_training_that_is_over(world: World) -> None:
    programme, holder, voucher = empty(world)
    (waiter,) = found = waiters(world, programme, 1)
    give_back(holder, voucher)
    world.offer(start=world.today - timedelta(days=14))  # it ended five days ago: still in time to apply
    offer_waiting(world.app)
    assert states(found) == ["OFFERED"]
    world.offer(start=world.today - timedelta(days=15))
    closed = accept(*waiter)
    assert (states(found), closed.reason_codes) == (["CLOSED"], ["SESSION_OUTSIDE_WINDOW"])
    assert world.verify().intact


def test_only_lack_of_money_alone_lets_wait_and_only_once(world: World) -> None:
    programme, _, _ = empty(world)
    employed = world.learner(employment_status="employed")
    refusal = world.apply(employed, programme)
    assert refused(lambda: join(employed, refusal.name)) == "WAITING_NOT_POSSIBLE"
    ((person, name),) = waiters(world, programme, 1)
    again = entry(person, name).application
    assert refused(lambda: join(person, again)) == "ALREADY_WAITING"
    stranger = world.person("learner")
    assert refused(lambda: join(stranger, again)) == "NOT_FOUND"
    assert refused(lambda: entry(stranger, name)) == "NOT_FOUND"
    assert refused(lambda: accept(stranger, name)) == "NOT_FOUND"
    assert refused(lambda: leave(stranger, name)) == "NOT_FOUND"
    mine = person.waiting.ListWaitingListEntries(pb.ListWaitingListEntriesRequest(learner=person.learner))
    assert [each.name for each in mine.waiting_list_entries] == [name]
    everybody = pb.ListWaitingListEntriesRequest(programme=programme, state=Entry.STATE_WAITING)
    listed = world.caseworker.waiting.ListWaitingListEntries(everybody)
    assert [(each.name, each.position) for each in listed.waiting_list_entries] == [(name, 0)]


def test_money_of_another_group_is_not_blocked(world: World) -> None:
    groups = [
        {"code": "low", "expression": "learner.education_level < 4", "coverPercent": 100},
        {"code": "rest", "expression": "true", "coverPercent": 100},
    ]
    programme = world.programme(fund=0, **NO_EVIDENCE, targetGroups=groups)
    world.fund(programme, 50_000, "for-low", ("low",))
    found = waiters(world, programme, 1)  # of the group `low`, whose pot holds too little
    world.fund(programme, 100_000, "for-rest", ("rest",))
    assert world.apply(world.learner(education_level=6), programme).voucher
    offer_waiting(world.app)
    assert states(found) == ["WAITING"]


def test_events_tell_of_offer_and_end(world: World) -> None:
    programme, holder, voucher = empty(world)
    ((person, name),) = waiters(world, programme, 1)
    give_back(holder, voucher)
    offer_waiting(world.app)
    accept(person, name)
    seen = events(world)
    assert seen[-4:] == [
        "WaitingListOfferMade",
        "VoucherIssued",
        "ApplicationDecided",
        "WaitingListEntryEnded",
    ]


def offers_at_once(world: World, begin: Callable[[], None] = lambda: None) -> list[str]:
    """Money for one; two runs of the job offer to two people at the same moment, after `begin`."""
    programme, holder, voucher = empty(world)
    found = waiters(world, programme, 2)
    give_back(holder, voucher)
    with transaction(world.app) as tx:  # as if it were the turn of both
        tx.execute(text("UPDATE waiting_list SET target_group = id::text"))

    begin()

    def one(each: Waiter) -> None:
        with transaction(world.app) as tx:
            waiting.offer(world.app, tx, each[1].rpartition("/")[2])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, found))
    return states(found)


def test_two_offers_for_the_last_money_are_one(world: World) -> None:
    assert sorted(offers_at_once(world)) == ["OFFERED", "WAITING"]
    assert world.verify().intact


def test_control_without_locks_and_check_the_last_money_is_offered_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet = Meeting(2)

    def unlocked(tx: Any, *place: Any, in_turn: bool) -> Any:
        def together(*calls: Any) -> Any:
            answer = tx.together(*calls)
            meet()  # between reading and writing
            return answer

        return budgets.take(SimpleNamespace(together=together, at_commit=tx.at_commit), *place, locked=False)

    def unguard() -> None:
        monkeypatch.setattr(granting, "budgets", type("Unlocked", (), {"take": staticmethod(unlocked)}))
        monkeypatch.setattr(waiting.budgets, "lock_all", lambda tx, programme: None)
        monkeypatch.setattr(budgets, "WaitingState", SimpleNamespace(WAITING=0))  # nobody comes before
        for name in ("_fitting", "_candidates", "_enough"):  # as if no statement had been built yet
            monkeypatch.setattr(budgets, name, getattr(budgets, name).__wrapped__)
        with transaction(world.app) as tx:
            tx.execute(text("ALTER TABLE pots DROP CONSTRAINT pots_not_negative"))

    assert offers_at_once(world, unguard) == ["OFFERED", "OFFERED"]
    assert not world.verify().intact


def test_accepting_locks_its_chains_at_once_after_the_pots(world: World) -> None:
    programme, holder, voucher = empty(world)
    ((person, name),) = waiters(world, programme, 1)
    give_back(holder, voucher)
    offer_waiting(world.app)
    locked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "FOR NO KEY UPDATE" in statement:
            locked.extend(each for each in ("pots", "ledger_heads") if f"FROM {each}" in statement)

    event.listen(world.app.engine, "before_cursor_execute", note)
    try:
        assert accept(person, name).state == Entry.STATE_ACCEPTED
    finally:
        event.remove(world.app.engine, "before_cursor_execute", note)
    assert locked.count("ledger_heads") == 1  # two, one after the other, could wait for others in a ring
    assert locked[-1] == "ledger_heads"
    assert world.verify().intact


def test_a_repeated_accept_issues_one_voucher(world: World) -> None:
    programme, holder, voucher = empty(world)
    ((person, name),) = waiters(world, programme, 1)
    give_back(holder, voucher)
    offer_waiting(world.app)
    request = pb.AcceptWaitingListOfferRequest(name=name, request_id=request_id())
    first, again = (person.waiting.AcceptWaitingListOffer(request) for _ in range(2))
    assert first == again
    with transaction(world.app) as tx:
        assert (
            tx.execute(
                text("SELECT count(*) FROM vouchers WHERE learner = :l"), {"l": person.learner}
            ).scalar()
            == 1
        )
    entries = world.auditor.ledger.ListLedgerEntries(ledger_pb2.ListLedgerEntriesRequest(account_owner=name))
    assert sum(cents(each.amount) for each in entries.entries) == 0


def test_more_than_was_offered_is_needed_meanwhile(world: World) -> None:
    programme, holder, voucher = empty(world)
    found = waiters(world, programme, 2)
    give_back(holder, voucher)
    offer_waiting(world.app)
    world.offer(price=150_000)  # the provider asks more since
    assert accept(*found[0]).state == Entry.STATE_WAITING
    assert states(found) == ["WAITING", "WAITING"]
    assert entry(*found[0]).position == 1  # in its old place
    world.fund(programme, 50_000, "more")
    offer_waiting(world.app)
    assert states(found) == ["WAITING", "WAITING"]  # two pots, neither holds enough
    assert world.verify().intact
    with transaction(world.app) as tx:
        assert waiting_list.first_in_turn(tx)
