"""Applications as messages."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import ParseDict
from sqlalchemy import Row
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import eligibility_pb2

from services.platform.db.etags import etag_of
from services.vouchers.api.convert import day, moment
from services.vouchers.domain.money import money
from services.vouchers.domain.notes import Notes
from services.vouchers.domain.states import ApplicationState


def application_message(row: Row[Any], notes: Notes) -> pb.Application:
    """Returns a row as message."""
    name = f"applications/{row.id}"
    programme = f"programmes/{row.programme_id}"
    allocated = row.session.startswith("allocations/")
    return pb.Application(
        name=name,
        learner=row.learner,
        programme=programme,
        session="" if allocated else row.session,
        allocation=row.session if allocated else "",
        state=row.state,
        programme_version=f"{programme}/versions/{row.version_number}",
        shortage_list_version=row.shortage_version,
        shortage_entry=row.shortage_entry,
        fact_hash=row.fact_hash,
        clauses=[ParseDict(item, eligibility_pb2.ClauseOutcome()) for item in row.clauses],
        reason_codes=row.reason_codes,
        decision_reason=notes.open(name, row.sealed_note),
        automatic=row.automatic,
        amount=money(row.amount_cents, row.currency),
        learner_share=money(row.share_cents, row.currency),
        target_group=row.target_group,
        voucher=f"vouchers/{row.voucher_id}" if row.voucher_id else "",
        create_time=moment(row.created_at),
        decide_time=moment(row.decided_at),
        etag=etag_of(row.version),
        assignee=row.assignee,
        answer_due_date=day(row.answer_due) if row.answer_due else None,
        appeal=_appeal(row, notes),
        appeal_until_date=day(row.appeal_until) if _can_be_appealed(row) else None,
    )


def _can_be_appealed(row: Row[Any]) -> bool:
    return row.state == ApplicationState.REFUSED and row.appealed_at is None and row.appeal_until is not None


def _appeal(row: Row[Any], notes: Notes) -> pb.Appeal | None:
    if row.appealed_at is None:
        return None
    name = f"applications/{row.id}"
    return pb.Appeal(
        grounds=notes.open(f"{name}/grounds", row.sealed_grounds),
        create_time=moment(row.appealed_at),
        outcome=row.appeal_outcome,
        decision_reason=notes.open(f"{name}/appeal", row.sealed_appeal_note),
        decide_time=moment(row.appeal_decided_at),
    )
