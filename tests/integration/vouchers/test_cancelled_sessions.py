"""A session that its provider cancels: nobody books it, and what was reserved for it is there again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import job_rounds, jobs, rebooking
from services.vouchers.store import rebookings, redemptions
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import NO_EVIDENCE, World, cents

Redemption = pb.Redemption


class Booked:
    """A learner with a booked place of 600 euro, and a voucher of 1000."""

    def __init__(self, world: World, programme: str) -> None:
        self.world = world
        self.person, self.voucher = world.voucher(programme)
        self.name = world.reserve(self.person, self.voucher, 60_000).name

    def authorise(self) -> None:
        self.person.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=self.name))

    def start(self) -> None:
        self.authorise()
        self.world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=self.name))

    def ended(self) -> tuple[int, int]:
        found = self.person.redemptions.GetRedemption(pb.GetRedemptionRequest(name=self.name))
        return found.state, found.end_reason

    def money(self) -> tuple[int, int]:
        wallet = self.world.wallet(self.person, self.voucher)
        return cents(wallet.available), cents(wallet.reserved)


VOIDED = (Redemption.STATE_VOIDED, Redemption.END_REASON_SESSION_CHANGED)
RESERVED = (Redemption.STATE_RESERVED, 0)


@pytest.fixture
def programme(world: World) -> str:
    return world.programme(**NO_EVIDENCE)


def released(world: World) -> list[str]:
    """The redemptions that others were told are released."""
    statement = text("SELECT payload FROM outbox WHERE type LIKE '%.RedemptionReleased' ORDER BY seq")
    with transaction(world.app) as tx:
        found = [events_pb2.RedemptionReleased.FromString(each) for each in tx.execute(statement).scalars()]
    return [each.ref.redemption for each in found]


def test_what_has_not_started_is_released_and_nothing_else(world: World, programme: str) -> None:
    reserved, authorised, started = (Booked(world, programme) for _ in range(3))
    authorised.authorise()
    started.start()
    elsewhere = world.offer("courses/other")
    other = world.learner()
    kept = world.reserve(other, world.apply(other, programme, elsewhere).voucher, session=elsewhere).name
    world.offer(cancelled=True)
    for _ in range(2):  # once is enough
        jobs.release_cancelled(world.app)
    assert [each.ended() for each in (reserved, authorised)] == [VOIDED] * 2
    assert [each.money() for each in (reserved, authorised)] == [(100_000, 0)] * 2
    assert (started.ended()[0], started.money()) == (Redemption.STATE_STARTED, (40_000, 60_000))
    assert sorted(released(world)) == sorted([reserved.name, authorised.name])
    assert kept not in released(world)
    assert world.verify().intact


def test_nobody_books_it(world: World, programme: str) -> None:
    person, voucher = world.voucher(programme)
    world.offer(cancelled=True)
    assert refused(lambda: world.reserve(person, voucher)) == "SESSION_UNKNOWN"
    assert refused(lambda: world.apply(world.learner(), programme)) == "SESSION_UNKNOWN"
    world.offer()  # control: it takes place after all
    assert world.reserve(person, voucher).state == Redemption.STATE_RESERVED


def test_nothing_comes_back_when_it_takes_place_after_all(world: World, programme: str) -> None:
    booked = Booked(world, programme)
    world.offer(cancelled=True)
    jobs.release_cancelled(world.app)
    world.offer()
    jobs.release_cancelled(world.app)
    assert (booked.ended(), booked.money()) == (VOIDED, (100_000, 0))
    assert world.reserve(booked.person, booked.voucher).state == Redemption.STATE_RESERVED


def test_the_newest_word_counts(world: World, programme: str) -> None:
    booked, version = Booked(world, programme), world.version
    world.offer()
    newest = world.version
    world.version = version
    world.offer(cancelled=True, version=version - 1)
    world.version = newest
    jobs.release_cancelled(world.app)
    assert booked.ended() == RESERVED
    world.offer(cancelled=True)
    world.offer(sessions=[])  # it is dropped from the list before the job comes by
    jobs.release_cancelled(world.app)
    assert booked.ended() == VOIDED


def test_who_reserves_at_that_moment_is_released_too(
    world: World, programme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = redemptions.lock_for_reservation

    def told_after(*arguments: Any) -> Any:
        row = read(*arguments)
        world.offer(cancelled=True)
        jobs.release_cancelled(world.app)  # which does not see it yet
        return row

    monkeypatch.setattr(redemptions, "lock_for_reservation", told_after)
    booked = Booked(world, programme)
    assert booked.ended() == RESERVED
    jobs.release_cancelled(world.app)
    assert booked.ended() == VOIDED


def waiting(world: World, minutes: int = 0) -> int:
    """How many sessions the job still looks at, when it comes by so much later."""
    with transaction(world.app) as tx:
        tx.execute(text(f"UPDATE sessions SET release_from = release_from - interval '{minutes} minutes'"))
    jobs.release_cancelled(world.app)
    with transaction(world.app) as tx:
        return int(
            tx.execute(text("SELECT count(*) FROM sessions WHERE release_from IS NOT NULL")).scalar_one()
        )


def test_a_session_is_looked_at_until_nothing_can_be_left(world: World, programme: str) -> None:
    booked = Booked(world, programme)
    world.offer(cancelled=True)
    assert waiting(world) == 1  # somebody may be reserving it right now
    assert waiting(world, minutes=6) == 0
    world.offer(cancelled=True)  # told again
    assert waiting(world) == 1
    world.offer()
    assert waiting(world) == 0
    assert booked.ended() == VOIDED


def test_many_are_released_by_and_by(world: World, programme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    booked = [Booked(world, programme) for _ in range(5)]
    monkeypatch.setattr(job_rounds, "BATCH", 2)
    world.offer(cancelled=True)
    jobs.release_cancelled(world.app)
    assert [each.ended() for each in booked] == [VOIDED] * 5
    assert world.verify().intact


def test_what_starts_before_its_turn_stays(
    world: World, programme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = Booked(world, programme)
    booked.start()
    world.offer(cancelled=True)
    found = [booked.name.removeprefix("redemptions/")]  # as the job saw it a moment ago
    monkeypatch.setattr(rebookings, "cancelled", lambda *_: found)
    jobs.release_cancelled(world.app)
    assert (booked.ended()[0], released(world)) == (Redemption.STATE_STARTED, [])
    monkeypatch.setattr(
        rebooking, "NOT_STARTED", rebooking.UNDER_WAY
    )  # control: it is the state that keeps it
    jobs.release_cancelled(world.app)
    assert booked.ended() == VOIDED


@pytest.mark.parametrize("cancelled", [False, True], ids=["guarded", "control"])
def test_what_takes_place_again_before_its_turn_stays_booked(
    world: World, programme: str, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    booked = Booked(world, programme)
    world.offer(cancelled=cancelled)
    found = [booked.name.removeprefix("redemptions/")]
    monkeypatch.setattr(rebookings, "cancelled", lambda *_: found)
    jobs.release_cancelled(world.app)
    assert booked.ended() == (VOIDED if cancelled else RESERVED)
