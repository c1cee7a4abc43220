"""Where the desk meets waiting lists and draws: one way at a time, and days count from the application."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.jobs import draw_openings, offer_waiting
from tests.integration.vouchers import desks
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_appeals import replays
from tests.integration.vouchers.test_openings import opened, read
from tests.integration.vouchers.test_waiting_list import accept, empty, give_back, join, leave
from tests.support.vouchers import World

State = pb.Application


def lacking_money(world: World) -> tuple[Any, Any, Any, str]:
    """Returns a learner refused for lack of money, the application, and who has the voucher that took it."""
    programme, holder, voucher = empty(world, **desks.APPEAL)
    person = world.learner()
    return person, world.apply(person, programme), holder, voucher


def test_who_waits_for_money_leaves_the_list_before_an_appeal(world: World) -> None:
    person, refusal, _, _ = lacking_money(world)
    entry = join(person, refusal.name).name
    assert refused(lambda: desks.appeal(person, refusal.name)) == "ALREADY_WAITING"
    leave(person, entry)
    assert desks.appeal(person, refusal.name).state == State.STATE_APPEALED
    assert refused(lambda: join(person, refusal.name)) == "WAITING_NOT_POSSIBLE"


def test_a_voucher_from_the_list_after_a_refused_appeal_is_the_rules_own(world: World) -> None:
    person, refusal, holder, voucher = lacking_money(world)
    desks.appeal(person, refusal.name)
    desks.decide_appeal(world.caseworker, refusal.name)
    entry = join(person, refusal.name).name
    give_back(holder, voucher)
    offer_waiting(world.app)
    accepted = accept(person, entry)
    found = read(world, accepted.application)
    assert (found.state, found.automatic) == (State.STATE_GRANTED, True)
    assert replays(world, found.name)


def test_a_draw_counts_from_the_day_of_application_and_its_refusals_can_be_appealed(world: World) -> None:
    _, found = opened(world, 2, fund=100_000, **desks.APPEAL)
    with transaction(world.app) as tx:  # the window was days ago, and the last day to apply has passed since
        for statement in (
            "UPDATE applications SET applied_on = applied_on - 3",
            "UPDATE sessions SET start_date = CURRENT_DATE - 15",
        ):
            tx.execute(text(statement))
    draw_openings(world.app)
    drawn = {read(world, application.name).state: person for person, application in found}
    assert drawn.keys() == {State.STATE_GRANTED, State.STATE_REFUSED}
    (loser,) = (
        read(world, each.name) for _, each in found if read(world, each.name).state == State.STATE_REFUSED
    )
    assert list(loser.reason_codes) == ["BUDGET_EXHAUSTED"]
    assert loser.HasField("appeal_until_date")
    assert all(replays(world, each.name) for _, each in found)
    late = world.apply(world.learner(), desks.programme(world))
    assert "APPLIED_TOO_LATE" in late.reason_codes  # control: today is too late
