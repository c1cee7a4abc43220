"""Statements on what the catalogue told: sessions with course and provider, shortage lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Boolean, Row, and_, bindparam, exists, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.accreditation import Training, covered_until
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.shortage import Entry, Occupation
from services.vouchers.store import sanctions
from services.vouchers.store.catalogue_tables import (
    courses,
    organisations,
    sessions,
    shortage_entries,
    shortage_versions,
)

# What `_accreditation` looks at, with the place of the session and the EQF level of the course.
ACCREDITED_FOR = (
    organisations.c.accredited,
    organisations.c.accredited_until,
    organisations.c.accreditations,
    courses.c.isced_f,
)
_FIND = (
    select(
        sessions.c.name.label("session"),
        sessions.c.start_date,
        sessions.c.end_date,
        sessions.c.price_cents,
        sessions.c.currency.label("price_currency"),
        sessions.c.nuts_code,
        courses.c.name.label("course"),
        courses.c.organisation,
        courses.c.kind,
        courses.c.eqf_level,
        courses.c.occupations,
        courses.c.titles,
        *ACCREDITED_FOR,
        literal_column(sanctions.barred("courses.organisation"), Boolean).label("barred"),
    )
    .join(courses, courses.c.name == sessions.c.course)
    .outerjoin(organisations, organisations.c.name == courses.c.organisation)
    .where(sessions.c.name == bindparam("session"), sessions.c.listed, ~courses.c.removed)
)


def find(tx: Transaction, session: str) -> Offer | None:
    """Returns a session that can be booked; None when it is unknown or the course is gone. Raises
    Refusal(PROVIDER_SANCTIONED) while its provider may take no vouchers."""
    row = tx.execute(_FIND, {"session": session}).one_or_none()
    if row is not None and row.barred:
        raise Refusal(reason_pb2.REASON_PROVIDER_SANCTIONED)
    return None if row is None else replace(offer_of(row), titles=tuple(sorted(row.titles.items())))


def offer_of(row: Row[Any]) -> Offer:
    """Returns the offer in a row of a joined statement; accredited is it where this very training is."""
    accredited, until = _accreditation(row)
    return Offer(
        session=row.session,
        course=row.course,
        organisation=row.organisation,
        kind=row.kind,
        eqf_level=row.eqf_level,
        occupations=tuple(Occupation(uri, isco) for uri, isco in row.occupations),
        start=row.start_date,
        end=row.end_date,
        price=row.price_cents,
        currency=row.price_currency,
        nuts=row.nuts_code,
        accredited=accredited,
        accredited_until=until,
    )


def accredited(tx: Transaction, organisation: str, session: str, day: date) -> bool:
    """True when a provider may take vouchers for a session on `day`."""
    statement = (
        select(*ACCREDITED_FOR, courses.c.eqf_level, sessions.c.nuts_code)
        .join(courses, courses.c.name == sessions.c.course)
        .join(organisations, organisations.c.name == organisation)
        .where(sessions.c.name == session)
    )
    row = tx.execute(statement).one_or_none()
    holds, until = _accreditation(row) if row is not None else (False, None)
    return holds and (until is None or until >= day)


def _accreditation(row: Row[Any]) -> tuple[bool, date | None]:
    """Whether a provider is accredited for the training in a row, and the last day."""
    if not row.accreditations:
        return bool(row.accredited), row.accredited_until
    until = covered_until(row.accreditations, Training(row.isced_f, row.eqf_level, row.nuts_code))
    return until is not None, until


def provider_of(tx: Transaction, course: str) -> str:
    """Returns the provider of a course; empty when the course is not known."""
    return str(tx.execute(select(courses.c.organisation).where(courses.c.name == course)).scalar() or "")


def known(tx: Transaction, organisation: str) -> str:
    """Returns the name of an organisation that the catalogue told of; empty when it did not."""
    statement = select(organisations.c.name).where(organisations.c.name == organisation)
    return str(tx.execute(statement).scalar() or "")


def put_organisation(tx: Transaction, values: dict[str, Any]) -> bool:
    """Stores an organisation unless a newer version is there; returns whether it did."""
    return _newer(tx, organisations, values)


def put_course(tx: Transaction, values: dict[str, Any], listed: Sequence[dict[str, Any]]) -> bool:
    """Stores a course with its sessions unless a newer version is there; returns whether it did."""
    if not _newer(tx, courses, values):
        return False
    tx.execute(update(sessions).where(sessions.c.course == values["name"]).values(listed=False))
    if listed:
        new = insert(sessions)
        changed = {column.name: new.excluded[column.name] for column in sessions.c if column.name != "name"}
        tx.execute(new.on_conflict_do_update(index_elements=["name"], set_=changed), list(listed))
    return True


def _newer(tx: Transaction, table: Any, values: dict[str, Any]) -> bool:
    new = insert(table).values(values)
    changed = {name: new.excluded[name] for name in values if name != "name"}
    statement = new.on_conflict_do_update(
        index_elements=["name"], set_=changed, where=table.c.version < new.excluded.version
    ).returning(table.c.name)
    return tx.execute(statement).first() is not None


def put_shortage_version(tx: Transaction, values: dict[str, Any]) -> None:
    """Stores a published list version; published versions never change, so a repeat is nothing."""
    tx.execute(insert(shortage_versions).values(values).on_conflict_do_nothing())


def put_withdrawn_version(tx: Transaction, values: dict[str, Any]) -> None:
    """Stores that a list version was withdrawn: it is in force on no day, also if it is told of only after.
    Its entries stay, for what was decided before this was heard."""
    none = {"valid_to": values["valid_from"] - timedelta(days=1)}
    new = insert(shortage_versions).values({**values, **none, "entry_count": 0, "digest": ""})
    tx.execute(new.on_conflict_do_update(index_elements=["name"], set_=none))


def put_shortage_entries(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Stores entries of a published version; a repeat is nothing."""
    if rows:
        tx.execute(insert(shortage_entries).on_conflict_do_nothing(), list(rows))


