"""From a receivable's row to what its demand says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row
from stdnum import iban
from waymark.errors.v1 import reason_pb2

from services.platform.days import day_of
from services.platform.errors import Refusal
from services.vouchers.clawing_back import free_cents, left_cents
from services.vouchers.domain.creditor_reference import reference_of
from services.vouchers.domain.programme import Rules
from services.vouchers.letters.said import Demand


def demand_of(row: Row[Any], rules: Rules, programme_names: Mapping[str, str]) -> Demand:
    """Returns what the demand says of a row of `receivables.demanded`.

    Raises Refusal(WRONG_STATE) where there is nothing for the provider to pay: nothing is left, frozen
    batches set it off, or the bank sent the payment back, so that it sets off what is owed.
    """
    left, free, arose = left_cents(row), free_cents(row), day_of(row.created_at)
    if not free or row.debtor_iban is None:
        state = ("RETURNED" if free else "RESERVED") if left else "SETTLED"
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": "OPEN"})
    return Demand(
        provider=row.organisation,
        receivable=f"receivables/{row.id}",
        redemption=f"redemptions/{row.redemption_id}",
        session=row.session,
        titles=row.titles or {},
        programme_names=programme_names,
        arose=arose,
        due=rules.repayment_limit(arose),
        currency=row.currency,
        amount=row.amount_cents,
        settled=row.amount_cents - left,
        reserved=row.reserved_cents,
        left=free,
        payee=row.debtor_name,
        iban=iban.format(row.debtor_iban),
        bic=row.debtor_bic,
        reference=reference_of(row.id),
    )
