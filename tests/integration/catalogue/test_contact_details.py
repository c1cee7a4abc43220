"""Contact details: another party reads the agreed fields for the agreed purpose while the agreement lasts."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import text
from waymark.catalogue.v1 import agreement_pb2, contact_details_pb2_grpc
from waymark.catalogue.v1 import contact_details_pb2 as pb

from services.catalogue.api import contact_details as api
from services.platform.db.transaction import transaction
from tests.integration.catalogue.agreements import active, calls, drafted, given
from tests.support.catalogue import Catalogue
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused
from tests.support.servers import token

PLACEMENT, SETTLEMENT = agreement_pb2.DATA_PURPOSE_PLACEMENT, agreement_pb2.DATA_PURPOSE_SETTLEMENT
DETAILS = {
    "email": "info@office.example",
    "phone": "+32 3 555 01 00",
    "billing_email": "invoices@office.example",
    "town": "Antwerpen",
}


def details(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(contact_details_pb2_grpc.ContactDetailsServiceStub, access)


def shares(giver: str, *fields: str, purposes: Any = (PLACEMENT,)) -> agreement_pb2.DataSharingTerm:
    return agreement_pb2.DataSharingTerm(giver=giver, purposes=purposes, fields=fields)


def of(organisation: str, purpose: Any = PLACEMENT) -> pb.GetContactDetailsRequest:
    return pb.GetContactDetailsRequest(name=f"{organisation}/contactDetails", purpose=purpose)


def told(message: pb.ContactDetails) -> dict[str, str]:
    return {field: getattr(message, field) for field in DETAILS if getattr(message, field)}


@pytest.fixture
def two(catalogue: Catalogue) -> tuple[str, str]:
    """The office with its details, and a partner."""
    office, partner = catalogue.organisation("office"), catalogue.organisation("harbour")
    given = pb.ContactDetails(name=f"{office}/contactDetails", **DETAILS)
    details(catalogue).UpdateContactDetails(pb.UpdateContactDetailsRequest(contact_details=given))
    return office, partner


def test_ones_own_are_read_and_changed_in_whole(catalogue: Catalogue, two: tuple[str, str]) -> None:
    office, partner = two
    own = details(catalogue, token("provider", org=office))
    read = own.GetContactDetails(of(office, 0))
    assert told(read) == told(details(catalogue).GetContactDetails(of(office, 0))) == DETAILS
    change = pb.UpdateContactDetailsRequest(
        contact_details=pb.ContactDetails(name=read.name, etag=read.etag),
        update_mask=FieldMask(paths=["phone"]),
    )
    assert "phone" not in told(own.UpdateContactDetails(change))
    assert reason_of(own.UpdateContactDetails, change) == "ETAG_STALE"
    change.contact_details.email = "nobody"
    assert reason_of(own.UpdateContactDetails, change) == "INVALID_ARGUMENT"
    foreign = pb.UpdateContactDetailsRequest(
        contact_details=pb.ContactDetails(name=f"{partner}/contactDetails", town="x")
    )
    assert reason_of(own.UpdateContactDetails, foreign) == "NOT_FOUND"
    assert told(details(catalogue).GetContactDetails(of(partner, 0))) == {}


def test_another_party_reads_the_agreed_fields_for_the_agreed_purpose(
    catalogue: Catalogue, two: tuple[str, str]
) -> None:
    office, partner = two
    reader = details(catalogue, token("provider", org=partner))
    terms = [shares(office, "email", "town"), shares(office, "billing_email", purposes=[SETTLEMENT])]
    draft = drafted(catalogue, *two, data_sharing=terms)
    assert reason_of(reader.GetContactDetails, of(office)) == "NOT_FOUND"  # nothing is in force
    agreement = active(catalogue, *two, data_sharing=terms)
    assert list(agreement.data_sharing) == terms
    found = reader.GetContactDetails(of(office))
    assert told(found) == {field: DETAILS[field] for field in ("email", "town")}
    assert list(found.readable_fields) == ["email", "town"]
    assert told(reader.GetContactDetails(of(office, SETTLEMENT))) == {
        "billing_email": DETAILS["billing_email"]
    }
    for purpose in (agreement_pb2.DATA_PURPOSE_STATISTICS, 0):
        assert reason_of(reader.GetContactDetails, of(office, purpose)) == "NOT_FOUND"
    back = details(catalogue, token("provider", org=office))  # what one gives, it does not get
    assert reason_of(back.GetContactDetails, of(partner)) == "NOT_FOUND"
    stranger = details(catalogue, token("provider", org=catalogue.organisation("stranger")))
    assert reason_of(stranger.GetContactDetails, of(office)) == "NOT_FOUND"
    homeless = details(catalogue, token("provider"))
    assert reason_of(homeless.GetContactDetails, of(office)) == "NOT_FOUND"
    assert draft.state == agreement_pb2.Agreement.STATE_DRAFT


def test_control_without_the_filter_every_field_is_read(
    catalogue: Catalogue, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    active(catalogue, *two, data_sharing=[shares(two[0], "email")])
    reader = details(catalogue, token("provider", org=two[1]))
    assert told(reader.GetContactDetails(of(two[0]))) == {"email": DETAILS["email"]}
    monkeypatch.setattr(api, "only", lambda details, fields: details)
    assert told(reader.GetContactDetails(of(two[0]))) == DETAILS


@pytest.mark.parametrize(
    "change",
    [
        "end_date = current_date - 1, start_date = current_date - 9",
        "start_date = current_date + 1",
        "state = 3, end_time = now(), end_reason = 2",
    ],
)
def test_nothing_is_read_when_the_agreement_is_not_in_force(
    catalogue: Catalogue, two: tuple[str, str], change: str
) -> None:
    active(catalogue, *two, data_sharing=[shares(two[0], "email")])
    reader = details(catalogue, token("provider", org=two[1]))
    assert told(reader.GetContactDetails(of(two[0])))
    with transaction(catalogue.app) as tx:
        tx.execute(text(f"UPDATE agreements SET {change}"))
    assert reason_of(reader.GetContactDetails, of(two[0])) == "NOT_FOUND"


def test_terms_are_of_parties_and_of_fields_that_exist(catalogue: Catalogue, two: tuple[str, str]) -> None:
    terms = [shares("organisations/other", "email"), shares(two[0], "etag")]
    request = agreement_pb2.CreateAgreementRequest(agreement=given(*two, data_sharing=terms))
    assert fields_refused(calls(catalogue).CreateAgreement, request) == [
        "agreement.data_sharing[0].giver",
        "agreement.data_sharing[1].fields",
    ]
