"""Redemptions as messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row
from waymark.options.v1 import options_pb2
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.etags import etag_of
from services.platform.identity.principals import Principal
from services.vouchers.api.convert import moment
from services.vouchers.domain.money import money
from services.vouchers.domain.notes import Notes


def redemption_message(row: Row[Any], caller: Principal, notes: Notes) -> pb.Redemption:
    """Returns a row as message; a provider does not see which voucher it is."""
    return message_of(row._asdict(), caller, notes)


def changed(
    row: Any, written: Mapping[str, Any], caller: Principal, notes: Notes | None = None
) -> pb.Redemption:
    """Returns a locked row as it is after `written`, which counted its version up by one."""
    return message_of({**row._asdict(), **written, "version": row.version + 1}, caller, notes)


def message_of(values: Mapping[str, Any], caller: Principal, notes: Notes | None = None) -> pb.Redemption:
    """Returns columns as message; how it ended is left out without `notes`, for one that has not ended."""
    currency = values["currency"]
    message = pb.Redemption(
        name=f"redemptions/{values['id']}",
        voucher=f"vouchers/{values['voucher_id']}" if _sees_voucher(caller) else "",
        learner=values["learner"],
        course=values["course"],
        session=values["session"],
        organisation=values["organisation"],
        state=values["state"],
        price=money(values["price_cents"], currency),
        amount=money(values["amount_cents"], currency),
        learner_share=money(values["price_cents"] - values["amount_cents"], currency),
        evidence=values["evidence"],
        authorise_time_limit=moment(values["authorise_until"]),
        release_time=moment(values["release_at"]),
        no_show_time=moment(values["no_show_at"]),
        create_time=moment(values["created_at"]),
        update_time=moment(values["updated_at"]),
        etag=etag_of(values["version"]),
    )
    if values["accepted_cents"]:
        message.accepted_amount.CopyFrom(money(values["accepted_cents"], currency))
    if values["clawed_cents"]:
        message.clawed_back_amount.CopyFrom(money(values["clawed_cents"], currency))
    if notes and values["end_reason"]:
        message.end_reason = values["end_reason"]
        message.end_note = notes.open(message.name, values["sealed_note"])
    return message


def ref(row: Row[Any]) -> events_pb2.RedemptionRef:
    """Returns what every event of a redemption says."""
    return events_pb2.RedemptionRef(
        redemption=f"redemptions/{row.id}",
        voucher=f"vouchers/{row.voucher_id}",
        learner=row.learner,
        course=row.course,
        session=row.session,
        organisation=row.organisation,
    )


def _sees_voucher(caller: Principal) -> bool:
    return caller.roles != {options_pb2.ROLE_PROVIDER}
