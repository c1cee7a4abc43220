"""Statements on feed runs and their findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import ERROR, Finding
from services.catalogue.store.feed_tables import feed_findings, feed_runs, sources
from services.platform.db.copying import copy
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

_r = feed_runs.c
# One that failed may have done a part.
_TOOK_EFFECT = and_(~_r.dry_run, or_(_r.state == FeedRun.STATE_SUCCEEDED, _r.applied_to != ""))
ACTIVE = (FeedRun.STATE_QUEUED, FeedRun.STATE_RUNNING, FeedRun.STATE_HELD, FeedRun.STATE_RECEIVING)
REPORTED = (FeedRun.STATE_HELD, FeedRun.STATE_SUCCEEDED, FeedRun.STATE_FAILED, FeedRun.STATE_REJECTED)


def active(tx: Transaction, source: str) -> Row[Any] | None:
    """Returns the unfinished run of a source, None without one."""
    statement = select(feed_runs).where(feed_runs.c.source_id == source, feed_runs.c.state.in_(ACTIVE))
    return tx.execute(statement).first()


def add(
    tx: Transaction,
    source: str,
    upload: str | None,
    *,
    dry_run: bool = False,
    partial: bool = False,
    way: int = FeedRun.WAY_UPLOAD,
    state: int = FeedRun.STATE_QUEUED,
    rolls_back_to: str | None = None,
) -> str:
    """Adds a run;

    The source must be locked. Raises Refusal(FEED_RUN_ACTIVE) while another is unfinished.
    """
    refuse_while_active(tx, source)
    run = new_id()
    tx.execute(
        insert(feed_runs).values(
            id=run,
            source_id=source,
            upload_id=upload,
            state=state,
            way=way,
            dry_run=dry_run,
            partial=partial,
            rolls_back_to=rolls_back_to,
            requested_by=tx.principal.subject,
        )
    )
    return run


def refuse_while_active(tx: Transaction, source: str) -> None:
    """Raises Refusal(FEED_RUN_ACTIVE) while a run of the source is unfinished."""
    if (run := active(tx, source)) is not None:
        raise _unfinished(run)


def refuse_while_held(tx: Transaction, source: str) -> None:
    """Raises Refusal(FEED_RUN_ACTIVE) while a run of the source waits for a person."""
    run = active(tx, source)
    if run is not None and run.state == FeedRun.STATE_HELD:
        raise _unfinished(run)


def _unfinished(run: Row[Any]) -> Refusal:
    metadata = {"feed_run": f"feedRuns/{run.id}", "state": _name(run.state)}
    return Refusal(reason_pb2.REASON_FEED_RUN_ACTIVE, metadata=metadata)


def read(connection: Connection, run: str, *, lock: bool = False) -> Row[Any]:
    """Returns the run, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(feed_runs).where(feed_runs.c.id == run)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no feed run {run}.")
    return row


def in_state(tx: Transaction, run: str, needed: FeedRun.State.ValueType) -> Row[Any]:
    """Returns a run in a state, locked; raises Refusal: NOT_FOUND, WRONG_STATE."""
    row = read(tx.connection, run, lock=True)
    if row.state != needed:
        state = {"state": _name(row.state), "needed": _name(needed)}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=state)
    return row


def _name(state: Any) -> str:
    return FeedRun.State.Name(state).removeprefix("STATE_")


def to_roll_back_to(tx: Transaction, source: str, named: str = "") -> Row[Any]:
    """Returns the run of a source that a roll-back goes back to: the one named, else the last good one.

    Raises Refusal: NOT_FOUND, NOTHING_TO_ROLL_BACK.
    """
    if named and str(read(tx.connection, named).source_id) != source:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no feed run {named} of this source.")
    served = select(func.max(_r.create_time)).where(_r.source_id == source, _TOOK_EFFECT).scalar_subquery()
    statement = (
        select(feed_runs)
        .where(
            _r.source_id == source,
            _r.state == FeedRun.STATE_SUCCEEDED,
            _TOOK_EFFECT,
            _r.complete,
            ~_r.partial,
            _r.upload_id.is_not(None),
            _r.id == named if named else and_(_r.create_time < served, _r.rolled_back_by.is_(None)),
        )
        .order_by(_r.create_time.desc())
        .limit(1)
    )
    row = tx.execute(statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOTHING_TO_ROLL_BACK)
    return row


def mark_rolled_back(tx: Transaction, run: Row[Any]) -> None:
    """Marks the runs that the roll-back `run` has undone: those after the one that it goes back to."""
    since = select(_r.create_time).where(_r.id == run.rolls_back_to).scalar_subquery()
    undone = (
        _r.source_id == run.source_id,
        _TOOK_EFFECT,
        _r.rolled_back_by.is_(None),
        _r.create_time > since,
        _r.create_time < run.create_time,
    )
    tx.execute(update(feed_runs).where(*undone).values(rolled_back_by=run.id))


