"""A grant whose voucher ended without a cent spent: it costs nobody their right where the rules say so."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import redemption_pb2 as pb
from waymark.vouchers.v1 import voucher_pb2

from services.platform.db.transaction import transaction
from tests.support.vouchers import NO_EVIDENCE, World, sample

END = voucher_pb2.Voucher
ONCE = {
    **sample("dutch-temporary-training-voucher")["version"]["amountRule"],
    "oncePerPerson": True,
    "lifetimeCap": {"currencyCode": "EUR", "units": "1000"},
}


def granted(world: World, *, restore: bool = True) -> tuple[str, Any, str]:
    """Returns a programme that grants once and no more than was granted, who has its voucher, and that."""
    programme = world.programme(**NO_EVIDENCE, amountRule={**ONCE, "restoreUnused": restore})
    return programme, *world.voucher(programme)


def cancel(person: Any, voucher: str) -> None:
    person.vouchers.CancelVoucher(voucher_pb2.CancelVoucherRequest(name=voucher))


def expire(world: World, voucher: str) -> None:
    """Lets a voucher end by the clock; the job has not come by."""
    with transaction(world.app) as tx:
        past = "UPDATE vouchers SET expires_at = now(), order_until = now() WHERE id = :id"
        tx.execute(text(past), {"id": voucher.rpartition("/")[2]})


def test_who_gave_it_back_or_let_it_expire_may_have_another(world: World) -> None:
    programme, person, voucher = granted(world)
    assert "GRANTED_BEFORE" in world.apply(person, programme).reason_codes
    cancel(person, voucher)
    again = world.apply(person, programme).voucher  # for the same session too
    expire(world, again)
    third = world.apply(person, programme)
    assert third.voucher, third.reason_codes
    assert world.verify().intact


def test_control_where_the_rules_do_not_say_so_each_grant_counts(world: World) -> None:
    programme, person, voucher = granted(world, restore=False)
    cancel(person, voucher)
    assert set(world.apply(person, programme).reason_codes) == {"GRANTED_BEFORE", "NOTHING_LEFT"}


@pytest.mark.parametrize("way", ["revoked", "used in part", "taken back for a fault"])
def test_what_was_used_or_taken_away_counts(world: World, way: str) -> None:
    programme, person, voucher = granted(world)
    if way == "revoked":
        why = {"reason_code": END.END_REASON_OTHER, "reason": "not entitled"}
        world.caseworker.vouchers.RevokeVoucher(voucher_pb2.RevokeVoucherRequest(name=voucher, **why))
    else:
        redemption = world.accepted(person, voucher, amount=40_000)
        if way == "taken back for a fault":
            why = {"reason_code": pb.Redemption.END_REASON_OTHER, "learner_at_fault": True}
            back = pb.ClawBackRedemptionRequest(name=redemption.name, reason="forged", **why)
            world.payer.redemptions.ClawBackRedemption(back)
        cancel(person, voucher)
    other = world.offer("courses/other")
    assert "GRANTED_BEFORE" in world.apply(person, programme, other).reason_codes
