"""Accreditation by criteria: scored, reviewed, asked for once, and told of when it runs out."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import events_pb2
from waymark.catalogue.v1 import organisation_pb2 as pb

from services.catalogue.api import accreditations as api
from services.platform.db.transaction import transaction
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused

MET = [
    pb.AccreditationCriterion(code="1.1", score=90, minimum=60, weight=2),
    pb.AccreditationCriterion(code="4.2", score=60, minimum=60),
]
UNMET = [MET[0], pb.AccreditationCriterion(code="4.2", score=59, minimum=60)]


def grant(organisation: str, criteria: Any = MET, **changes: Any) -> Any:
    values = {"parent": organisation, "valid_to": day("2099-12-31"), "scheme": "Quality mark", **changes}
    return pb.GrantAccreditationRequest(criteria=criteria, **values)


def shift(catalogue: Catalogue, change: str) -> None:
    with transaction(catalogue.app) as tx:
        tx.execute(text(f"UPDATE accreditations SET {change}"))


def test_granted_where_every_criterion_is_met(catalogue: Catalogue) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    unmet = grant(name, UNMET)
    assert reason_of(calls.GrantAccreditation, unmet) == "ACCREDITATION_CRITERIA_NOT_MET"
    assert fields_refused(calls.GrantAccreditation, unmet) == ["criteria[1].score"]
    twice = grant(name, [MET[0], MET[0]])
    assert reason_of(calls.GrantAccreditation, twice) == "INVALID_ARGUMENT"
    late = grant(name, review_date=day("2100-01-01"))
    assert reason_of(calls.GrantAccreditation, late) == "INVALID_ARGUMENT"
    held = calls.GrantAccreditation(grant(name, review_date=day("2098-12-31")))
    assert (held.score, held.review_date) == (80, day("2098-12-31"))
    assert [(each.code, each.score, each.weight) for each in held.criteria] == [
        ("1.1", 90, 2),
        ("4.2", 60, 1),
    ]
    read = catalogue.organisations("").GetOrganisation(pb.GetOrganisationRequest(name=name))
    assert (read.accredited, read.accreditation) == (True, held)


def test_control_without_the_check_whoever_fails_is_accredited(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "check_criteria", lambda criteria: None)
    name = catalogue.organisation("harbour")
    assert catalogue.organisations().GrantAccreditation(grant(name, UNMET)).score == 79


def test_reviewed_it_has_the_new_score(catalogue: Catalogue) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    held = calls.GrantAccreditation(grant(name, review_date=day("2098-12-31")))
    better = [pb.AccreditationCriterion(code="1.1", score=100, minimum=60)]
    unmet = pb.ReviewAccreditationRequest(name=held.name, criteria=UNMET)
    assert reason_of(calls.ReviewAccreditation, unmet) == "ACCREDITATION_CRITERIA_NOT_MET"
    past = pb.ReviewAccreditationRequest(name=held.name, criteria=better, review_date=day("2020-01-01"))
    assert reason_of(calls.ReviewAccreditation, past) == "INVALID_ARGUMENT"
    request = pb.ReviewAccreditationRequest(name=held.name, criteria=better)
    reviewed = calls.ReviewAccreditation(request)
    assert (reviewed.score, reviewed.HasField("review_date")) == (100, False)
    calls.WithdrawAccreditation(pb.WithdrawAccreditationRequest(name=held.name))
    assert reason_of(calls.ReviewAccreditation, request) == "WRONG_STATE"


def test_a_review_is_asked_for_once_a_month_before(catalogue: Catalogue) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    held = calls.GrantAccreditation(grant(name, review_date=day("2098-12-31")))
    api.ask_for_reviews(catalogue.app)
    assert not events(catalogue, events_pb2.AccreditationReviewDue)
    shift(catalogue, "review_date = current_date + 31")
    api.ask_for_reviews(catalogue.app)
    api.ask_for_reviews(catalogue.app)
    told = events(catalogue, events_pb2.AccreditationReviewDue)
    assert [event.accreditation for event in told] == [held.name]
    due = pb.ListOrganisationsRequest(review_due_before=day("2090-01-01"))
    assert [each.name for each in calls.ListOrganisations(due).organisations] == [name]
    request = pb.ReviewAccreditationRequest(name=held.name, criteria=MET, review_date=day("2099-01-31"))
    calls.ReviewAccreditation(request)
    assert not calls.ListOrganisations(due).organisations
    shift(catalogue, "review_date = current_date + 31")
    api.ask_for_reviews(catalogue.app)
    assert len(events(catalogue, events_pb2.AccreditationReviewDue)) == 2


def test_when_it_runs_out_others_hear_that_it_holds_no_more(catalogue: Catalogue) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    calls.GrantAccreditation(grant(name, valid_from=day("2020-01-01")))

    def told() -> list[bool]:
        return [event.accredited for event in events(catalogue, events_pb2.OrganisationChanged)]

    shift(catalogue, "valid_to = current_date")
    api.announce_run_out(catalogue.app)
    assert told() == [False, True]  # its last day is one of its days
    shift(catalogue, "valid_to = current_date - 1")
    api.announce_run_out(catalogue.app)
    api.announce_run_out(catalogue.app)
    assert told() == [False, True, False]
    listed = pb.ListOrganisationsRequest(accredited_only=True)
    assert not calls.ListOrganisations(listed).organisations
    calls.GrantAccreditation(grant(name))
    api.announce_run_out(catalogue.app)
    assert told() == [False, True, False, True]


def test_one_that_was_withdrawn_is_not_told_of_again(catalogue: Catalogue) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    held = calls.GrantAccreditation(grant(name, valid_from=day("2020-01-01")))
    calls.WithdrawAccreditation(pb.WithdrawAccreditationRequest(name=held.name))
    shift(catalogue, "valid_to = current_date - 1")
    api.announce_run_out(catalogue.app)
    assert len(events(catalogue, events_pb2.OrganisationChanged)) == 3
