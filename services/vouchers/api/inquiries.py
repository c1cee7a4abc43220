"""InquiryService: what the desk asks applicants for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2, inquiry_pb2_grpc
from waymark.vouchers.v1 import inquiry_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day, fact_of, moment
from services.vouchers.app import VouchersApp
from services.vouchers.desk import WAITING, lock, taken_in_hand
from services.vouchers.domain.facts import check_all
from services.vouchers.domain.inquiries import check_answer, check_question
from services.vouchers.domain.states import ApplicationState, InquiryState, need
from services.vouchers.store import applications, facts, inquiries, names
from services.vouchers.store.desk_tables import inquiries as table


class InquiryApi(inquiry_pb2_grpc.InquiryServiceServicer):
    """Asks applicants for what a decision lacks."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateInquiry(self, tx: Transaction, request: pb.CreateInquiryRequest) -> pb.Inquiry:
        wanted, today = request.inquiry, tx.today
        due = date_of(wanted.due_date, "inquiry.due_date")
        check_question(wanted.kind, wanted.fact_key, wanted.note, due, today)
        row = lock(tx, request.parent)
        need(ApplicationState(row.state), WAITING)
        taken, application, inquiry = taken_in_hand(tx, row), str(row.id), new_id()
        values = {
            "id": inquiry,
            "application_id": application,
            "kind": wanted.kind,
            "fact_key": wanted.fact_key,
            "sealed_note": self.app.notes.seal(_name(application, inquiry), wanted.note),
            "due_date": due,
            "state": int(InquiryState.OPEN),
            "asked_by": tx.principal.subject,
        }
        asked = inquiries.add(tx, values)
        until = inquiries.latest_due(tx, application)
        applications.change(tx, application, {**taken, "answer_due": until})
        tx.publish(
            events_pb2.InquiryOpened(
                application=f"applications/{application}",
                inquiry=_name(application, inquiry),
                learner=row.learner,
            )
        )
        return self._message(asked)

    @query
    def ListInquiries(self, tx: Transaction, request: pb.ListInquiriesRequest) -> pb.ListInquiriesResponse:
        application = names.uuid_in(request.parent, "applications")
        applications.get(tx, application)
        found = page(
            tx,
            self.app.signer,
            inquiries.of_application(application),
            order_by=[table.c.id],
            request=request,
            filters={"parent": application},
        )
        return pb.ListInquiriesResponse(
            inquiries=map(self._message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def AnswerInquiry(self, tx: Transaction, request: pb.AnswerInquiryRequest) -> pb.Inquiry:
        application, inquiry = _ids(request.name)
        learner = applications.lock(tx, application).learner
        row, today = inquiries.get(tx, application, inquiry), tx.today
        told = [fact_of(request.fact, "fact", today, declared=True)] if request.HasField("fact") else []
        check_answer(
            row.kind,
            row.fact_key,
            InquiryState(row.state),
            row.due_date,
            today,
            told=told[0].key if told else "",
            files=list(request.evidence),
            holder=learner.replace("learners/", "holders/", 1),
        )
        check_all(told, "fact")
        facts.put(tx, learner, told)
        values = {
            "state": int(InquiryState.ANSWERED),
            "answered_at": tx.now,
            "answered_fact": facts.name_of(tx, learner, told[0]) if told else "",
            "evidence": list(request.evidence),
            "sealed_answer": self.app.notes.seal(f"{_name(application, inquiry)}/answer", request.note),
        }
        changed = inquiries.change(tx, inquiry, values)
        applications.change(tx, application, {"answer_due": inquiries.latest_due(tx, application)})
        name = f"applications/{application}"
        tx.publish(events_pb2.InquiryAnswered(application=name, inquiry=_name(application, inquiry)))
        return self._message(changed)

    @mutation
    def WithdrawInquiry(self, tx: Transaction, request: pb.WithdrawInquiryRequest) -> pb.Inquiry:
        application, inquiry = _ids(request.name)
        lock(tx, f"applications/{application}")
        row = inquiries.get(tx, application, inquiry)
        need(InquiryState(row.state), (InquiryState.OPEN,))
        changed = inquiries.change(tx, inquiry, {"state": int(InquiryState.WITHDRAWN)})
        applications.change(tx, application, {"answer_due": inquiries.latest_due(tx, application)})
        return self._message(changed)

    def _message(self, row: Row[Any]) -> pb.Inquiry:
        name = _name(str(row.application_id), str(row.id))
        return pb.Inquiry(
            name=name,
            kind=row.kind,
            fact_key=row.fact_key,
            note=self.app.notes.open(name, row.sealed_note),
            due_date=day(row.due_date),
            state=row.state,
            answered_fact=row.answered_fact,
            evidence=row.evidence,
            answer_note=self.app.notes.open(f"{name}/answer", row.sealed_answer),
            create_time=moment(row.created_at),
            answer_time=moment(row.answered_at),
        )


def _name(application: str, inquiry: str) -> str:
    return f"applications/{application}/inquiries/{inquiry}"


def _ids(name: str) -> tuple[str, str]:
    """Returns the ids in `applications/{id}/inquiries/{id}`; raises Refusal(NOT_FOUND)."""
    parent = "/".join(name.split("/")[:2])
    return names.uuid_in(parent, "applications"), names.uuid_in(name, "inquiries")
