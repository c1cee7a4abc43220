"""An alert stops money until somebody has found out and somebody else has verified the finding."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.vouchers.v1 import alert_pb2 as pb
from waymark.vouchers.v1 import events_pb2, hold_pb2, redemption_pb2
from waymark.vouchers.v1 import monitoring_rule_pb2 as rules

from services.vouchers.store import holds
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.canary import CANARY, everything
from tests.support.quality import Alert, alerts, close, find, look, rule, run, told
from tests.support.vouchers import NO_EVIDENCE, World, cents, eur, request_id

CONFIRMED, UNFOUNDED = Alert.OUTCOME_CONFIRMED, Alert.OUTCOME_UNFOUNDED


@pytest.fixture
def alarmed(world: World) -> Any:
    """A world with an account in which 1 000 euro are stopped by an alert."""
    rule(world, amount=rules.AmountCondition(above=eur(50_000)))
    made: Any = world
    made.redemption = world.accepted(*world.voucher(world.programme(**NO_EVIDENCE)))
    world.bank_account()
    (made.alert,) = look(world)
    return made


def release(world: World, hold: str, who: Any = None) -> Any:
    """Releases a hold by hand."""
    request = hold_pb2.ReleaseHoldRequest(name=hold, finding="looks fine to me")
    return (who or world.approver).holds.ReleaseHold(request)


def test_an_unfounded_alert_is_verified_by_another_and_lets_the_money_go(alarmed: Any) -> None:
    assert refused(alarmed.batch) == "NOTHING_TO_PAY"
    found = find(alarmed, alarmed.alert.name, UNFOUNDED)
    assert (found.state, found.outcome, found.evidence) == (Alert.STATE_FINDING, UNFOUNDED, "case 2026/17")
    assert refused(alarmed.batch) == "NOTHING_TO_PAY"  # not verified yet
    closed = close(alarmed, alarmed.alert.name)
    assert (closed.state, list(closed.follow_ups)) == (Alert.STATE_CLOSED, [])
    (event,) = told(alarmed, events_pb2.AlertClosed)
    assert (event.alert, event.target, event.outcome) == (closed.name, alarmed.redemption.name, "UNFOUNDED")
    assert cents(alarmed.batch().total) == 100_000
    assert refused(lambda: close(alarmed, closed.name)) == "WRONG_STATE"
    assert refused(lambda: find(alarmed, closed.name, CONFIRMED)) == "WRONG_STATE"


def test_a_confirmed_one_stays_held_and_offers_what_can_follow(alarmed: Any) -> None:
    find(alarmed, alarmed.alert.name, CONFIRMED)
    closed = close(alarmed, alarmed.alert.name)
    assert list(closed.follow_ups) == [
        Alert.FOLLOW_UP_CLAW_BACK,
        Alert.FOLLOW_UP_SANCTION,
        Alert.FOLLOW_UP_RELEASE_HOLD,
    ]
    assert refused(alarmed.batch) == "NOTHING_TO_PAY"
    alarmed.payer.redemptions.ClawBackRedemption(
        redemption_pb2.ClawBackRedemptionRequest(
            name=alarmed.redemption.name,
            amount=eur(40_000),
            reason_code=redemption_pb2.Redemption.END_REASON_NOT_ATTENDED,
        )
    )
    release(alarmed, closed.hold)
    assert cents(alarmed.batch().total) == 60_000
    assert alarmed.verify().intact


def test_one_person_does_not_find_and_verify(alarmed: Any) -> None:
    find(alarmed, alarmed.alert.name, UNFOUNDED)
    both = alarmed.person("caseworker", "finance", subject=alarmed.caseworker.subject)
    request = pb.CloseAlertRequest(name=alarmed.alert.name)
    assert refused(lambda: both.alerts.CloseAlert(request)) == "SAME_PERSON"
    assert refused(lambda: alarmed.caseworker.alerts.CloseAlert(request)) == "PERMISSION_DENIED"


def test_a_finding_that_convinces_nobody_is_sent_back(alarmed: Any) -> None:
    reopen = pb.ReopenAlertRequest(name=alarmed.alert.name)
    assert refused(lambda: alarmed.approver.alerts.ReopenAlert(reopen)) == "WRONG_STATE"
    find(alarmed, alarmed.alert.name, UNFOUNDED)
    again = alarmed.approver.alerts.ReopenAlert(reopen)
    assert (again.state, again.outcome, again.evidence) == (Alert.STATE_OPEN, 0, "")
    assert refused(alarmed.batch) == "NOTHING_TO_PAY"
    assert alerts(alarmed, state=Alert.STATE_OPEN)[0].name == again.name
    assert alerts(alarmed, state=Alert.STATE_CLOSED) == []


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_the_hold_of_an_alert_is_not_released_before_a_finding_is_verified(
    alarmed: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    hold = alarmed.alert.hold
    assert refused(lambda: release(alarmed, hold)) == "FINDING_NEEDED"
    find(alarmed, alarmed.alert.name, UNFOUNDED)
    assert refused(lambda: release(alarmed, hold)) == "FINDING_NEEDED"
    real = holds.get

    class Forgetful:
        alert_id, verified_by, placed_by, released_at, target = None, "", "", None, ""

    monkeypatch.setattr(holds, "get", lambda tx, key: real(tx, key) and Forgetful)
    if guarded:
        assert (
            refused(lambda: release(alarmed, hold)) == "INTERNAL"
        )  # the table refuses what the code lets by
        assert refused(alarmed.batch) == "NOTHING_TO_PAY"
        return
    run(alarmed, "ALTER TABLE holds DROP CONSTRAINT holds_finding_verified")
    alarmed.app.engine.dispose()
    release(alarmed, hold)
    assert cents(alarmed.batch().total) == 100_000  # on one person's word


def test_an_alert_raised_by_hand_needs_three_people(world: World) -> None:
    redemption = world.accepted(*world.voucher(world.programme(**NO_EVIDENCE)))
    world.bank_account()
    raised = pb.RaiseAlertRequest(
        alert=Alert(target=redemption.name, reason=f"{CANARY} called"),
        place_hold=True,
        request_id=request_id(),
    )
    alert = world.caseworker.alerts.RaiseAlert(raised)
    assert (alert.kind, alert.rule, alert.redemption) == (Alert.KIND_PERSON, "", redemption.name)
    assert world.caseworker.alerts.RaiseAlert(raised) == alert  # a repeat
    raised.request_id = request_id()
    assert refused(lambda: world.payer.alerts.RaiseAlert(raised)) == "ALERT_OPEN"
    assert refused(lambda: find(world, alert.name, UNFOUNDED)) == "SAME_PERSON"
    finding = pb.RecordFindingRequest(
        name=alert.name, outcome=UNFOUNDED, evidence="case 1", finding=f"{CANARY} erred"
    )
    world.payer.alerts.RecordFinding(finding)
    raiser = world.person("finance", subject=world.caseworker.subject)
    request = pb.CloseAlertRequest(name=alert.name)
    assert refused(lambda: raiser.alerts.CloseAlert(request)) == "SAME_PERSON"
    assert CANARY in close(world, alert.name).finding
    assert CANARY not in everything(world.app.engine)
    assert cents(world.batch().total) == 100_000
    raised.request_id = request_id()
    assert world.payer.alerts.RaiseAlert(raised).name != alert.name  # the first is closed


def test_an_alert_must_be_about_something_and_say_why(world: World) -> None:
    def by_hand(target: str, reason: str = "looks fictitious") -> Any:
        request = pb.RaiseAlertRequest(alert=Alert(target=target, reason=reason))
        return world.payer.alerts.RaiseAlert(request)

    assert by_hand(world.course).organisation == world.organisation
    assert by_hand(world.organisation).organisation == world.organisation
    for target in ("courses/none", "organisations/none", f"redemptions/{request_id()}", "redemptions/x"):
        assert refused(lambda target=target: by_hand(target)) == "NOT_FOUND"  # type: ignore[misc]
    assert "alert.reason" in violations_of(lambda: by_hand(world.course, ""))
    assert {alert.target for alert in alerts(world, organisation=world.organisation)} == {
        world.course,
        world.organisation,
    }
    assert alerts(world, organisation="organisations/other") == []
    assert not any(alert.hold for alert in alerts(world))


@pytest.mark.parametrize("role", ["provider", "learner"])
def test_a_provider_and_a_learner_see_no_alert(alarmed: Any, role: str) -> None:
    person = alarmed.provider if role == "provider" else alarmed.learner()
    request = pb.GetAlertRequest(name=alarmed.alert.name)
    assert refused(lambda: person.alerts.GetAlert(request)) == "PERMISSION_DENIED"
    listing = pb.ListAlertsRequest()
    assert refused(lambda: person.alerts.ListAlerts(listing)) == "PERMISSION_DENIED"
