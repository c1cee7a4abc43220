"""Redemptions as messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.etags import etag_of
from services.platform.db.transaction import Transaction
from services.platform.identity.principals import Principal
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain import payment
from services.vouchers.domain.money import money
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.relationships import is_learner, is_staff
from services.vouchers.store import redemptions


def redemption_messages(app: VouchersApp, tx: Transaction, rows: Iterable[Row[Any]]) -> list[pb.Redemption]:
    """Returns rows as messages; a provider does not see which vouchers they are of."""
    return _messages(app, tx, [row._asdict() for row in rows])


def changed(app: VouchersApp, tx: Transaction, row: Any, written: Mapping[str, Any]) -> pb.Redemption:
    """Returns a locked row as it is after `written`, which counted its version up by one."""
    return message_of(app, tx, {**row._asdict(), **written, "version": row.version + 1})


def message_of(app: VouchersApp, tx: Transaction, values: Mapping[str, Any]) -> pb.Redemption:
    """Returns columns as message."""
    return _messages(app, tx, [values])[0]


def _messages(app: VouchersApp, tx: Transaction, many: Sequence[Mapping[str, Any]]) -> list[pb.Redemption]:
    """Returns columns as messages, with one statement for the parts of all; none where there are no parts."""
    paid = [str(each["id"]) for each in many if each["instalment"] and not each["part_of"]]
    parts = redemptions.parts_of(tx, paid)
    found = []
    for values in many:
        message = _message(app, tx.principal, values)
        if not values["part_of"]:
            rules = app.rules(tx, values["programme_id"], values["version_number"])
            own = parts.get(str(values["id"]), [])
            message.instalments.extend(_instalments(rules.version.payment_rule, values, own))
        found.append(message)
    return found


def _message(app: VouchersApp, caller: Principal, values: Mapping[str, Any]) -> pb.Redemption:
    currency = values["currency"]
    whole = values["amount_cents"] + values["taken_cents"]
    price = None if values["part_of"] else values["price_cents"]
    message = pb.Redemption(
        name=f"redemptions/{values['id']}",
        voucher=f"vouchers/{values['voucher_id']}" if _sees_voucher(caller, values) else "",
        learner=values["learner"],
        course=values["course"],
        session=values["session"],
        organisation=values["organisation"],
        state=values["state"],
        price=None if price is None else money(price, currency),
        learner_share=None if price is None else money(price - whole, currency),
        amount=money(values["amount_cents"], currency),
        evidence=values["evidence"],
        authorise_time_limit=moment(values["authorise_until"]),
        release_time=moment(values["release_at"]),
        no_show_time=moment(values["no_show_at"]),
        create_time=moment(values["created_at"]),
        update_time=moment(values["updated_at"]),
        etag=etag_of(values["version"]),
        sandbox=is_sandbox(currency),
        part_of=f"redemptions/{values['part_of']}" if values["part_of"] else "",
    )
    if values["accepted_cents"]:
        message.accepted_amount.CopyFrom(money(values["accepted_cents"], currency))
    if values["clawed_cents"]:
        message.clawed_back_amount.CopyFrom(money(values["clawed_cents"], currency))
    if values["end_reason"]:
        message.end_reason = values["end_reason"]
        message.end_note = app.notes.open(message.name, values["sealed_note"])
    return message


def _instalments(
    rule: payment.Rule, values: Mapping[str, Any], parts: Sequence[Row[Any]]
) -> Iterable[pb.Redemption.Instalment]:
    """Yields the payments of a redemption paid in instalments, `parts` being those that were accepted."""
    currency, whole = values["currency"], values["amount_cents"] + values["taken_cents"]
    planned = payment.instalments(rule, whole)
    paid = {part.instalment: (part.id, part.accepted_cents) for part in parts}
    if values["accepted_cents"] and not values["no_show_at"]:
        paid[len(planned)] = (values["id"], values["accepted_cents"])
    for number, (instalment, cents) in enumerate(planned, 1):
        message = pb.Redemption.Instalment(
            number=number, percent=instalment.percent, amount=money(cents, currency)
        )
        if number in paid:
            name, accepted = paid[number]
            message.redemption = f"redemptions/{name}"
            message.accepted_amount.CopyFrom(money(accepted, currency))
        yield message


def ref(row: Row[Any]) -> events_pb2.RedemptionRef:
    """Returns what every event of a redemption says."""
    return events_pb2.RedemptionRef(
        redemption=f"redemptions/{row.id}",
        voucher=f"vouchers/{row.voucher_id}",
        learner=row.learner,
        course=row.course,
        session=row.session,
        organisation=row.organisation,
        sandbox=is_sandbox(row.currency),
        part_of=f"redemptions/{row.part_of}" if row.part_of else "",
    )


def _sees_voucher(caller: Principal, values: Mapping[str, Any]) -> bool:
    return is_staff(caller) or is_learner(caller, values["learner"])
