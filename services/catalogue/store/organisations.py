"""Statements on organisations, their sites and accreditations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Row,
    Select,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.accreditation import Accreditation, Criterion, Scope
from services.catalogue.domain.closing import check_open
from services.catalogue.store.organisation_tree import below
from services.catalogue.store.tables import accreditations, organisations, sites
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

_FIRST = "00000000-0000-0000-0000-000000000000"  # before the id of any course
REMINDED = 31  # days before a review


def add(tx: Transaction, organisation: str, **values: Any) -> None:
    """Adds an organisation; raises Refusal(ALREADY_EXISTS)."""
    try:
        with tx.connection.begin_nested():
            tx.execute(insert(organisations).values(id=organisation, **values))
    except IntegrityError as error:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from error


def read(connection: Connection, organisation: str, *, lock: bool = False) -> Row[Any]:
    """Returns the organisation, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(organisations).where(organisations.c.id == organisation)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no organisation {organisation}.")
    return row


def read_open(tx: Transaction, organisation: str) -> Row[Any]:
    """Returns the organisation, which is not closed before the caller commits; raises Refusal: NOT_FOUND,
    WRONG_STATE when it is closed."""
    statement = select(organisations).where(organisations.c.id == organisation)
    tx.execute(statement.with_for_update(read=True))
    row = read(tx.connection, organisation)
    check_open(row.close_time)
    return row


def display_names(tx: Transaction, ids: Collection[str]) -> dict[str, str]:
    """Returns the names of organisations by their ids."""
    c = organisations.c
    statement = select(c.id, c.display_name).where(c.id.in_(list(ids)))
    return {row.id: row.display_name for row in tx.execute(statement)}


def change(tx: Transaction, organisation: str, **values: Any) -> Row[Any]:
    """Changes columns (none: only the version), counts the version up, returns the row."""
    statement = (
        update(organisations)
        .where(organisations.c.id == organisation)
        .values(version=organisations.c.version + 1, update_time=func.now(), **values)
        .returning(organisations)
    )
    return tx.execute(statement).one()


def of_role(tx: Transaction, role: int) -> set[str]:
    """Returns the ids of open organisations with a role."""
    row = organisations.c
    wanted = select(row.id).where(row.roles.contains([role]), row.close_time.is_(None))
    return set(tx.execute(wanted).scalars())


def names_of_role(tx: Transaction, role: int) -> list[tuple[str, str]]:
    """Returns ids and names of open organisations with a role."""
    row = organisations.c
    wanted = select(row.id, row.display_name).where(row.roles.contains([role]), row.close_time.is_(None))
    return [(each.id, each.display_name) for each in tx.execute(wanted)]


def have_told(tx: Transaction, organisation: str) -> None:
    """Has others hear anew of all courses of an organisation."""
    told(tx, organisation, _FIRST)


def to_tell(tx: Transaction) -> Row[Any] | None:
    """Returns an organisation, locked, of whose courses not all are told, if there is one."""
    statement = (
        select(organisations).where(organisations.c.tell_after.is_not(None)).order_by(organisations.c.id)
    )
    return tx.execute(statement.limit(1).with_for_update(key_share=True)).first()


def told(tx: Transaction, organisation: str, last: str | None) -> None:
    """Notes the course up to which others have heard of those of an organisation; None: of all."""
    tx.execute(update(organisations).where(organisations.c.id == organisation).values(tell_after=last))


class Wanted(NamedTuple):
    """Which organisations a list is of; what is None, "" or 0 narrows nothing.

    `accredited_on`: accredited on that day; `review_before`: with an accreditation to review before it;
    `parent`: branches of this one, with `all_levels` theirs too; `closed`: closed ones as well.
    """

    accredited_on: date | None = None
    parent: str = ""
    all_levels: bool = False
    sector: int = 0
    role: int = 0
    review_before: date | None = None
    closed: bool = False


