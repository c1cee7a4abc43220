"""Statements on figures of the labour market: sources, what is on its way in, what is served."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    case,
    delete,
    extract,
    func,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from waymark.catalogue.v1.observation_pb2 import ObservationMeasure as Measure
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import Finding
from services.catalogue.domain.observations import Known, Observation
from services.catalogue.domain.suppression import COMPANION, SHOWN, Cell, Key
from services.catalogue.store import observation_undo, taxonomies
from services.catalogue.store.market_tables import (
    observation_findings,
    observation_sources,
    observation_staged,
    observations,
)
from services.platform.db.copying import copy
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations.store import State
from services.platform.operations.table import operations

MOST_LATEST = 500
_o, _s = observations.c, observation_staged.c
ORDER = (_o.occupation, _o.nuts_code, _o.first_day, _o.period, _o.measure, _o.source_id)
_FIELDS = [column for column in Observation._fields if column != "line"]


def add_source(tx: Transaction, source: str, values: Mapping[str, Any]) -> Row[Any]:
    """Adds a source; raises Refusal(ALREADY_EXISTS)."""
    statement = upsert(observation_sources).values(id=source, **values).on_conflict_do_nothing()
    row = tx.execute(statement.returning(observation_sources)).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
    return row


def read_source(tx: Transaction, source: str, *, lock: bool = False) -> Row[Any]:
    """Returns the source, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(observation_sources).where(observation_sources.c.id == source)
    return tx.one(statement.with_for_update() if lock else statement)


