"""Statements on officers' assessments, attestations and sector councils."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.catalogue.domain.assessment import REJECTED, SUPERSEDED, VERIFIED, Assessed
from services.catalogue.store.assessment_tables import assessments, attestations, sector_councils
from services.platform.days import day_of
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction

_a = assessments.c


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Adds an assessment in the caller's name and returns it."""
    row = {"id": new_id(), "entered_by": tx.principal.subject, **values}
    return tx.execute(insert(assessments).values(row).returning(assessments)).one()


def read(tx: Transaction, assessment: str, *, lock: bool = False) -> Row[Any]:
    """Returns the assessment, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(assessments).where(_a.id == assessment)
    return tx.one(statement.with_for_update() if lock else statement)


def decide(tx: Transaction, row: Row[Any], *, reject: bool) -> Row[Any]:
    """Verifies or rejects in the caller's name; a verified one takes the place of the area's earlier one."""
    if not reject:
        _in_turn(tx, row)
        current = (_a.occupation == row.occupation) & (_a.nuts_code == row.nuts_code) & (_a.state == VERIFIED)
        tx.execute(update(assessments).where(current).values(state=SUPERSEDED))
    values = {
        "state": REJECTED if reject else VERIFIED,
        "verified_by": tx.principal.subject,
        "verify_time": func.now(),
    }
    statement = update(assessments).where(_a.id == row.id).values(values).returning(assessments)
    return tx.execute(statement).one()


def _in_turn(tx: Transaction, row: Row[Any]) -> None:
    """Waits for others who verify an assessment of the same occupation and area."""
    key = func.hashtextextended(f"assessment {row.occupation} {row.nuts_code}", 0)
    tx.execute(select(func.pg_advisory_xact_lock(key)))


def listing(occupation: str, nuts_code: str, state: int) -> Select[Any]:
    """Selects assessments; what is empty fits all, an area holds those below it."""
    statement = select(assessments)
    if occupation:
        statement = statement.where(_a.occupation == occupation)
    if nuts_code:
        statement = statement.where(_a.nuts_code.startswith(nuts_code, autoescape=True))
    return statement.where(_a.state == state) if state else statement


def verified(connection: Connection, occupation: str, nuts_code: str) -> Sequence[Row[Any]]:
    """Returns the verified assessments of an occupation in a region and below it."""
    statement = listing(occupation, nuts_code, VERIFIED).order_by(_a.nuts_code)
    return connection.execute(statement).all()


def verified_within(connection: Connection, nuts_code: str) -> dict[str, list[Assessed]]:
    """Returns occupation → its verified assessments in a region and below it, all in one read."""
    found: defaultdict[str, list[Assessed]] = defaultdict(list)
    for row in connection.execute(listing("", nuts_code, VERIFIED).order_by(_a.occupation, _a.nuts_code)):
        found[row.occupation].append(assessed(row))
    return found


def assessed(row: Row[Any]) -> Assessed:
    """Returns the domain's assessment."""
    return Assessed(row.nuts_code, row.severity, row.cause, row.id, day_of(row.verify_time))


def attest(tx: Transaction, assessment: str, organisation: str, verdict: int, explanation: str) -> None:
    """Keeps a council's word, in the place of its earlier one."""
    word = {"verdict": verdict, "explanation": explanation}
    statement = upsert(attestations).values(assessment_id=assessment, organisation_id=organisation, **word)
    statement = statement.on_conflict_do_update(
        index_elements=list(attestations.primary_key), set_=word | {"create_time": func.now()}
    )
    tx.execute(statement)


def words(connection: Connection, ids: Collection[str]) -> Mapping[str, list[Row[Any]]]:
    """Returns assessment → what councils say of it."""
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    if ids:
        statement = select(attestations).where(attestations.c.assessment_id.in_(ids))
        for row in connection.execute(statement.order_by(attestations.c.organisation_id)):
            found[row.assessment_id].append(row)
    return found


def appoint(tx: Transaction, organisation: str, isco_codes: Sequence[str]) -> None:
    """Makes an organisation the council of these groups, or with none of them no council."""
    if not isco_codes:
        tx.execute(delete(sector_councils).where(sector_councils.c.organisation_id == organisation))
        return
    statement = upsert(sector_councils).values(organisation_id=organisation, isco_codes=isco_codes)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[sector_councils.c.organisation_id], set_={"isco_codes": isco_codes}
        )
    )


_COUNCIL = text(
    """
    SELECT EXISTS (
      SELECT FROM sector_councils s, unnest(s.isco_codes) AS code, assessments a
      WHERE s.organisation_id = :organisation AND a.id = CAST(:assessment AS uuid)
        AND starts_with(a.isco_code, code))
    """
)


def is_council(connection: Connection, organisation: str, assessment: str) -> bool:
    """True where the organisation is the council for the occupation of an assessment."""
    values = {"organisation": organisation, "assessment": assessment}
    return bool(connection.execute(_COUNCIL, values).scalar())