def listing(wanted: Wanted) -> Select[Any]:
    """Selects organisations."""
    statement = select(organisations)
    if not wanted.closed:
        statement = statement.where(organisations.c.close_time.is_(None))
    if wanted.accredited_on is not None:
        statement = statement.where(_has_accreditation(*_in_force(wanted.accredited_on)))
    if wanted.review_before is not None:
        row = accreditations.c
        holds = (row.withdraw_time.is_(None), row.valid_to >= func.current_date())
        statement = statement.where(_has_accreditation(row.review_date < wanted.review_before, *holds))
    if wanted.parent and wanted.all_levels:
        statement = statement.where(organisations.c.id.in_(select(below(wanted.parent).c.id)))
    elif wanted.parent:
        statement = statement.where(organisations.c.parent_id == wanted.parent)
    if wanted.sector:
        statement = statement.where(organisations.c.sector == wanted.sector)
    if wanted.role:
        statement = statement.where(organisations.c.roles.contains([wanted.role]))
    return statement


def _has_accreditation(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(accreditations.c.organisation_id == organisations.c.id, *conditions)


def _in_force(day: date) -> list[Any]:
    return [
        accreditations.c.valid_from <= day,
        accreditations.c.valid_to >= day,
        or_(
            accreditations.c.withdraw_time.is_(None),
            cast(accreditations.c.withdraw_time, Date) > day,
        ),
    ]


def add_site(tx: Transaction, organisation: str, **values: Any) -> str:
    """Adds a site; returns its id."""
    site = new_id()
    tx.execute(insert(sites).values(id=site, organisation_id=organisation, **values))
    return site


def read_site(tx: Transaction, organisation: str, site: str) -> Row[Any]:
    """Returns a site of an organisation, locked; raises Refusal(NOT_FOUND)."""
    wanted = (sites.c.id == site, sites.c.organisation_id == organisation)
    return tx.one(select(sites).where(*wanted).with_for_update())


def put_site(tx: Transaction, site: str, *, deleted: bool) -> Row[Any]:
    """Removes a locked site, or puts it back; returns its row."""
    changed = update(sites).where(sites.c.id == site).values(delete_time=tx.now if deleted else None)
    return tx.execute(changed.returning(sites)).one()


def listing_sites(organisation: str, *, deleted: bool = False) -> Select[Any]:
    """Selects the sites of an organisation, those removed only where asked."""
    wanted = select(sites).where(sites.c.organisation_id == organisation)
    return wanted if deleted else wanted.where(sites.c.delete_time.is_(None))


def addresses(tx: Transaction, organisation: str) -> list[tuple[str, str]]:
    """Returns street and postal code of the sites of an organisation, removed ones too: who has left a door
    is still known by it."""
    wanted = select(sites.c.street, sites.c.postal_code).where(sites.c.organisation_id == organisation)
    return [(row.street, row.postal_code) for row in tx.execute(wanted)]


def located_sites(connection: Connection) -> list[Row[Any]]:
    """Returns town, postal_code, latitude and longitude of every site in use that has a place."""
    wanted = select(sites.c.town, sites.c.postal_code, sites.c.latitude, sites.c.longitude)
    in_use = sites.c.latitude.is_not(None), sites.c.delete_time.is_(None)
    return list(connection.execute(wanted.where(*in_use)))


def add_accreditation(tx: Transaction, organisation: str, added: Accreditation) -> None:
    """Adds an accreditation."""
    tx.execute(
        insert(accreditations).values(
            id=added.id,
            organisation_id=organisation,
            valid_from=added.valid_from,
            valid_to=added.valid_to,
            scheme=added.scheme,
            criteria=list(map(asdict, added.criteria)),
            review_date=added.review_date,
            scope=asdict(added.scope),
            evidence=list(added.evidence),
            announced=added.valid_from <= tx.today,
        )
    )


def review(
    tx: Transaction, accreditation: str, criteria: Sequence[Criterion], review_date: date | None
) -> None:
    """Notes what a locked organisation's accreditation was held against, and when it will be again."""
    values = {"criteria": list(map(asdict, criteria)), "review_date": review_date, "review_asked": False}
    tx.execute(update(accreditations).where(accreditations.c.id == accreditation).values(values))


def withdraw(tx: Transaction, accreditation: str, reason: str) -> None:
    """Ends an accreditation now, by the database clock, in the caller's name."""
    values = {"withdraw_reason": reason, "withdrawn_by": tx.principal.subject}
    statement = update(accreditations).where(accreditations.c.id == accreditation)
    tx.execute(statement.values(withdraw_time=func.now(), **values))


def take_back_withdrawal(tx: Transaction, accreditation: str) -> None:
    """Makes an accreditation stand as if it had not been withdrawn."""
    values = {"withdraw_time": None, "withdraw_reason": "", "withdrawn_by": ""}
    tx.execute(update(accreditations).where(accreditations.c.id == accreditation).values(values))


def restore_accreditations(tx: Transaction, organisation: str, moment: datetime) -> None:
    """Makes the accreditations of an organisation that were withdrawn at a moment stand again."""
    row = accreditations.c
    values = {"withdraw_time": None, "withdraw_reason": "", "withdrawn_by": ""}
    wanted = (row.organisation_id == organisation, row.withdraw_time == moment)
    tx.execute(update(accreditations).where(*wanted).values(values))


def read_accreditation(tx: Transaction, organisation: str, accreditation: str) -> Row[Any]:
    """Returns an accreditation of an organisation; raises Refusal(NOT_FOUND)."""
    key = accreditations.c
    return tx.one(select(accreditations).where(key.id == accreditation, key.organisation_id == organisation))


def accreditations_of(connection: Connection, ids: Iterable[str]) -> dict[str, list[Accreditation]]:
    """Returns organisation id → its accreditations; each id asked for is a key."""
    found: dict[str, list[Accreditation]] = {organisation: [] for organisation in ids}
    statement = select(accreditations).where(accreditations.c.organisation_id.in_(list(found)))
    for row in connection.execute(statement):
        found[row.organisation_id].append(_accreditation(row))
    return found


def all_accreditations(connection: Connection) -> dict[str, list[Accreditation]]:
    """Returns organisation id → accreditations, of every organisation that has one."""
    found: dict[str, list[Accreditation]] = {}
    for row in connection.execute(select(accreditations)):
        found.setdefault(row.organisation_id, []).append(_accreditation(row))
    return found


def begun(tx: Transaction) -> list[str]:
    """Marks accreditations that have come into force as announced; returns their organisations, each once."""
    statement = (
        update(accreditations)
        .where(~accreditations.c.announced, accreditations.c.valid_from <= tx.today)
        .values(announced=True)
        .returning(accreditations.c.organisation_id)
    )
    return sorted(set(tx.execute(statement).scalars()))


def run_out(tx: Transaction) -> list[str]:
    """Marks accreditations whose last day is over as told of; returns their organisations, each once."""
    row = accreditations.c
    statement = (
        update(accreditations)
        .where(~row.end_announced, row.valid_to < tx.today)
        .values(end_announced=True)
        .returning(row.organisation_id, row.withdraw_time)
    )
    return sorted({found.organisation_id for found in tx.execute(statement) if not found.withdraw_time})


def to_review(tx: Transaction) -> Sequence[Row[Any]]:
    """Marks accreditations that are to be reviewed within a month as asked for; returns those of them that
    still hold: (organisation_id, id, review_date)."""
    row, today = accreditations.c, tx.today
    statement = (
        update(accreditations)
        .where(~row.review_asked, row.review_date <= today + timedelta(days=REMINDED))
        .where(row.withdraw_time.is_(None), row.valid_to >= today)
        .values(review_asked=True)
        .returning(row.organisation_id, row.id, row.review_date)
    )
    return tx.execute(statement).all()


def _accreditation(row: Row[Any]) -> Accreditation:
    criteria = tuple(Criterion(**each) for each in row.criteria)
    days = row.valid_from, row.valid_to
    scope = Scope(**{field: tuple(codes) for field, codes in row.scope.items()})
    return Accreditation(
        row.id,
        *days,
        row.scheme,
        row.withdraw_time,
        criteria,
        row.review_date,
        scope,
        tuple(row.evidence),
    )
