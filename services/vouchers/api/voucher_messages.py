"""Vouchers as messages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import voucher_pb2 as pb

from services.platform.db.etags import etag_of
from services.vouchers.api.convert import moment
from services.vouchers.domain.money import money
from services.vouchers.domain.notes import Notes


def voucher_message(row: Row[Any], notes: Notes) -> pb.Voucher:
    """Returns a row as message."""
    name = f"vouchers/{row.id}"
    programme = f"programmes/{row.programme_id}"
    return pb.Voucher(
        name=name,
        learner=row.learner,
        programme=programme,
        programme_version=f"{programme}/versions/{row.version_number}",
        application=f"applications/{row.application_id}",
        course=row.course,
        state=row.state,
        value=money(row.value_cents, row.currency),
        available=money(row.available_cents, row.currency),
        reserved=money(row.reserved_cents, row.currency),
        order_time_limit=moment(row.order_until),
        expire_time=moment(row.expires_at),
        create_time=moment(row.created_at),
        code_issued=row.code_hmac is not None,
        end_reason=row.end_reason,
        end_note=notes.open(name, row.sealed_note),
        issue_number=row.issue_number,
        proposed_expire_time=moment(row.proposed_expires_at),
        etag=etag_of(row.version),
    )
