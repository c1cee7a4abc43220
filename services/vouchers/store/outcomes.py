"""Statements of outcome contracts: terms, participants, reports, tranches, repayment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from waymark.errors.v1 import reason_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.facts import Fact
from services.vouchers.domain.outcome_contracts import ReportState, Results
from services.vouchers.store.facts import fact_of
from services.vouchers.store.outcome_tables import (
    outcome_contracts,
    outcome_participants,
    outcome_reports,
    outcome_tranches,
)
from services.vouchers.store.tables import learner_facts

_RESULTS = text("""SELECT p.contract_id, count(DISTINCT p.id) AS enrolled,
  count(*) FILTER (WHERE r.outcome = 1) AS completed, count(*) FILTER (WHERE r.outcome = 2) AS placed
FROM outcome_participants p LEFT JOIN outcome_reports r ON r.participant_id = p.id AND r.state = 2
WHERE p.contract_id = ANY (CAST(:contracts AS text[])) GROUP BY p.contract_id""")


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts a draft; returns its row; raises Refusal(ALREADY_EXISTS)."""
    new = upsert(outcome_contracts).values(values).on_conflict_do_nothing()
    row = tx.execute(new.returning(outcome_contracts)).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
    return row


def get(tx: Transaction, contract: str) -> Row[Any]:
    """Returns a contract's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(outcome_contracts).where(outcome_contracts.c.id == contract))


def lock(tx: Transaction, contract: str) -> Row[Any]:
    """Locks a contract: whatever changes it or counts on it follows one after the other."""
    statement = select(outcome_contracts).where(outcome_contracts.c.id == contract)
    return tx.one(statement.with_for_update(key_share=True))


def change(tx: Transaction, contract: str, values: Mapping[str, Any]) -> Row[Any]:
    """Writes a locked contract; returns its row."""
    statement = (
        update(outcome_contracts)
        .where(outcome_contracts.c.id == contract)
        .values(**values, version=outcome_contracts.c.version + 1)
        .returning(outcome_contracts)
    )
    return tx.execute(statement).one()


def results_of(tx: Transaction, contracts: Iterable[str]) -> dict[str, Results]:
    """Returns the results of each contract."""
    found = dict.fromkeys(contracts, Results(0, 0, 0))
    for row in tx.execute(_RESULTS, {"contracts": list(found)}):
        found[row.contract_id] = Results(row.enrolled, row.completed, row.placed)
    return found


def tranches_of(tx: Transaction, contracts: Iterable[str]) -> dict[tuple[str, str], Row[Any]]:
    """Returns the tranches that contracts released, by contract and milestone."""
    statement = select(outcome_tranches).where(outcome_tranches.c.contract_id.in_(list(contracts)))
    return {(row.contract_id, row.milestone): row for row in tx.execute(statement)}


def release(tx: Transaction, contract: str, milestone: str, cents: int) -> None:
    """Writes that a tranche of a locked contract was released; book the same."""
    values = {"contract_id": contract, "milestone": milestone, "cents": cents}
    tx.execute(insert(outcome_tranches).values(**values, released_by=tx.principal.subject))


def enrol(tx: Transaction, contract: str, learners: Sequence[str]) -> tuple[list[Row[Any]], int]:
    """Enrols learners in a locked contract; returns their rows in order, and how many were there before."""
    rows = [{"id": new_id(), "contract_id": contract, "learner": learner} for learner in learners]
    new = upsert(outcome_participants).on_conflict_do_nothing().returning(outcome_participants.c.id)
    made = len(tx.execute(new, rows).all())
    statement = select(outcome_participants).where(
        outcome_participants.c.contract_id == contract, outcome_participants.c.learner.in_(learners)
    )
    found = {row.learner: row for row in tx.execute(statement)}
    return [found[learner] for learner in learners], len(learners) - made


def participants_of(contract: str) -> Select[Any]:
    """Returns the statement for a contract's participants."""
    return select(outcome_participants).where(outcome_participants.c.contract_id == contract)


def check_participants(tx: Transaction, contract: str, participants: Sequence[str]) -> None:
    """Raises Refusal(NOT_FOUND), naming one, unless all of these ids are participants of the contract."""
    statement = select(outcome_participants.c.id).where(
        outcome_participants.c.contract_id == contract, outcome_participants.c.id.in_(participants)
    )
    there = {str(found) for found in tx.execute(statement).scalars()}
    for participant in participants:
        if participant not in there:
            name = f"outcomeContracts/{contract}/participants/{participant}"
            raise Refusal(reason_pb2.REASON_NOT_FOUND, metadata={"participant": name})