def listing(source: str, organisation: str, state: int) -> Select[Any]:
    """Selects runs, of one source, of one organisation and in one state where named."""
    statement = select(feed_runs)
    if state:
        statement = statement.where(feed_runs.c.state == state)
    if source:
        statement = statement.where(feed_runs.c.source_id == source)
    if organisation:
        owned = select(sources.c.id).where(sources.c.organisation_id == organisation)
        statement = statement.where(feed_runs.c.source_id.in_(owned))
    return statement


def change(tx: Transaction, run: str, **values: Any) -> Row[Any]:
    """Changes columns, with the state its time and whether it is to be reported, and returns the run."""
    if "state" in values:
        values |= {"state_time": func.now(), "report_attempts": 0, "report_error": ""}
        values |= {"report_next_time": func.now(), "report_state": _report_state(values["state"])}
    statement = update(feed_runs).where(feed_runs.c.id == run).values(**values).returning(feed_runs)
    return tx.execute(statement).one()


def _report_state(state: int) -> Any:
    """Whether there is anybody to be told of such a state."""
    if state not in REPORTED:
        return 0
    told = select(sources.c.id).where(
        sources.c.id == feed_runs.c.source_id,
        sources.c.report_url != "",
        sources.c.report_secret.is_not(None),
    )
    return case((told.correlate(feed_runs).exists(), FeedRun.REPORT_STATE_PENDING), else_=0)


def fail(
    tx: Transaction, run: str, code: str, message: str, remedy: str, *, value: str = "", **counts: int
) -> None:
    """Ends a run as FAILED, with a finding that is of no record; `counts` are columns to change as well."""
    add_findings(tx, run, 0, [Finding(code, ERROR, "", 0, "", value, message, remedy)])
    change(tx, run, state=FeedRun.STATE_FAILED, error_count=1, **counts)


def count_held(tx: Transaction) -> int:
    """Returns how many runs wait for a person."""
    held = select(func.count()).where(_r.state == FeedRun.STATE_HELD)
    return int(tx.execute(held).scalar_one())


# A push has no file yet: what it has sent is to become one.
_WAITING = text("""
SELECT * FROM (
  SELECT r.id::text, r.source_id::text, s.organisation_id,
    coalesce(u.size_bytes, (SELECT sum(octet_length(p.lines)) FROM feed_pushed p WHERE p.run_id = r.id), 0)
      AS size_bytes,
    row_number() OVER (PARTITION BY s.organisation_id ORDER BY r.id) AS number
  FROM feed_runs r JOIN sources s ON s.id = r.source_id LEFT JOIN uploads u ON u.id = r.upload_id
  WHERE r.state IN (1, 2)
) waiting WHERE number <= 20 ORDER BY number, id LIMIT 1000
""")


def waiting(connection: Connection) -> Sequence[Row[Any]]:
    """Returns runs to work on, oldest first: queued ones, and ones a worker has or left unfinished, some of
    each organisation (id, source_id, organisation_id, size_bytes, number within its organisation)."""
    return connection.execute(_WAITING).all()


def take_up(tx: Transaction, run: str) -> int:
    """Makes a run one's own; returns the number of the turn, which is over when there is a later one."""
    statement = update(feed_runs).where(_r.id == run).values(turn=_r.turn + 1).returning(_r.turn)
    return int(tx.execute(statement).scalar_one())


def hold(tx: Transaction, run: str) -> int:
    """Locks a run, so that nobody takes it up meanwhile; returns whose turn it is."""
    return int(read(tx.connection, run, lock=True).turn)


def applied(count: int) -> ColumnElement[int]:
    """So many courses more have been written."""
    return _r.applied_count + count


def add_findings(tx: Transaction, run: str, first: int, findings: Iterable[Finding]) -> None:
    """Adds findings, numbered from `first`."""
    copy(
        tx.connection,
        "feed_findings (run_id, seq, code, severity, record, line, path, value, message, remedy)",
        ((run, seq, *finding) for seq, finding in enumerate(findings, first)),
    )


def forget_findings(tx: Transaction, run: str, first: int = 0) -> None:
    """Removes the findings of a run that starts again, from a number on."""
    f = feed_findings.c
    tx.execute(feed_findings.delete().where(f.run_id == run, f.seq >= first))


def listing_findings(run: str, minimum_severity: int) -> Select[Any]:
    """Selects the findings of a run that are at least this severe."""
    return select(feed_findings).where(
        feed_findings.c.run_id == run, feed_findings.c.severity >= minimum_severity
    )


def worst_findings(run: str, count: int) -> Select[Any]:
    """Selects the findings of a run, errors before warnings, at most `count`."""
    c = feed_findings.c
    return select(feed_findings).where(c.run_id == run).order_by(c.severity.desc(), c.seq).limit(count)
