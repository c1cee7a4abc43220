"""The end of a hold is put off: it goes on without a gap, and how often that was done is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from waymark.vouchers.v1 import hold_pb2 as pb

from services.vouchers.store import holds, payouts
from tests.integration.vouchers.refusals import refused, tried, violations_of
from tests.integration.vouchers.test_bank_results import owed
from tests.integration.vouchers.test_payouts import frozen
from tests.integration.vouchers.test_races import BRIEF, LONG, approve
from tests.support.canary import CANARY, everything
from tests.support.meetings import Meanwhile
from tests.support.quality import Sanction, run, sanction
from tests.support.vouchers import World, cents, request_id

__all__ = ["owed"]


def soon(hours: int) -> datetime:
    """A moment so many hours ahead."""
    return datetime.now(UTC) + timedelta(hours=hours)


def held(world: World, hours: int | None = 1) -> Any:
    """Holds the provider, by default for an hour."""
    hold = pb.Hold(target=world.organisation, reason="complaint")
    if hours is not None:
        hold.end_time.FromDatetime(soon(hours))
    return world.payer.holds.PlaceHold(pb.PlaceHoldRequest(hold=hold))


def renew(world: World, hold: Any, hours: int | None = 48, reason: str = "not heard yet") -> Any:
    """Puts the end of a hold off."""
    request = pb.RenewHoldRequest(name=hold.name, reason=reason, request_id=request_id())
    if hours is not None:
        request.end_time.FromDatetime(soon(hours))
    return world.payer.holds.RenewHold(request)


def later(world: World, hours: int) -> None:
    """Lets so many hours pass for holds: the database's clock cannot be turned."""
    run(world, f"UPDATE holds SET ends_at = ends_at - interval '{hours} hours'")


@pytest.mark.parametrize("kind", ["redemption", "spelling", "course", "organisation"])
def test_a_hold_that_would_stop_nothing_is_refused(owed: World, kind: str) -> None:
    unknown = {
        "redemption": f"redemptions/{request_id()}",
        "spelling": f"redemptions/{owed.redemption.name.partition('/')[2].upper()}",
        "course": "courses/none",
        "organisation": "organisations/none",
    }
    hold = pb.PlaceHoldRequest(hold=pb.Hold(target=unknown[kind], reason="complaint"))
    assert refused(lambda: owed.payer.holds.PlaceHold(hold)) == "NOT_FOUND"


def test_what_was_renewed_stops_payouts_past_its_first_end(owed: World) -> None:
    hold = held(owed)
    renewed = renew(owed, hold)
    assert (renewed.renewal_count, renewed.HasField("renew_time")) == (1, True)
    assert renewed.end_time.ToDatetime(UTC) > hold.end_time.ToDatetime(UTC) + timedelta(hours=40)
    later(owed, 2)
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    endless = renew(owed, hold, None)
    assert (endless.renewal_count, endless.HasField("end_time")) == (2, False)


def test_control_what_was_not_renewed_lets_payouts_go(owed: World) -> None:
    held(owed)
    later(owed, 2)
    assert cents(owed.batch().total) == 100_000


def test_only_a_standing_hold_with_an_end_is_renewed_and_only_to_a_later_one(owed: World) -> None:
    assert refused(lambda: renew(owed, held(owed, None))) == "WRONG_STATE"
    hold = held(owed, 3)
    assert list(violations_of(lambda: renew(owed, hold, 2))) == ["end_time"]
    later(owed, 4)
    assert refused(lambda: renew(owed, hold)) == "WRONG_STATE"  # money may have left since
    other = held(owed)
    owed.approver.holds.ReleaseHold(pb.ReleaseHoldRequest(name=other.name, finding="unfounded"))
    assert refused(lambda: renew(owed, other)) == "WRONG_STATE"
    assert refused(lambda: renew(owed, pb.Hold(name=f"holds/{request_id()}"))) == "NOT_FOUND"


def test_a_suspension_is_not_prolonged_by_its_hold(owed: World) -> None:
    sanction(owed, Sanction.KIND_SUSPENDED)
    (hold,) = owed.auditor.holds.ListHolds(pb.ListHoldsRequest()).holds
    assert refused(lambda: renew(owed, hold, 10_000)) == "WRONG_STATE"


def test_why_it_goes_on_is_kept_sealed_and_read_by_staff(owed: World) -> None:
    renew(owed, held(owed), reason=CANARY)
    (seen,) = owed.auditor.holds.ListHolds(pb.ListHoldsRequest()).holds
    assert (seen.renewal_reason, seen.reason) == (CANARY, "complaint")
    assert CANARY not in everything(owed.app.engine)


def test_a_renewal_waits_for_an_approval_under_way(owed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = frozen(owed).name
    hold = held(owed)
    run(owed, "UPDATE holds SET target = 'courses/another'")  # so the approval goes on
    renewing = Meanwhile(monkeypatch, payouts, "stopped", lambda: tried(lambda: renew(owed, hold)), BRIEF)
    assert (approve(owed, batch), renewing.done, renewing.answer) == ("", False, "")


def test_control_without_the_lock_it_does_not_wait(owed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = frozen(owed).name
    hold = held(owed)
    run(owed, "UPDATE holds SET target = 'courses/another'")
    monkeypatch.setattr(holds, "wait_for_approvals", lambda _: None)
    renewing = Meanwhile(monkeypatch, payouts, "stopped", lambda: tried(lambda: renew(owed, hold)), LONG)
    assert (approve(owed, batch), renewing.done, renewing.answer) == ("", True, "")
