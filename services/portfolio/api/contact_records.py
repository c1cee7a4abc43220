"""ContactRecordService."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from waymark.portfolio.v1 import contact_record_pb2 as pb
from waymark.portfolio.v1 import contact_record_pb2_grpc
from waymark.portfolio.v1.mandate_pb2 import MANDATE_PART_CASE

from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import guidance, names
from services.portfolio.domain.dates import check_expiry, moment, refuse
from services.portfolio.requests import CASE, reader_of
from services.portfolio.store import guidance_cases, mandates
from services.portfolio.store.guidance_words import CONTACT_RECORDS
from services.portfolio.store.vault import open_vault

FURTHEST = timedelta(days=731)  # ahead, of the next contact
OLDEST = timedelta(days=366)  # of a contact that is written down now


class ContactRecordApi(contact_record_pb2_grpc.ContactRecordServiceServicer):
    """The contact log of a case."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateContactRecord(
        self, tx: Transaction, request: pb.CreateContactRecordRequest
    ) -> pb.ContactRecord:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        contact = without_outputs(request.contact_record)
        _fill_times(contact, tx.now)
        case = guidance_cases.lock(tx, vault)
        if not contact.HasField("next_contact_time"):
            contact.next_contact_time.FromDatetime(tx.now + guidance.CADENCE[case.tier])
        guidance.note_contact(case, contact)
        by = {"counsellor": tx.principal.subject, "organisation": tx.principal.organisation}
        made = CONTACT_RECORDS.add(tx, vault, contact, **by)
        mandates.due_next(
            tx, holder, contact.next_contact_time.ToDatetime(tzinfo=UTC), CASE, MANDATE_PART_CASE
        )
        guidance_cases.save(tx, vault, case)
        return made

    @portfolio_call
    def ListContactRecords(
        self, tx: Transaction, request: pb.ListContactRecordsRequest
    ) -> pb.ListContactRecordsResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault, reader = open_vault(tx, self.app.keys, holder), reader_of(tx, holder)
        page = CONTACT_RECORDS.page(tx, self.app.signer, vault, request)
        shown = [each if reader.reads(each.organisation) else _outline(each) for each in page.messages]
        return pb.ListContactRecordsResponse(contact_records=shown, next_page_token=page.next_page_token)


def _outline(contact: pb.ContactRecord) -> pb.ContactRecord:
    """Returns that there was a contact, when, by what way and of which organisation."""
    return pb.ContactRecord(
        name=contact.name,
        channel=contact.channel,
        contact_time=contact.contact_time,
        organisation=contact.organisation,
        create_time=contact.create_time,
    )


def _fill_times(contact: pb.ContactRecord, now: datetime) -> None:
    """Fills in when they met; raises Refusal(INVALID_ARGUMENT) for times that cannot be."""
    if contact.HasField("contact_time"):
        ago = now - moment("contact_record.contact_time", contact.contact_time)
        if not timedelta() <= ago <= OLDEST:
            refuse([Violation("contact_record.contact_time", "must be in the past, at most a year ago")])
    else:
        contact.contact_time.FromDatetime(now)
    if contact.HasField("next_contact_time"):
        check_expiry("contact_record.next_contact_time", contact.next_contact_time, now=now, longest=FURTHEST)
