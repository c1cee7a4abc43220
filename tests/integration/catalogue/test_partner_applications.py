"""Open sign-up: one application at a time, decided by another person, its reason read by the applicant."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import events_pb2, organisation_pb2, partner_application_pb2_grpc
from waymark.catalogue.v1 import partner_application_pb2 as pb

from services.platform.db.transaction import transaction
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import MANAGER, Catalogue, in_threads
from tests.support.portfolio import reason_of
from tests.support.servers import token

Application = pb.PartnerApplication
APPLICANT = "0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f"


def applying(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(partner_application_pb2_grpc.PartnerApplicationServiceStub, access)


def wish(**changes: Any) -> pb.CreatePartnerApplicationRequest:
    values: dict[str, Any] = {
        "display_name": "Quayside",
        "legal_ids": {"kbo": "0123456789"},
        "sector": organisation_pb2.SECTOR_THIRD,
        "roles": [organisation_pb2.ORGANISATION_ROLE_PARTNER],
        "offer": "Evening classes",
        **changes,
    }
    return pb.CreatePartnerApplicationRequest(partner_application=Application(**values))


@pytest.fixture
def applicant() -> str:
    return token("provider", subject=APPLICANT)


def test_admitted_it_is_an_organisation(catalogue: Catalogue, applicant: str) -> None:
    own = applying(catalogue, applicant)
    made = own.CreatePartnerApplication(wish())
    read = pb.GetPartnerApplicationRequest(name=made.name)
    assert own.GetPartnerApplication(read).state == Application.STATE_OPEN
    assert reason_of(own.CreatePartnerApplication, wish()) == "PARTNER_APPLICATION_OPEN"
    stranger = applying(catalogue, token("provider"))
    assert reason_of(stranger.GetPartnerApplication, read) == "NOT_FOUND"
    manager = applying(catalogue)
    opened = pb.ListPartnerApplicationsRequest(state=Application.STATE_OPEN)
    assert [a.name for a in manager.ListPartnerApplications(opened).partner_applications] == [made.name]
    catalogue.organisation("taken")
    taken = pb.AdmitPartnerRequest(name=made.name, organisation_id="taken")
    assert reason_of(manager.AdmitPartner, taken) == "ALREADY_EXISTS"
    stale = pb.AdmitPartnerRequest(name=made.name, etag='"9"')
    assert reason_of(manager.AdmitPartner, stale) == "ETAG_STALE"
    admit = pb.AdmitPartnerRequest(name=made.name, organisation_id="quayside", etag=made.etag)
    assert manager.AdmitPartner(admit).organisation == "organisations/quayside"
    admit.etag = ""
    assert reason_of(manager.AdmitPartner, admit) == "WRONG_STATE"
    found = catalogue.organisations("").GetOrganisation(
        organisation_pb2.GetOrganisationRequest(name="organisations/quayside")
    )
    assert (found.display_name, dict(found.legal_ids)) == ("Quayside", {"kbo": "0123456789"})
    assert list(found.roles) == [organisation_pb2.ORGANISATION_ROLE_PARTNER]
    assert not manager.ListPartnerApplications(opened).partner_applications
    assert own.CreatePartnerApplication(wish()).name != made.name
    told = events(catalogue, events_pb2.PartnerApplicationDecided)
    assert [(e.partner_application, e.organisation) for e in told] == [(made.name, "organisations/quayside")]
    assert events(catalogue, events_pb2.OrganisationChanged)[-1].organisation == "organisations/quayside"


def test_refused_with_a_reason_that_the_applicant_reads(catalogue: Catalogue, applicant: str) -> None:
    own, manager = applying(catalogue, applicant), applying(catalogue)
    made = own.CreatePartnerApplication(wish())
    groundless = pb.RefusePartnerRequest(name=made.name)
    assert reason_of(manager.RefusePartner, groundless) == "INVALID_ARGUMENT"
    reason = pb.PARTNER_REFUSAL_REASON_NOT_VERIFIED
    manager.RefusePartner(pb.RefusePartnerRequest(name=made.name, reason=reason, note="no such number"))
    read = own.GetPartnerApplication(pb.GetPartnerApplicationRequest(name=made.name))
    assert (read.state, read.refusal_reason, read.refusal_note) == (
        Application.STATE_REFUSED,
        reason,
        "no such number",
    )
    assert [e.organisation for e in events(catalogue, events_pb2.PartnerApplicationDecided)] == [""]


def test_nobody_decides_an_application_of_their_own(catalogue: Catalogue) -> None:
    both = token("provider", "catalogue_manager", subject=MANAGER)
    made = applying(catalogue, both).CreatePartnerApplication(wish())
    admit = pb.AdmitPartnerRequest(name=made.name)
    assert reason_of(applying(catalogue).AdmitPartner, admit) == "SAME_PERSON"
    decided = (
        "UPDATE partner_applications SET state = 3, refusal_reason = 1, decide_time = now(), decided_by = "
    )
    with pytest.raises(IntegrityError, match="second_person"), transaction(catalogue.app) as tx:
        tx.execute(text(decided + "applicant"))
    with transaction(catalogue.app) as tx:  # control
        tx.execute(text("ALTER TABLE partner_applications DROP CONSTRAINT partner_application_second_person"))
        tx.execute(text(decided + "applicant"))


@pytest.mark.parametrize(
    "changes", [{"legal_ids": {}}, {"roles": []}, {"sector": 0}, {"display_name": ""}, {"roles": [1, 1]}]
)
def test_what_is_no_application(catalogue: Catalogue, applicant: str, changes: Any) -> None:
    create = applying(catalogue, applicant).CreatePartnerApplication
    assert reason_of(create, wish(**changes)) == "INVALID_ARGUMENT"


def at_once(catalogue: Catalogue, applicant: str) -> Counter[str]:
    calls = [applying(catalogue, applicant) for _ in range(4)]

    def apply(index: int) -> str:
        return str(calls[index].CreatePartnerApplication(wish()).name)

    return Counter("made" if isinstance(made, str) else "refused" for made in in_threads(len(calls), apply))


def test_one_at_a_time_however_many_calls_arrive(catalogue: Catalogue, applicant: str) -> None:
    assert at_once(catalogue, applicant) == {"made": 1, "refused": 3}


def test_control_without_the_index_every_one_is_taken(catalogue: Catalogue, applicant: str) -> None:
    with transaction(catalogue.app) as tx:
        tx.execute(text("DROP INDEX partner_applications_open"))
    assert at_once(catalogue, applicant) == {"made": 4}