def version_in_force(tx: Transaction, shortage_list: str, day: date) -> str:
    """Returns the list version in force on `day` whose entries have all arrived; empty when there is none."""
    complete = (
        select(func.count())
        .where(shortage_entries.c.version == shortage_versions.c.name)
        .correlate(shortage_versions)
        .scalar_subquery()
    )
    statement = (
        select(shortage_versions.c.name)
        .where(
            shortage_versions.c.list == shortage_list,
            shortage_versions.c.valid_from <= day,
            or_(shortage_versions.c.valid_to.is_(None), shortage_versions.c.valid_to >= day),
            complete >= shortage_versions.c.entry_count,
        )
        .order_by(shortage_versions.c.valid_from.desc(), shortage_versions.c.published_at.desc())
        .limit(1)
    )
    return str(tx.execute(statement).scalar() or "")


def entries_for(tx: Transaction, version: str, occupations: Iterable[Occupation]) -> list[Entry]:
    """Returns the entries of a version that could match any of the occupations."""
    taught = list(occupations)
    uris = [occupation.uri for occupation in taught if occupation.uri]
    codes = {
        occupation.isco[:digits] for occupation in taught for digits in range(1, len(occupation.isco) + 1)
    }
    statement = select(shortage_entries).where(
        shortage_entries.c.version == version,
        or_(
            and_(shortage_entries.c.uri != "", shortage_entries.c.uri.in_(uris)),
            and_(shortage_entries.c.isco != "", shortage_entries.c.isco.in_(codes)),
        ),
    )
    return [
        Entry(row.name, Occupation(row.uri, row.isco), row.nuts_code, row.severity)
        for row in tx.execute(statement)
    ]


def list_names_region(tx: Transaction, shortage_list: str, regions: Collection[str]) -> bool:
    """True when a version of the list, in force or not, has an entry for one of the regions (NUTS codes)."""
    of_list = shortage_versions.c.name == shortage_entries.c.version
    statement = select(
        exists().where(
            of_list,
            shortage_versions.c.list == shortage_list,
            shortage_entries.c.nuts_code.in_(sorted(regions)),
        )
    )
    return bool(tx.execute(statement).scalar_one())
