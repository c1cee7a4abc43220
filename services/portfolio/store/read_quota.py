"""At how many people somebody has looked on a day, counted by the database: each person once; and who came to
as many as anybody may."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import CTE, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from waymark.portfolio.v1.access_log_pb2 import ListReadAlarmsRequest, ReadAlarm

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.store.collection import Paged
from services.portfolio.store.rights_tables import people_counted, people_seen, read_alarms

ALARMS_KEPT = timedelta(days=365)  # they say something of who works here


def count(tx: Transaction, holder: str) -> int | None:
    """Notes that the caller looks at a holder today; returns at how many people that is today, or None
    when the caller had looked at this one before.

    Only a new person takes a lock, which waits for the one before: two at once are counted as two.
    """
    day, reader = tx.today, tx.principal.subject
    counted = insert(people_counted).from_select(
        ["day", "reader", "people"],
        select(literal(day), literal(reader), literal(1)).select_from(_seen(day, reader, holder)),
    )
    more = counted.on_conflict_do_update(
        index_elements=["day", "reader"], set_={"people": people_counted.c.people + 1}
    )
    return tx.execute(more.returning(people_counted.c.people)).scalar_one_or_none()


def alarm(tx: Transaction, people: int) -> None:
    """Notes that the caller has looked at as many people today as anybody may."""
    tx.execute(
        insert(read_alarms).values(
            raised_at=tx.now,
            reader=tx.principal.subject,
            organisation=tx.principal.organisation,
            people=people,
        )
    )


def alarms(tx: Transaction, signer: PageTokenSigner, request: ListReadAlarmsRequest) -> Paged[ReadAlarm]:
    """Returns a page of those who came to as many people as anybody may, newest first."""
    order = [read_alarms.c.raised_at.desc(), read_alarms.c.reader]
    found = page(tx, signer, select(read_alarms), order_by=order, request=request)
    told = [
        ReadAlarm(reader=row.reader, organisation=row.organisation, people=row.people) for row in found.rows
    ]
    for each, row in zip(told, found.rows, strict=True):
        each.raise_time.FromDatetime(row.raised_at)
    return Paged(told, found.next_page_token)


def forget(tx: Transaction) -> None:
    """Forgets days that are over, and alarms of long ago."""
    for table in (people_seen, people_counted):
        tx.execute(delete(table).where(table.c.day < tx.today))
    tx.execute(delete(read_alarms).where(read_alarms.c.raised_at < tx.now - ALARMS_KEPT))


def close_with(tx: Transaction, holder: str) -> None:
    """Forgets who looked at an erased holder today; the access log says it."""
    tx.execute(delete(people_seen).where(people_seen.c.holder_id == holder))


def _seen(day: date, reader: str, holder: str) -> CTE:
    fresh = insert(people_seen).values(day=day, reader=reader, holder_id=holder).on_conflict_do_nothing()
    return fresh.returning(people_seen.c.holder_id).cte("fresh")
