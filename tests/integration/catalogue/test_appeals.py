"""Appeals of partners: by whom it concerns, decided by a second person, and what is undone by them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import appeal_pb2 as pb
from waymark.catalogue.v1 import (
    appeal_pb2_grpc,
    events_pb2,
    organisation_pb2,
    partner_application_pb2,
    quality_hold_pb2,
)

from services.platform.db.transaction import transaction
from tests.integration.catalogue.holds import calls as holds
from tests.integration.catalogue.holds import place
from tests.integration.catalogue.outbox import events
from tests.integration.catalogue.test_partner_applications import Application, applying, wish
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.servers import token

Appeal = pb.Appeal


def appealing(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(appeal_pb2_grpc.AppealServiceStub, access)


def against(subject: str) -> pb.FileAppealRequest:
    return pb.FileAppealRequest(appeal=Appeal(subject=subject, reason="It was another site."))


def deciding(appeal: str, *, upheld: bool) -> pb.DecideAppealRequest:
    return pb.DecideAppealRequest(name=appeal, upheld=upheld, finding="Seen again.")


def test_a_hold_is_appealed_against_by_whom_it_concerns_and_decided_by_a_second_person(
    catalogue: Catalogue,
) -> None:
    harbour = catalogue.organisation("harbour")
    hold = place(catalogue, harbour).name
    own = appealing(catalogue, token("provider", org=harbour))
    for org in ("organisations/other", ""):
        stranger = appealing(catalogue, token("provider", org=org))
        assert reason_of(stranger.FileAppeal, against(hold)) == "NOT_FOUND"
        assert not stranger.ListAppeals(pb.ListAppealsRequest()).appeals
    filed = own.FileAppeal(against(hold))
    assert (filed.organisation, filed.state) == (harbour, Appeal.STATE_OPEN)
    assert reason_of(own.FileAppeal, against(hold)) == "ALREADY_EXISTS"
    decide = deciding(filed.name, upheld=True)
    assert reason_of(appealing(catalogue).DecideAppeal, decide) == "SAME_PERSON"
    with pytest.raises(IntegrityError, match="second_person"), transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE appeals SET decided_by = against, state = 2"))
    second = appealing(catalogue, catalogue.second)
    assert second.DecideAppeal(decide).state == Appeal.STATE_UPHELD
    assert reason_of(second.DecideAppeal, decide) == "WRONG_STATE"
    (read,) = holds(catalogue).ListQualityHolds(quality_hold_pb2.ListQualityHoldsRequest()).quality_holds
    assert read.outcome == quality_hold_pb2.QualityHold.OUTCOME_UNFOUNDED
    assert own.ListAppeals(pb.ListAppealsRequest()).appeals[0].finding == "Seen again."
    assert reason_of(own.FileAppeal, against(hold)) == "WRONG_STATE"  # it is lifted
    told = events(catalogue, events_pb2.AppealChanged)
    assert [(each.decided, each.upheld) for each in told] == [(False, False), (True, True)]
    # One that is dismissed changes nothing, and ends it.
    hold = place(catalogue, harbour).name
    filed = own.FileAppeal(against(hold))
    second.DecideAppeal(deciding(filed.name, upheld=False))
    assert reason_of(own.FileAppeal, against(hold)) == "ALREADY_EXISTS"
    still = quality_hold_pb2.ListQualityHoldsRequest(open_only=True)
    assert len(holds(catalogue).ListQualityHolds(still).quality_holds) == 1


def test_a_withdrawn_accreditation_stands_again(catalogue: Catalogue) -> None:
    harbour = catalogue.organisation("harbour")
    own, second = (
        appealing(catalogue, access) for access in (token("provider", org=harbour), catalogue.second)
    )
    grant = organisation_pb2.GrantAccreditationRequest(parent=harbour, valid_to=day("2099-12-31"))
    granted = catalogue.organisations().GrantAccreditation(grant).name
    assert reason_of(own.FileAppeal, against(granted)) == "WRONG_STATE"
    withdraw = organisation_pb2.WithdrawAccreditationRequest(name=granted, reason="no lists")
    catalogue.organisations().WithdrawAccreditation(withdraw)
    assert not events(catalogue, events_pb2.OrganisationChanged)[-1].accredited
    decide = deciding(own.FileAppeal(against(granted)).name, upheld=True)
    assert reason_of(appealing(catalogue).DecideAppeal, decide) == "SAME_PERSON"
    instead = catalogue.organisations().GrantAccreditation(grant).name
    assert reason_of(second.DecideAppeal, decide) == "ACCREDITATION_OVERLAPS"
    again = organisation_pb2.WithdrawAccreditationRequest(name=instead)
    catalogue.organisations().WithdrawAccreditation(again)
    second.DecideAppeal(decide)
    assert events(catalogue, events_pb2.OrganisationChanged)[-1].accredited
    catalogue.organisations().WithdrawAccreditation(withdraw)  # withdrawn anew, so appealed against anew
    assert own.FileAppeal(against(granted)).state == Appeal.STATE_OPEN


def test_a_refused_application_is_decided_anew(catalogue: Catalogue) -> None:
    access = token("employer")
    own, applicant = applying(catalogue, access), appealing(catalogue, access)
    made = own.CreatePartnerApplication(wish()).name
    assert reason_of(applicant.FileAppeal, against(made)) == "WRONG_STATE"
    refuse = partner_application_pb2.RefusePartnerRequest(
        name=made, reason=partner_application_pb2.PARTNER_REFUSAL_REASON_NO_NEED
    )
    applying(catalogue).RefusePartner(refuse)
    assert reason_of(appealing(catalogue, token("employer")).FileAppeal, against(made)) == "NOT_FOUND"
    filed = applicant.FileAppeal(against(made))
    assert [each.name for each in applicant.ListAppeals(pb.ListAppealsRequest()).appeals] == [filed.name]
    decide = deciding(filed.name, upheld=True)
    assert reason_of(appealing(catalogue).DecideAppeal, decide) == "SAME_PERSON"
    appealing(catalogue, catalogue.second).DecideAppeal(decide)
    read = partner_application_pb2.GetPartnerApplicationRequest(name=made)
    assert own.GetPartnerApplication(read).state == Application.STATE_OPEN
    applying(catalogue).AdmitPartner(partner_application_pb2.AdmitPartnerRequest(name=made))