def sources(connection: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Returns sources by id."""
    statement = select(observation_sources).where(observation_sources.c.id.in_(ids))
    return connection.execute(statement.order_by(observation_sources.c.id)).all()


def known(connection: Connection, uris: Iterable[str]) -> Known:
    """Returns every ISCO-08 code, and those of the concept URIs that the taxonomies in use have."""
    current = taxonomies.in_use(connection)
    scheme = taxonomies.ISCO if taxonomies.ISCO in current else taxonomies.ESCO
    groups = f"taxonomies/{scheme}/versions/{current.get(scheme, '')}"
    esco = f"taxonomies/{taxonomies.ESCO}/versions/{current.get(taxonomies.ESCO, '')}"
    found = {code: (code, groups) for code in taxonomies.isco_codes(connection)}
    concepts = taxonomies.by_uri(connection, uris)
    return Known(found | {uri: (row.isco_code, esco) for uri, row in concepts.items()})


def forget_failed(tx: Transaction) -> None:
    """Removes what imports left that failed."""
    failed = select(operations.c.id).where(operations.c.state == int(State.FAILED))
    tx.execute(delete(observation_staged).where(_s.import_id.in_(failed)))


def stage(tx: Transaction, import_id: str, found: Sequence[Observation]) -> set[int]:
    """Puts figures aside until all is read; returns the lines that say what an earlier one said."""
    if not found:
        return set()
    values = [{"import_id": import_id, **each._asdict()} for each in found]
    statement = upsert(observation_staged).on_conflict_do_nothing().returning(_s.line)
    kept = set(tx.execute(statement, values).scalars())
    return {each.line for each in found} - kept


def next_slice(tx: Transaction, import_id: str) -> tuple[int, int] | None:
    """Returns measure and year of what is to be taken over next."""
    statement = (
        select(_s.measure, extract("year", _s.first_day).label("year"))
        .where(_s.import_id == import_id)
        .order_by(_s.measure, _s.first_day)
        .limit(1)
    )
    row = tx.execute(statement).first()
    return (row.measure, int(row.year)) if row else None


def take_over(tx: Transaction, import_id: str, source: str, measure: int, year: int) -> None:
    """Makes staged figures of a measure and year the source's own.

    A figure that is shown already, and the same, stays of the import that brought it: people have seen it.
    """
    span = _s.first_day.between(date(year, 1, 1), date(year, 12, 31))
    mine = (_s.import_id == import_id) & (_s.measure == measure) & span
    staged = select(*(_s[name] for name in _FIELDS), _s.import_id, literal(source)).where(mine)
    observation_undo.keep_former(tx, import_id, source, measure, year)
    adding = upsert(observations).from_select([*_FIELDS, "import_id", "source_id"], staged)
    keys = {column.name for column in observations.primary_key}
    fresh: dict[str, Any] = {name: adding.excluded[name] for name in _FIELDS if name not in keys}
    fresh["import_id"] = case(
        (_o.value == adding.excluded.value, _o.import_id), else_=adding.excluded.import_id
    )
    tx.execute(
        adding.on_conflict_do_update(
            index_elements=list(observations.primary_key), set_=fresh | {"import_time": func.now()}
        )
    )
    tx.execute(delete(observation_staged).where(mine))


def cells(
    tx: Transaction, source: str, measure: int, year: int, import_id: str
) -> tuple[dict[Key, Cell], dict[str, str]]:
    """Returns the counts of a slice, fresh where only this import brought them, and URI → ISCO-08 code."""
    found: dict[Key, Cell] = {}
    codes: dict[str, str] = {}
    for row in tx.execute(select(observations).where(*_slice(source, measure, year))):
        key = row.occupation, row.nuts_code, row.period
        found[key] = Cell(row.value, row.hidden, row.import_id == import_id)
        if row.isco_code != row.occupation:
            codes[row.occupation] = row.isco_code
    return found, {uri: code for uri, code in codes.items() if code}


def hide(tx: Transaction, source: str, measure: int, year: int, keys: Iterable[Key]) -> None:
    """Takes companions out for good."""
    statement = (
        update(observations)
        .where(
            *_slice(source, measure, year),
            tuple_(_o.occupation, _o.nuts_code, _o.period)
            == tuple_(bindparam("its_occupation"), bindparam("its_region"), bindparam("its_period")),
        )
        .values(value=None, hidden=COMPANION)
    )
    names = ("its_occupation", "its_region", "its_period")
    values = [dict(zip(names, key, strict=True)) for key in keys]
    if values:
        tx.execute(statement, values)


_TELLING = text(
    """
    UPDATE observations t SET value = NULL, hidden = :companion
    WHERE t.source_id = :source AND t.measure = :tightness AND t.hidden = 0
      AND t.first_day BETWEEN :first AND :last
      AND EXISTS (
        SELECT FROM observations c
        WHERE c.occupation = t.occupation AND c.nuts_code = t.nuts_code AND c.first_day = t.first_day
          AND c.period = t.period AND c.source_id = t.source_id
          AND c.measure IN (:vacancies, :jobseekers) AND c.hidden <> 0)
    """
)


def hide_ratios(tx: Transaction, source: str, year: int) -> None:
    """Hides how tight a market is where one of the two counts is hidden: with the other it would tell it."""
    values = {
        "source": source,
        "companion": COMPANION,
        "tightness": Measure.OBSERVATION_MEASURE_TIGHTNESS,
        "vacancies": Measure.OBSERVATION_MEASURE_VACANCIES,
        "jobseekers": Measure.OBSERVATION_MEASURE_JOBSEEKERS,
        "first": date(year, 1, 1),
        "last": date(year, 12, 31),
    }
    tx.execute(_TELLING, values)


def count_hidden(tx: Transaction, source: str, measure: int, year: int) -> int:
    """Returns how many figures of a slice are hidden."""
    statement = select(func.count()).where(*_slice(source, measure, year), _o.hidden != SHOWN)
    return int(tx.execute(statement).scalar_one())


def _slice(source: str, measure: int, year: int) -> tuple[Any, ...]:
    return (
        _o.source_id == source,
        _o.measure == measure,
        _o.first_day.between(date(year, 1, 1), date(year, 12, 31)),
    )


def add_findings(tx: Transaction, import_id: str, first: int, found: Iterable[Finding]) -> None:
    """Adds findings, numbered from `first`."""
    copy(
        tx.connection,
        "observation_findings (import_id, seq, code, severity, record, line, path, value, message, remedy)",
        ((import_id, seq, *finding) for seq, finding in enumerate(found, first)),
    )


def latest(connection: Connection, occupations: Sequence[str], regions: Sequence[str]) -> Sequence[Row[Any]]:
    """Returns the latest figure of each source and measure, for each of some occupations and regions."""
    each = (_o.occupation, _o.nuts_code, _o.measure, _o.source_id)
    statement = (
        select(observations)
        .where(_o.occupation.in_(occupations), _o.nuts_code.in_(regions))
        .ext(distinct_on(*each))
        .order_by(*each, _o.last_day.desc(), _o.first_day.desc())
        .limit(MOST_LATEST)
    )
    return connection.execute(statement).all()


def listing_findings(import_id: str) -> Select[Any]:
    """Selects the findings of an import."""
    return select(observation_findings).where(observation_findings.c.import_id == import_id)


def listing(
    *,
    occupations: Sequence[str],
    regions: Sequence[str],
    measures: Sequence[int],
    sources: Sequence[str],
    first: date | None,
    last: date | None,
) -> Select[Any]:
    """Selects the figures that fit; what is empty fits all."""
    statement = select(observations)
    for column, values in (
        (_o.occupation, occupations),
        (_o.nuts_code, regions),
        (_o.measure, measures),
        (_o.source_id, sources),
    ):
        if values:
            statement = statement.where(column.in_(values))
    if first:
        statement = statement.where(_o.first_day >= first)
    return statement.where(_o.last_day <= last) if last else statement
