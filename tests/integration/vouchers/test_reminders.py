"""Reminders: 30 and 7 days before a voucher expires, each once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2, redemption_pb2

from services.platform.db.transaction import transaction
from services.vouchers import jobs, reminding
from tests.support.quality import told
from tests.support.vouchers import NO_EVIDENCE, World, cents


def expires_in(world: World, voucher: str, days: float) -> None:
    """Sets the end of a voucher so many days ahead, and when it was issued a year before."""
    with transaction(world.app) as tx:
        move = """UPDATE vouchers SET expires_at = now() + make_interval(secs => :days * 86400),
          created_at = now() - interval '1 year' WHERE id = :id"""
        tx.execute(text(move), {"days": days, "id": voucher[-36:]})


def reminded(world: World) -> list[Any]:
    """Runs the job; returns the reminders in the outbox, oldest first."""
    jobs.remind_expiring(world.app)
    with transaction(world.app) as tx:
        query = text("SELECT payload FROM outbox WHERE type LIKE '%.VoucherExpiring' ORDER BY seq")
        return [events_pb2.VoucherExpiring.FromString(bytes(row.payload)) for row in tx.execute(query)]


def test_each_reminder_is_sent_once(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    expires_in(world, voucher, 31)
    assert reminded(world) == []
    expires_in(world, voucher, 29)
    (first,) = reminded(world)
    assert (first.voucher, first.learner, first.days) == (voucher, learner.learner, 30)
    assert cents(first.available) == 100_000
    assert len(reminded(world)) == 1
    days = 6.5
    expires_in(world, voucher, days)
    assert [event.days for event in reminded(world)] == [30, 7]
    assert len(reminded(world)) == 2


def test_time_passes_by_itself_and_each_comes_once(world: World) -> None:
    _, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    expires_in(world, voucher, 29)
    reminded(world)
    with transaction(world.app) as tx:  # as if 23 days later: the end stays what it was for the reminder
        for table in ("vouchers", "voucher_reminders"):
            tx.execute(text(f"UPDATE {table} SET expires_at = expires_at - interval '23 days'"))
    assert [event.days for event in reminded(world)] == [30, 7]
    assert [event.days for event in reminded(world)] == [30, 7]


@pytest.mark.parametrize(
    "change",
    [
        "state = 6",
        "state = 4, available_cents = 0, spent_cents = value_cents",
        "expires_at = now() - interval '1 hour'",
        "created_at = now() - interval '1 day'",  # it was never valid for 30 days
    ],
)
def test_nobody_is_reminded_of_what_cannot_be_used_or_is_new(world: World, change: str) -> None:
    _, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    expires_in(world, voucher, 20)
    with transaction(world.app) as tx:
        tx.execute(text(f"UPDATE vouchers SET {change}"))
    assert reminded(world) == []


def test_a_full_batch_goes_on_and_what_somebody_spends_now_has_its_turn_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminding, "AT_ONCE", 1)
    programme = world.programme(**NO_EVIDENCE)
    names = {world.voucher(programme)[1] for _ in range(3)}
    for name in names:
        expires_in(world, name, 10)
    busy = min(names)
    with transaction(world.app) as tx:
        tx.execute(text("SELECT 1 FROM vouchers WHERE id = :id FOR NO KEY UPDATE"), {"id": busy[-36:]})
        assert {event.voucher for event in reminded(world)} == names - {busy}
    assert {event.voucher for event in reminded(world)} == names
    assert len(reminded(world)) == 3
    with transaction(world.app) as tx:  # control: forgotten, they come again
        tx.execute(text("DELETE FROM voucher_reminders"))
    assert len(reminded(world)) == 6


def test_two_jobs_at_once_send_each_once(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    for _ in range(4):
        expires_in(world, world.voucher(programme)[1], 10)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(jobs.remind_expiring, world.app) for _ in range(4)]:
            done.result()
    assert len(reminded(world)) == 4


def test_trainings_that_are_over_and_wait_are_told_once_and_listed_oldest_first(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    delivered = world.delivered(learner, voucher, 10_000).name
    agreed = world.reserve(learner, voucher, 10_000).name
    learner.redemptions.AuthoriseRedemption(redemption_pb2.AuthoriseRedemptionRequest(name=agreed))
    world.accepted(learner, voucher, 10_000)
    world.reserve(learner, voucher, 10_000)  # which expires by itself

    def overdue() -> tuple[list[tuple[str, str]], list[str]]:
        for _ in range(2):
            jobs.tell_overdue(world.app)
        events = told(world, events_pb2.RedemptionOverdue)
        request = redemption_pb2.ListRedemptionsRequest(session_over_days=14)
        found = world.caseworker.redemptions.ListRedemptions(request).redemptions
        return sorted((event.ref.redemption, event.state) for event in events), [each.name for each in found]

    def ended(days: int) -> None:
        with transaction(world.app) as tx:
            tx.execute(text("UPDATE sessions SET end_date = :day"), {"day": world.today - timedelta(days)})

    ended(13)
    assert overdue() == ([], [])  # control: not yet
    ended(14)
    assert overdue() == ([(delivered, "DELIVERED"), (agreed, "AUTHORISED")], [delivered, agreed])
