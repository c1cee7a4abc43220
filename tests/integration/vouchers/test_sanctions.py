"""Sanctions in steps, by three people."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.vouchers.v1 import alert_pb2, events_pb2, hold_pb2
from waymark.vouchers.v1 import rebooking_pb2 as rebookings
from waymark.vouchers.v1 import redemption_pb2 as redemptions
from waymark.vouchers.v1 import sanction_pb2 as pb

from services.vouchers.store import redemptions as statements
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.canary import CANARY, everything
from tests.support.quality import Sanction, find, propose, run, sanction, told
from tests.support.vouchers import cents, request_id

Redemption, Rebooking = redemptions.Redemption, rebookings.Rebooking
WARNING, BARRED = Sanction.KIND_WARNING, Sanction.KIND_NO_NEW_RESERVATIONS
SUSPENDED, DELISTED = Sanction.KIND_SUSPENDED, Sanction.KIND_DELISTED


def appeal(world: Any, name: str) -> Any:
    """Appeals, as the school."""
    request = pb.AppealSanctionRequest(name=name, appeal=f"{CANARY} signed", request_id=request_id())
    return world.provider.sanctions.AppealSanction(request)


def decide(world: Any, name: str, who: Any, *, lift: bool) -> Any:
    """Decides an appeal."""
    request = pb.DecideSanctionAppealRequest(
        name=name, lift=lift, decision=f"heard {CANARY}", request_id=request_id()
    )
    return who.sanctions.DecideSanctionAppeal(request)


def test_a_warning_takes_two_people_and_stops_nothing(school: Any) -> None:
    proposed = propose(school, WARNING, reason=f"{CANARY} forged lists")
    read = pb.GetSanctionRequest(name=proposed.name)
    assert (proposed.state, proposed.effective) == (Sanction.STATE_PROPOSED, False)
    assert refused(lambda: school.provider.sanctions.GetSanction(read)) == "NOT_FOUND"
    own = pb.ListSanctionsRequest(organisation=school.organisation)
    assert not school.provider.sanctions.ListSanctions(own).sanctions
    impose = pb.ImposeSanctionRequest(name=proposed.name)
    assert refused(lambda: school.payer.sanctions.ImposeSanction(impose)) == "SAME_PERSON"
    imposed = school.approver.sanctions.ImposeSanction(impose)
    assert (imposed.state, imposed.effective) == (Sanction.STATE_IN_FORCE, True)
    assert CANARY in school.provider.sanctions.GetSanction(read).reason
    assert len(school.provider.sanctions.ListSanctions(own).sanctions) == 1
    assert CANARY not in everything(school.app.engine)
    (event,) = told(school, events_pb2.SanctionImposed)
    assert (event.organisation, event.kind) == (school.organisation, "WARNING")
    school.accepted(school.person_, school.voucher_)
    assert cents(school.batch().total) == 100_000


def test_a_proposal_ends_unseen(school: Any) -> None:
    proposed = propose(school, WARNING)
    decline = pb.DeclineSanctionRequest(name=proposed.name)
    ended = school.payer.sanctions.DeclineSanction(decline)  # whoever made it
    assert (ended.state, ended.effective) == (Sanction.STATE_DECLINED, False)
    assert refused(lambda: school.payer.sanctions.DeclineSanction(decline)) == "WRONG_STATE"
    impose = pb.ImposeSanctionRequest(name=proposed.name)
    assert refused(lambda: school.approver.sanctions.ImposeSanction(impose)) == "WRONG_STATE"
    read = pb.GetSanctionRequest(name=proposed.name)
    assert refused(lambda: school.provider.sanctions.GetSanction(read)) == "NOT_FOUND"
    own = pb.ListSanctionsRequest(organisation=school.organisation)
    assert not school.provider.sanctions.ListSanctions(own).sanctions
    assert not told(school, events_pb2.SanctionImposed)


def test_a_provider_that_is_an_employer_too_sees_no_more(school: Any) -> None:
    """A second role opens what it is allowed to, not what staff see beside the first."""
    both = school.person("provider", "employer", org=school.organisation)
    own = pb.ListSanctionsRequest(organisation=school.organisation)
    propose(school, WARNING)
    assert not both.sanctions.ListSanctions(own).sanctions
    raised = alert_pb2.RaiseAlertRequest(alert=alert_pb2.Alert(target=school.organisation, reason="odd"))
    alert = school.payer.alerts.RaiseAlert(raised).name
    find(school, alert, alert_pb2.Alert.OUTCOME_CONFIRMED)
    school.approver.alerts.CloseAlert(alert_pb2.CloseAlertRequest(name=alert))
    made = sanction(school, WARNING, alert=alert)
    assert [(each.name, each.alert) for each in both.sanctions.ListSanctions(own).sanctions] == [
        (made.name, "")
    ]


def test_another_provider_sees_nothing_of_it(school: Any) -> None:
    made = sanction(school, WARNING)
    other = school.person("provider", org="organisations/other")
    read = pb.GetSanctionRequest(name=made.name)
    assert refused(lambda: other.sanctions.GetSanction(read)) == "NOT_FOUND"
    for named in (school.organisation, ""):
        listing = pb.ListSanctionsRequest(organisation=named)
        assert refused(lambda listing=listing: other.sanctions.ListSanctions(listing)) == "NOT_FOUND"  # type: ignore[misc]
    request = pb.AppealSanctionRequest(name=made.name, appeal="not ours")
    assert refused(lambda: other.sanctions.AppealSanction(request)) == "NOT_FOUND"


def test_an_end_goes_with_the_kind(school: Any) -> None:
    def ask(kind: int, seconds: int = 0) -> Any:
        made = Sanction(organisation=school.organisation, kind=kind, reason="why")  # type: ignore[arg-type]
        if seconds:
            made.end_time.seconds = seconds
        return school.payer.sanctions.ProposeSanction(pb.ProposeSanctionRequest(sanction=made))

    for kind, seconds in ((BARRED, 0), (SUSPENDED, 0), (WARNING, 4_000_000_000), (DELISTED, 4_000_000_000)):
        assert "sanction.end_time" in violations_of(lambda k=kind, s=seconds: ask(k, s))  # type: ignore[misc]
    assert "sanction.end_time" in violations_of(lambda: ask(BARRED, 1))
    assert refused(lambda: propose(school, WARNING, organisation="organisations/none")) == "NOT_FOUND"


def test_a_sanction_can_follow_a_confirmed_alert_only(school: Any) -> None:
    raised = alert_pb2.RaiseAlertRequest(
        alert=alert_pb2.Alert(target=school.organisation, reason="looks fictitious")
    )
    alert = school.payer.alerts.RaiseAlert(raised).name
    assert refused(lambda: propose(school, WARNING, alert=alert)) == "WRONG_STATE"
    find(school, alert, alert_pb2.Alert.OUTCOME_CONFIRMED)
    school.approver.alerts.CloseAlert(alert_pb2.CloseAlertRequest(name=alert))
    made = sanction(school, WARNING, alert=alert)
    assert made.alert == alert
    assert school.provider.sanctions.GetSanction(pb.GetSanctionRequest(name=made.name)).alert == ""


def test_a_sanction_follows_no_alert_about_another_provider(school: Any) -> None:
    school.accredit("organisations/other")
    other = alert_pb2.Alert(target="organisations/other", reason="looks fictitious")
    alert = school.payer.alerts.RaiseAlert(alert_pb2.RaiseAlertRequest(alert=other)).name
    find(school, alert, alert_pb2.Alert.OUTCOME_CONFIRMED)
    school.approver.alerts.CloseAlert(alert_pb2.CloseAlertRequest(name=alert))
    assert list(violations_of(lambda: propose(school, WARNING, alert=alert))) == ["sanction.alert"]
    run(school, "UPDATE alerts SET linked = ARRAY[:school]", school=school.organisation)
    assert propose(school, WARNING, alert=alert).alert == alert  # both had one bank account


def careless(lock: Any) -> Any:
    """Returns the statement as it is without a look at sanctions."""
    made = lock.prepared._replace(
        name="careless", sql=lock.prepared.sql.replace("AS barred", "AND false AS barred"), free=None
    )
    return lock._replace(prepared=made)


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_no_voucher_is_reserved_until_it_ends(
    school: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    before = school.delivered(school.person_, school.voucher_, amount=10_000)
    sanction(school, BARRED)
    if not guarded:
        monkeypatch.setattr(statements, "LOCK_BY_VOUCHER", careless(statements.LOCK_BY_VOUCHER))
        assert school.reserve(school.person_, school.voucher_, 10_000).state == Redemption.STATE_RESERVED
        return
    assert refused(lambda: school.reserve(school.person_, school.voucher_, 10_000)) == "PROVIDER_SANCTIONED"
    late = school.learner()
    assert refused(lambda: school.apply(late, school.plan)) == "PROVIDER_SANCTIONED"  # and none is granted
    accept = redemptions.AcceptRedemptionRequest(name=before.name)
    school.caseworker.redemptions.AcceptRedemption(accept)  # what was booked before goes on
    assert cents(school.batch().total) == 10_000
    run(school, "UPDATE sanctions SET ends_at = now()")
    assert school.reserve(school.person_, school.voucher_, 10_000).state == Redemption.STATE_RESERVED


def test_a_suspension_stops_payment_until_it_is_lifted_by_a_third(school: Any) -> None:
    school.accepted(school.person_, school.voucher_)
    made = sanction(school, SUSPENDED)
    assert refused(school.batch) == "NOTHING_TO_PAY"
    (hold,) = school.auditor.holds.ListHolds(hold_pb2.ListHoldsRequest()).holds
    release = hold_pb2.ReleaseHoldRequest(name=hold.name, finding="a friend of mine")
    assert refused(lambda: school.payer.holds.ReleaseHold(release)) == "WRONG_STATE"
    third = school.person("finance")
    assert refused(lambda: decide(school, made.name, third, lift=True)) == "WRONG_STATE"  # nobody appealed
    assert appeal(school, made.name).state == Sanction.STATE_APPEALED
    assert refused(school.batch) == "NOTHING_TO_PAY"  # it counts until decided
    for who in (school.payer, school.approver):
        assert refused(lambda who=who: decide(school, made.name, who, lift=True)) == "SAME_PERSON"  # type: ignore[misc]
    lifted = decide(school, made.name, third, lift=True)
    assert (lifted.state, lifted.effective, lifted.decision) == (
        Sanction.STATE_LIFTED,
        False,
        f"heard {CANARY}",
    )
    assert CANARY in lifted.appeal
    assert CANARY not in everything(school.app.engine)
    (event,) = told(school, events_pb2.SanctionAppealDecided)
    assert event.lifted
    assert cents(school.batch().total) == 100_000


def test_two_people_lift_it_without_an_appeal(school: Any) -> None:
    school.accepted(school.person_, school.voucher_)
    made = sanction(school, SUSPENDED)
    ask = pb.ProposeSanctionLiftRequest(name=made.name, reason=f"{CANARY} was another school")
    lift = pb.LiftSanctionRequest(name=made.name)
    read = pb.GetSanctionRequest(name=made.name)
    assert refused(lambda: school.payer.sanctions.LiftSanction(lift)) == "WRONG_STATE"
    assert school.payer.sanctions.ProposeSanctionLift(ask).lift_proposed
    seen = school.provider.sanctions.GetSanction(read)
    assert (seen.lift_proposed, seen.lift_reason, seen.effective) == (False, "", True)
    assert refused(lambda: school.payer.sanctions.LiftSanction(lift)) == "SAME_PERSON"
    assert refused(school.batch) == "NOTHING_TO_PAY"
    lifted = school.approver.sanctions.LiftSanction(lift)
    assert (lifted.state, lifted.effective, lifted.lift_proposed) == (Sanction.STATE_LIFTED, False, False)
    assert CANARY in school.provider.sanctions.GetSanction(read).lift_reason
    assert CANARY not in everything(school.app.engine)
    (event,) = told(school, events_pb2.SanctionLifted)
    assert event.sanction == made.name
    assert cents(school.batch().total) == 100_000
    assert refused(lambda: school.payer.sanctions.ProposeSanctionLift(ask)) == "WRONG_STATE"


def test_while_the_provider_is_heard_only_a_third_decides(school: Any) -> None:
    made = sanction(school, BARRED)
    ask = pb.ProposeSanctionLiftRequest(name=made.name, reason="a mistake")
    lift = pb.LiftSanctionRequest(name=made.name)
    school.payer.sanctions.ProposeSanctionLift(ask)
    appeal(school, made.name)
    assert refused(lambda: school.approver.sanctions.LiftSanction(lift)) == "WRONG_STATE"
    decide(school, made.name, school.person("finance"), lift=False)
    assert refused(lambda: school.approver.sanctions.LiftSanction(lift)) == "WRONG_STATE"  # asked too early
    school.payer.sanctions.ProposeSanctionLift(ask)
    assert school.approver.sanctions.LiftSanction(lift).state == Sanction.STATE_LIFTED


def test_an_appeal_has_its_time_and_can_fail(school: Any) -> None:
    made = sanction(school, BARRED, appeal_days=10)
    run(school, "UPDATE sanctions SET imposed_at = imposed_at - interval '10 days'")
    assert refused(lambda: appeal(school, made.name)) == "APPEAL_TIME_OVER"
    run(school, "UPDATE sanctions SET imposed_at = imposed_at + interval '1 hour'")
    appeal(school, made.name)
    assert refused(lambda: appeal(school, made.name)) == "WRONG_STATE"
    upheld = decide(school, made.name, school.person("finance"), lift=False)
    assert (upheld.state, upheld.effective) == (Sanction.STATE_UPHELD, True)
    assert refused(lambda: school.reserve(school.person_, school.voucher_)) == "PROVIDER_SANCTIONED"
