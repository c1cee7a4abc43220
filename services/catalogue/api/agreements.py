"""AgreementService: drafted by one person, put in force by another, ended by hand or by its last day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from sqlalchemy import Row
from waymark.catalogue.v1 import agreement_pb2 as pb
from waymark.catalogue.v1 import agreement_pb2_grpc
from waymark.catalogue.v1.organisation_pb2 import ORGANISATION_ROLE_PUBLIC_EMPLOYMENT_SERVICE
from waymark.errors.v1 import reason_pb2

from services.catalogue import events
from services.catalogue.api.messages import last, last_uuid, only_own, optional_day, put_date
from services.catalogue.domain.agreement import (
    DEMANDS,
    REVIEW_MONTHS,
    EndReason,
    Form,
    State,
    check_activation,
    check_change,
    check_complete,
    check_pes,
    check_state,
    faults,
)
from services.catalogue.domain.data_sharing import Term, term_faults
from services.catalogue.events import review_date
from services.catalogue.store import agreements as store
from services.catalogue.store import organisation_tree, organisations
from services.catalogue.store.agreement_tables import agreements
from services.platform.app import App
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import merged


class AgreementApi(agreement_pb2_grpc.AgreementServiceServicer):
    """What organisations have agreed on."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateAgreement(self, tx: Transaction, request: pb.CreateAgreementRequest) -> pb.Agreement:
        values = _columns(tx, request.agreement)
        _check_pes(tx, values["parties"])
        return agreement_message(store.add(tx, values))

    @query
    def GetAgreement(self, tx: Transaction, request: pb.GetAgreementRequest) -> pb.Agreement:
        return agreement_message(store.read(tx, last(request.name)))

    @query
    def ListAgreements(self, tx: Transaction, request: pb.ListAgreementsRequest) -> pb.ListAgreementsResponse:
        own, party = only_own(tx.principal), last(request.party)
        before = optional_day(request, "review_due_before")
        mine = tx.principal.subject.lower() if request.mine else ""
        found = page(
            tx,
            self.app.signer,
            store.listing([each for each in (own, party) if each], request.state, before, mine),
            order_by=[agreements.c.id.desc()],
            request=request,
            filters={"own": own, "party": party, "state": request.state, "mine": mine, "before": str(before)},
        )
        return pb.ListAgreementsResponse(
            agreements=map(agreement_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def UpdateAgreement(self, tx: Transaction, request: pb.UpdateAgreementRequest) -> pb.Agreement:
        row = store.read(tx, last_uuid(request.agreement.name), lock=True)
        check_etag(request.agreement.etag, row.version)
        wanted = merged(agreement_message(row), request.agreement, request.update_mask, "agreement")
        values = _columns(tx, wanted)
        changed = {field: value for field, value in values.items() if value != getattr(row, field)}
        check_change(row.state, changed)
        if "parties" in changed:
            _check_pes(tx, changed["parties"])
        write = store.rewrite if row.state == State.DRAFT else store.change
        return agreement_message(write(tx, row.id, changed))

    @mutation
    def ActivateAgreement(self, tx: Transaction, request: pb.ActivateAgreementRequest) -> pb.Agreement:
        row = store.read(tx, last(request.name), lock=True)
        check_etag(request.etag, row.version)
        _check_pes(tx, row.parties)
        check_activation(row.state, row.drafted_by, tx.principal.subject, row.end_date, tx.today)
        form = Form(row.form)
        check_complete(form, [field for field in DEMANDS[form] if getattr(row, field)])
        return _told(tx, store.activate(tx, row.id))

    @mutation
    def EndAgreement(self, tx: Transaction, request: pb.EndAgreementRequest) -> pb.Agreement:
        row = store.read(tx, last(request.name), lock=True)
        check_etag(request.etag, row.version)
        check_state(row.state, State.DRAFT, State.ACTIVE)
        if row.state == State.DRAFT:  # nobody has heard of it
            return agreement_message(store.end(tx, row.id, EndReason.GIVEN_UP))
        return _told(tx, store.end(tx, row.id, request.reason))


def end_those_over(app: App) -> None:
    """Ends agreements whose last day is over; a job."""
    with transaction(app) as tx:
        for row in store.end_those_over(tx):
            tx.publish(events.agreement_changed(row))


def ask_for_agreement_reviews(app: App) -> None:
    """Asks once for each review, a month before it is due; a job."""
    with transaction(app) as tx:
        for row in store.to_remind(tx):
            tx.publish(events.agreement_review_due(row))


def _told(tx: Transaction, row: Row[Any]) -> pb.Agreement:
    tx.publish(events.agreement_changed(row))
    return agreement_message(row)


def _check_pes(tx: Transaction, parties: Sequence[str]) -> None:
    above = [organisation_tree.above(tx.connection, party) for party in parties]
    check_pes(above, organisations.of_role(tx, ORGANISATION_ROLE_PUBLIC_EMPLOYMENT_SERVICE))


def _columns(tx: Transaction, given: pb.Agreement) -> dict[str, Any]:
    """Returns the columns of a draft; raises Refusal INVALID_ARGUMENT, or NOT_FOUND for an unknown party."""
    start, end = optional_day(given, "start_date"), optional_day(given, "end_date")
    terms = [Term(last(term.giver), list(term.purposes), list(term.fields)) for term in given.data_sharing]
    wrong = faults(given.parties, given.owner, given.monitor, start, end)
    wrong += term_faults(terms, [last(party) for party in given.parties])
    if wrong:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=wrong)
    return {
        "display_names": dict(given.display_names),
        "parties": [organisations.read(tx.connection, last(party)).id for party in given.parties],
        "models": list(given.models),
        "form": given.form,
        "selection_procedure": given.selection_procedure,
        "start_date": start,
        "end_date": end,
        "volumes": [MessageToDict(volume) for volume in given.volumes],
        "standards": list(given.standards),
        "owner": given.owner.lower(),
        "monitor": given.monitor.lower(),
        "data_sharing": list(map(asdict, terms)),
        "review_months": given.review_months or REVIEW_MONTHS,
    }


def agreement_message(row: Row[Any]) -> pb.Agreement:
    """Returns the message of an agreement."""
    answer = pb.Agreement(
        name=f"agreements/{row.id}",
        display_names=row.display_names,
        parties=[f"organisations/{party}" for party in row.parties],
        models=row.models,
        form=row.form,
        selection_procedure=row.selection_procedure,
        volumes=[ParseDict(volume, pb.AgreementVolume()) for volume in row.volumes],
        standards=row.standards,
        owner=row.owner,
        monitor=row.monitor,
        state=row.state,
        end_reason=row.end_reason,
        etag=etag_of(row.version),
        review_months=row.review_months,
        data_sharing=map(_sharing, row.data_sharing),
    )
    if row.state == State.ACTIVE:
        put_date(answer.review_date, review_date(row))
    for field in ("start_date", "end_date"):
        if value := getattr(row, field):
            put_date(getattr(answer, field), value)
    for field in ("activate_time", "end_time", "create_time"):
        if value := getattr(row, field):
            getattr(answer, field).FromDatetime(value)
    return answer


def _sharing(term: dict[str, Any]) -> pb.DataSharingTerm:
    giver = f"organisations/{term['giver']}"
    return pb.DataSharingTerm(giver=giver, purposes=term["purposes"], fields=term["fields"])
