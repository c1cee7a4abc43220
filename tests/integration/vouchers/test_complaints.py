"""Learners say what went wrong; rules decide when that stops money."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from waymark.vouchers.v1 import complaint_pb2 as pb
from waymark.vouchers.v1 import monitoring_rule_pb2 as rules

from services.vouchers.store import complaints, monitoring
from tests.integration.vouchers.refusals import refused
from tests.support.canary import CANARY, everything
from tests.support.quality import Alert, Rule, alerts, rule, run
from tests.support.vouchers import NO_EVIDENCE, Person, World, cents, request_id

Complaint = pb.Complaint


def complain(person: Person, redemption: str, kind: Any = Complaint.KIND_NOT_HELD, note: str = "") -> Any:
    """Files a complaint."""
    return person.complaints.FileComplaint(
        pb.FileComplaintRequest(
            parent=redemption, complaint=Complaint(kind=kind, note=note), request_id=request_id()
        )
    )


@pytest.fixture
def booked(world: World) -> Any:
    """A world with an account, a learner and an accepted redemption of 1 000 euro."""
    made: Any = world
    made.plan = world.programme(fund=10_000_000, **NO_EVIDENCE)
    made.person_, made.voucher_ = world.voucher(made.plan)
    made.redemption = world.accepted(made.person_, made.voucher_)
    world.bank_account()
    return made


def test_a_complaint_is_kept_sealed_and_read_by_the_learner_and_staff(booked: Any) -> None:
    filed = complain(booked.person_, booked.redemption.name, note=f"{CANARY} was never there")
    assert (filed.redemption, filed.organisation) == (booked.redemption.name, booked.organisation)
    request = pb.GetComplaintRequest(name=filed.name)
    for person in (booked.person_, booked.caseworker, booked.auditor):
        assert CANARY in person.complaints.GetComplaint(request).note
    assert CANARY not in everything(booked.app.engine)
    again = {"person": booked.person_, "redemption": booked.redemption.name}
    assert refused(lambda: complain(**again)) == "COMPLAINT_EXISTS"
    other = complain(**again, kind=Complaint.KIND_PRESSURE)
    mine = pb.ListComplaintsRequest(learner=booked.person_.learner)
    listed = booked.person_.complaints.ListComplaints(mine).complaints
    assert [each.name for each in listed] == [other.name, filed.name]
    assert cents(booked.batch().total) == 100_000  # without a rule it stops nothing


def test_nobody_else_files_or_reads_it(booked: Any) -> None:
    filed = complain(booked.person_, booked.redemption.name)
    request = pb.GetComplaintRequest(name=filed.name)
    stranger = booked.learner()
    assert refused(lambda: complain(stranger, booked.redemption.name)) == "NOT_FOUND"
    assert refused(lambda: stranger.complaints.GetComplaint(request)) == "NOT_FOUND"
    theirs = pb.ListComplaintsRequest(learner=booked.person_.learner)
    assert refused(lambda: stranger.complaints.ListComplaints(theirs)) == "NOT_FOUND"
    assert refused(lambda: stranger.complaints.ListComplaints(pb.ListComplaintsRequest())) == "NOT_FOUND"
    assert refused(lambda: booked.provider.complaints.GetComplaint(request)) == "PERMISSION_DENIED"
    of_us = pb.ListComplaintsRequest(organisation=booked.organisation)
    assert refused(lambda: booked.provider.complaints.ListComplaints(of_us)) == "PERMISSION_DENIED"


def test_a_rule_makes_a_complaint_stop_the_money_at_once(booked: Any) -> None:
    rule(booked, complaint=rules.ComplaintCondition(count=1, within_days=30))
    complain(booked.person_, booked.redemption.name)
    (alert,) = alerts(booked)
    assert (alert.kind, alert.target, alert.measured) == (Alert.KIND_COMPLAINT, booked.redemption.name, 1)
    assert refused(booked.batch) == "NOTHING_TO_PAY"


def test_so_many_within_so_many_days_about_the_provider(booked: Any) -> None:
    condition = rules.ComplaintCondition(count=2, within_days=30)
    rule(booked, complaint=condition, hold_on=Rule.HOLD_ON_PROVIDER)
    complain(booked.person_, booked.redemption.name)
    run(booked, "UPDATE complaints SET created_at = created_at - interval '30 days'")
    second, voucher = booked.voucher(booked.plan)
    redemption = booked.accepted(second, voucher).name
    complain(second, redemption)
    assert alerts(booked) == []  # the first is too long ago
    complain(second, redemption, Complaint.KIND_EXTRA_PAYMENT)
    (alert,) = alerts(booked)
    assert (alert.target, alert.measured, alert.limit) == (booked.organisation, 2, 2)
    assert refused(booked.batch) == "NOTHING_TO_PAY"
    complain(second, redemption, Complaint.KIND_OTHER)
    assert len(alerts(booked)) == 1  # one while it is open


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_two_complaints_at_once_are_counted_together(
    booked: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Neither sees the other before it is committed; who counts second must wait for that."""
    rule(booked, complaint=rules.ComplaintCondition(count=2, within_days=30))
    real, name = complaints.count_since, booked.redemption.name
    other = threading.Thread(target=complain, args=(booked.person_, name, Complaint.KIND_PRESSURE))

    def count_while_another_comes(*asked: Any) -> int:
        monkeypatch.setattr(complaints, "count_since", real)
        counted = real(*asked)
        other.start()
        other.join(1)
        return counted

    monkeypatch.setattr(complaints, "count_since", count_while_another_comes)
    if not guarded:
        monkeypatch.setattr(monitoring, "lock_rule", lambda *_: None)
    complain(booked.person_, name)
    other.join()
    assert [alert.measured for alert in alerts(booked)] == [2] * guarded
