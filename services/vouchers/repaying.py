"""What the investors of an outcome contract have back, how they get it, and when it counts.

Locked in this order: payables, contracts by id, chains.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import ParseDict
from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import outcome_contract_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.api.convert import day
from services.vouchers.domain import bookings
from services.vouchers.domain.bookings import Back
from services.vouchers.domain.money import cents_of, money
from services.vouchers.domain.outcome_contracts import (
    WHOLE,
    ContractState,
    Repayment,
    Results,
    repayment,
)
from services.vouchers.store import ledger, names, outcomes, payables

APPROVED = (ContractState.REPAYMENT_APPROVED, ContractState.REPAID)


def terms_of(row: Row[Any]) -> pb.OutcomeContract:
    """Returns the terms of a contract's row as message."""
    return ParseDict(row.terms, pb.OutcomeContract())


def approve(tx: Transaction, row: Row[Any]) -> pb.Repayment:
    """Repays the investors of a locked contract: at once, or as payables where they have an organisation.
    Returns what they have back."""
    contract, due, subjects = f"outcomeContracts/{row.id}", _due(tx, row)[1], _subjects(row)
    investors = terms_of(row).investors
    by_batch = False
    for investor, subject, *parts in zip(investors, subjects, due.unspent, due.repaid, strict=True):
        if subject and sum(parts):
            source = names.last(investor.funding_source)
            payables.add(
                tx, subject, investor.organisation, row.currency, row.shard, sum(parts), source=source
            )
            by_batch = True
    values = {
        "state": int(_state(waits=by_batch)),
        "repaid_by": tx.principal.subject,
        "available_cents": 0,
        "unspent_cents": sum(due.unspent),
    }
    row = outcomes.change(tx, row.id, values)
    message = repayment_of(tx, row)
    sources = [investor.funding_source for investor in investors]
    unspent = map(Back, sources, subjects, due.unspent)
    worth = map(Back, sources, subjects, due.repaid)
    booked = [
        bookings.return_unspent(new_id(), contract, unspent),
        bookings.repay(new_id(), contract, f"fundingSources/{row.payer_id}", worth),
    ]
    ledger.post_all(tx, [(row.shard, booking) for booking in booked])
    if not by_batch:
        _tell(tx, message)
    return message


def review(tx: Transaction, subjects: Iterable[str]) -> None:
    """Sees whether contracts are repaid by now, or no more, after the bank's word on these payments to their
    investors."""
    for contract in sorted({subject.split("/")[1] for subject in subjects}):
        row = outcomes.lock(tx, contract)
        message = repayment_of(tx, row)
        waits = cents_of(message.outstanding) > 0
        state = _state(waits=waits)
        if state != row.state:
            outcomes.change(tx, contract, {"state": int(state)})
            if not waits:
                _tell(tx, message)


def repayment_of(tx: Transaction, row: Row[Any]) -> pb.Repayment:
    """Returns what the investors of a contract have back, or had, as message."""
    terms, currency = terms_of(row), row.currency
    results, due = _due(tx, row)
    waiting = _outstanding(tx, row)
    return pb.Repayment(
        outcome_contract=f"outcomeContracts/{row.id}",
        due_date=day(row.repay_date),
        participants=results.enrolled,
        placed=results.placed,
        result_basis_points=results.placed * WHOLE // max(1, results.enrolled),
        released=money(due.released, currency),
        repaid=money(sum(due.repaid), currency),
        unspent=money(sum(due.unspent), currency),
        outstanding=money(sum(waiting), currency),
        investors=[
            pb.InvestorRepayment(
                funding_source=investor.funding_source,
                invested=investor.amount,
                repaid=money(worth, currency),
                unspent=money(left, currency),
                organisation=investor.organisation,
                outstanding=money(waits, currency),
            )
            for investor, worth, left, waits in zip(
                terms.investors, due.repaid, due.unspent, waiting, strict=True
            )
        ],
    )


def _state(*, waits: bool) -> ContractState:
    return ContractState.REPAYMENT_APPROVED if waits else ContractState.REPAID


def _due(tx: Transaction, row: Row[Any]) -> tuple[Results, Repayment]:
    results = outcomes.results_of(tx, [row.id])[row.id]
    released = sum(each.cents for each in outcomes.tranches_of(tx, [row.id]).values())
    return results, repayment(terms_of(row), released, row.available_cents + row.unspent_cents, results)


def _subjects(row: Row[Any]) -> list[str]:
    """Returns what payables of a contract's investors name, in their order; empty without an organisation."""
    return [
        f"outcomeContracts/{row.id}/investors/{place}" if investor.organisation else ""
        for place, investor in enumerate(terms_of(row).investors, 1)
    ]


def _outstanding(tx: Transaction, row: Row[Any]) -> list[int]:
    """Returns the cents of each investor that were approved and that the bank has not confirmed."""
    subjects = _subjects(row)
    asked = [subject for subject in subjects if subject] if row.state in APPROVED else []
    waiting = {
        subject: payable.cleared_cents
        for subject, payable in payables.of_subjects(tx, asked).items()
        if payable.state != payables.REPAID
    }
    return [waiting.get(subject, 0) for subject in subjects]


def _tell(tx: Transaction, message: pb.Repayment) -> None:
    event = events_pb2.OutcomeContractRepaid(
        outcome_contract=message.outcome_contract, repaid=message.repaid, unspent=message.unspent
    )
    tx.publish(event)
