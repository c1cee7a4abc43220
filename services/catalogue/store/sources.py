"""Statements on sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, text, update
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.closing import check_open
from services.catalogue.store.feed_tables import sources
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

# What a run reads differently by: with another value, the last fetched file has to be read again.
_READ_BY = ("default_language", "default_nuts_code", "pull_url")
_KNOWN = """(pull_run = (SELECT r.id FROM feed_runs r WHERE r.source_id = s.id AND NOT r.dry_run
    AND r.state = :succeeded ORDER BY r.id DESC LIMIT 1)
  AND NOT EXISTS (SELECT FROM feed_runs r, taxonomy_versions t WHERE r.id = s.pull_run
    AND t.in_use_time > r.create_time))
  OR EXISTS (SELECT FROM feed_runs r WHERE r.id = s.pull_run AND r.rolled_back_by IS NOT NULL)"""
_CLAIM = text(f"""
WITH due AS (
  SELECT s.id, {_KNOWN} AS known FROM sources s
  WHERE s.pull_next_time <= now()
    AND NOT EXISTS (SELECT FROM feed_runs r WHERE r.source_id = s.id AND r.state IN (1, 2, 3, 8))
  ORDER BY s.pull_next_time LIMIT :room FOR UPDATE OF s SKIP LOCKED
)
UPDATE sources s SET pull_next_time = now() + :lease, pull_last_time = now() FROM due WHERE s.id = due.id
RETURNING s.id::text, s.format, s.pull_url, s.pull_schedule, s.pull_credentials, s.pull_next_time,
  s.pull_last_time, s.pull_run::text, s.max_feed_mib, due.known,
  CASE WHEN due.known THEN s.pull_etag ELSE '' END AS etag,
  CASE WHEN due.known THEN s.pull_modified ELSE '' END AS modified
""")  # noqa: S608  constants


def add(tx: Transaction, source: str, **values: Any) -> Row[Any]:
    """Adds a source of this id; returns its row."""
    return tx.execute(insert(sources).values(id=source, **values).returning(sources)).one()


def read(connection: Connection, source: str, *, lock: bool = False) -> Row[Any]:
    """Returns the source, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(sources).where(sources.c.id == source)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no source {source}.")
    return row


def read_open(tx: Transaction, source: str) -> Row[Any]:
    """Returns the source, locked; raises Refusal: NOT_FOUND, WRONG_STATE when it is closed."""
    row = read(tx.connection, source, lock=True)
    check_open(row.close_time)
    return row


def close(tx: Transaction, source: str, *, keep_courses: bool) -> Row[Any]:
    """Closes a locked source: it is not fetched any more, and has no secrets; returns its row."""
    pull = dict.fromkeys(("pull_schedule", "pull_credentials", "pull_next_time"))
    report = dict.fromkeys(("report_secret", "report_former", "report_former_until"))
    empty = dict.fromkeys(("pull_url", "pull_etag", "pull_modified", "report_url"), "")
    ended = {"close_time": tx.now, "removing": not keep_courses}
    return change(tx, source, **pull, **report, **empty, **ended)


def reopen(tx: Transaction, source: Row[Any], reason: str) -> Row[Any]:
    """Opens a locked, closed source again in the caller's name; what its closing removed is to come back.
    Returns its row."""
    again = {"reopen_time": tx.now, "reopened_by": tx.principal.subject, "reopen_reason": reason}
    ended = {"close_time": None, "removing": False, "restoring_since": source.close_time}
    return change(tx, source.id, **again, **ended)


def closed_at(tx: Transaction, organisation: str, moment: datetime) -> Sequence[Row[Any]]:
    """Returns the sources of an organisation that were closed at a moment, locked, by id."""
    wanted = (sources.c.organisation_id == organisation, sources.c.close_time == moment)
    return tx.execute(select(sources).where(*wanted).order_by(sources.c.id).with_for_update()).all()


def open_of(tx: Transaction, organisation: str) -> Sequence[Row[Any]]:
    """Returns the open sources of an organisation, locked, by id."""
    wanted = (sources.c.organisation_id == organisation, sources.c.close_time.is_(None))
    return tx.execute(select(sources).where(*wanted).order_by(sources.c.id).with_for_update()).all()


def to_empty(tx: Transaction) -> Row[Any] | None:
    """Returns a closed source, locked, whose courses are to be removed, if there is one."""
    statement = select(sources).where(sources.c.removing).order_by(sources.c.id).limit(1)
    return tx.execute(statement.with_for_update()).first()


def emptied(tx: Transaction, source: str) -> None:
    """Notes that the courses of a closed source are removed."""
    tx.execute(update(sources).where(sources.c.id == source).values(removing=False))


def to_fill(tx: Transaction) -> Row[Any] | None:
    """Returns an open source, locked, whose courses are to come back, if there is one."""
    statement = select(sources).where(sources.c.restoring_since.is_not(None)).order_by(sources.c.id).limit(1)
    return tx.execute(statement.with_for_update()).first()


def filled(tx: Transaction, source: str) -> None:
    """Notes that the courses of a source that was opened again are back."""
    tx.execute(update(sources).where(sources.c.id == source).values(restoring_since=None))


def change(tx: Transaction, source: str, **values: Any) -> Row[Any]:
    """Changes columns, counts the version up, returns the row."""
    if not values.keys().isdisjoint(_READ_BY):
        values["pull_run"] = None
    statement = (
        update(sources)
        .where(sources.c.id == source)
        .values(version=sources.c.version + 1, **values)
        .returning(sources)
    )
    return tx.execute(statement).one()


def listing(organisation: str) -> Select[Any]:
    """Selects sources, of one organisation where named."""
    statement = select(sources)
    return statement.where(sources.c.organisation_id == organisation) if organisation else statement


def claim_due(tx: Transaction, room: int, lease: timedelta) -> Sequence[Row[Any]]:
    """Takes up to `room` sources that are due and have no unfinished run, for the time of `lease`.

    `known`: their last fetched file is what they offer now, so one that has not changed need not be read; or
    it was taken back, so that reading it again would undo what a person has done.
    """
    values = {"room": room, "lease": lease, "succeeded": FeedRun.STATE_SUCCEEDED}
    return tx.execute(_CLAIM, values).all()


def note_pull(tx: Transaction, source: str, **values: Any) -> None:
    """Notes what came of a pull; no change of the source that others have to hear of."""
    tx.execute(update(sources).where(sources.c.id == source).values(**values))