def reports_of(
    tx: Transaction, participants: Iterable[str], outcome: int = 0
) -> dict[tuple[str, int], Row[Any]]:
    """Returns what was reported of participants, by participant and outcome; outcome 0 means any."""
    statement = select(outcome_reports).where(outcome_reports.c.participant_id.in_(list(participants)))
    if outcome:
        statement = statement.where(outcome_reports.c.outcome == outcome)
    ordered = statement.order_by(outcome_reports.c.participant_id, outcome_reports.c.outcome)
    return {(str(row.participant_id), row.outcome): row for row in tx.execute(ordered)}


def report(tx: Transaction, participants: Sequence[str], outcome: int, day: date, evidence: str) -> None:
    """Reports an outcome of participants of a locked contract, in the place of a refuted one."""
    rows = [
        {
            "participant_id": participant,
            "outcome": outcome,
            "state": int(ReportState.REPORTED),
            "occurred_on": day,
            "evidence_reference": evidence,
            "reported_by": tx.principal.subject,
            "decided_by": "",
            "decided_at": None,
            "correction_by": "",
        }
        for participant in participants
    ]
    new = upsert(outcome_reports)
    fresh = (
        "state",
        "occurred_on",
        "evidence_reference",
        "reported_by",
        "decided_by",
        "decided_at",
        "correction_by",
    )
    statement = new.on_conflict_do_update(
        index_elements=["participant_id", "outcome"], set_={name: new.excluded[name] for name in fresh}
    )
    if rows:
        tx.execute(statement, rows)


def decide(tx: Transaction, participants: Sequence[str], outcome: int, state: ReportState) -> None:
    """Decides on reports of participants of a locked contract. The database refuses the reporter."""
    values = {"state": int(state), "decided_by": tx.principal.subject, "decided_at": tx.now}
    place = (outcome_reports.c.participant_id.in_(participants)) & (outcome_reports.c.outcome == outcome)
    tx.execute(update(outcome_reports).where(place).values(values))


def propose_correction(tx: Transaction, participants: Sequence[str], outcome: int, by: str) -> None:
    """Notes who found verified outcomes of participants of a locked contract wrong; empty: nobody does any
    more."""
    place = (outcome_reports.c.participant_id.in_(participants)) & (outcome_reports.c.outcome == outcome)
    tx.execute(update(outcome_reports).where(place).values(correction_by=by))


def removable(tx: Transaction, participants: Sequence[str]) -> dict[str, str]:
    """Returns who proposed to remove each participant of a locked contract, empty for nobody. Raises
    Refusal(WRONG_STATE), naming one, where an outcome waits or was verified."""
    people, reports = outcome_participants.c, outcome_reports.c
    counts = reports.participant_id.in_(participants) & (reports.state != int(ReportState.REFUTED))
    held = tx.execute(select(reports.participant_id, reports.state).where(counts).limit(1)).first()
    if held is not None:
        state = ReportState(held.state).name
        metadata = {"state": state, "needed": "REFUTED", "participant": str(held.participant_id)}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
    rows = tx.execute(select(people.id, people.removal_by).where(people.id.in_(participants)))
    return {str(row.id): row.removal_by for row in rows}


def propose_removal(tx: Transaction, participants: Sequence[str]) -> None:
    """Notes that the caller proposes to remove participants of a locked contract."""
    place = outcome_participants.c.id.in_(participants)
    tx.execute(update(outcome_participants).where(place).values(removal_by=tx.principal.subject))


def remove(tx: Transaction, participants: Sequence[str]) -> None:
    """Removes participants of a locked contract, with what was refuted of them."""
    tx.execute(delete(outcome_reports).where(outcome_reports.c.participant_id.in_(participants)))
    tx.execute(delete(outcome_participants).where(outcome_participants.c.id.in_(participants)))


def facts_of_participants(tx: Transaction, contract: str) -> list[list[Fact]]:
    """Returns the facts of each participant of a contract."""
    people = outcome_participants.c
    statement = (
        select(people.id.label("participant"), learner_facts)
        .outerjoin(learner_facts, learner_facts.c.learner == people.learner)
        .where(people.contract_id == contract)
    )
    found: dict[str, list[Fact]] = {}
    for row in tx.execute(statement):
        facts = found.setdefault(str(row.participant), [])
        if row.key is not None:
            facts.append(fact_of(row))
    return list(found.values())
