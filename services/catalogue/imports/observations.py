"""Takes in a file of figures, a chunk a transaction: all of it is read and put aside, then each measure and
year of it becomes visible at once, with small counts and their companions hidden."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import Any

from sqlalchemy import Row
from waymark.catalogue.v1.market_change_pb2 import MarketChange
from waymark.catalogue.v1.observation_pb2 import ObservationMeasure as Measure

from services.catalogue.domain.findings import Finding, Findings
from services.catalogue.domain.observations import COUNTS, NAMES, Observation, read
from services.catalogue.domain.suppression import companions
from services.catalogue.imports import observation_csv
from services.catalogue.imports.observation_csv import Cursor
from services.catalogue.store import market_changes, observation_undo, observations, uploads
from services.platform.app import App
from services.platform.db.transaction import Transaction, may_idle
from services.platform.objects.streams import buffered
from services.platform.operations.runner import Chunk

KIND, UNDO = "observation_import", "observation_undo"
SIZE = 5000  # rows of a chunk
MOST_FINDINGS = 10_000  # kept of one file
LONGEST = 600.0  # seconds that a slice may take to be thought about
NOTHING = {"rows": 0, "accepted": 0, "rejected": 0, "suppressed": 0, "findings": 0}
RATIO = {
    Measure.OBSERVATION_MEASURE_VACANCIES,
    Measure.OBSERVATION_MEASURE_JOBSEEKERS,
    Measure.OBSERVATION_MEASURE_TIGHTNESS,
}


def take_in(app: App, tx: Transaction, row: Row[Any]) -> Chunk:
    """Does the next chunk of an import."""
    result = NOTHING | row.result
    if not row.place:
        observations.forget_failed(tx)
        if not row.argument["dry_run"]:
            observation_undo.forget_former(tx, row.argument["source"], row.id)
    if not row.place.get("read", False):
        return _next_rows(app, tx, row, result)
    found = observations.next_slice(tx, row.id)
    if found is None:
        return Chunk(row.place, result, 0, last=True)
    result["suppressed"] += _apply(tx, row, *found)
    return Chunk(row.place, result, 0, last=False)


def _next_rows(app: App, tx: Transaction, row: Row[Any], result: dict[str, Any]) -> Chunk:
    source = observations.read_source(tx, row.argument["source"])
    # One begun before it was kept how far it had come begins the file again.
    cursor = Cursor(**row.place.get("at", {}))
    passed = result["rows"] - cursor.count
    with app.objects.open(uploads.BUCKET, row.argument["upload"], offset=cursor.offset) as opened:
        lines = observation_csv.rows(buffered(opened), row.argument["format"], cursor)
        found = list(islice(lines, passed, passed + SIZE))
    known = observations.known(tx.connection, {each["occupation"].strip() for _, each in found})
    good: list[Observation] = []
    wrong: list[Finding] = []
    for number, (line, each) in enumerate(found, result["rows"] + 1):
        findings = Findings(str(number), line)
        observation = read(each, known, source.suppress_below, findings)
        wrong += findings.found
        if observation is not None:
            good.append(observation)
    again = observations.stage(tx, row.id, good)
    wrong += [_doubled(each) for each in good if each.line in again]
    kept = sorted(wrong, key=lambda finding: finding.line)[: MOST_FINDINGS - result["findings"]]
    observations.add_findings(tx, row.id, result["findings"], kept)
    result["findings"] += len(kept)
    result["rows"] += len(found)
    result["accepted"] += len(good) - len(again)
    result["rejected"] = result["rows"] - result["accepted"]
    size = uploads.read(tx.connection, row.argument["upload"]).size_bytes
    end = len(found) < SIZE or cursor.offset == size  # behind the last byte a store has nothing to open
    if end:
        _check_whole(app, row)
    place = {"read": end, "at": asdict(cursor)}
    return Chunk(place, result, len(found), last=end and row.argument["dry_run"])


def _check_whole(app: App, row: Row[Any]) -> None:
    """Raises Refusal(INTERNAL) unless the file is the one that was uploaded; nothing of it is visible yet."""
    with app.objects.open(uploads.BUCKET, row.argument["upload"], sha256=row.argument["sha256"]) as whole:
        for _ in whole:
            pass


def _doubled(each: Observation) -> Finding:
    findings = Findings("", each.line)
    findings.error(
        "OBSERVATION_DOUBLED",
        "occupation",
        each.occupation,
        "An earlier line has a figure for the same measure, occupation, region and period.",
        "Leave one of the two out.",
    )
    return findings.found[0]


def _apply(tx: Transaction, row: Row[Any], measure: int, year: int) -> int:
    source = observations.read_source(tx, row.argument["source"], lock=True)  # one import of it at a time
    observations.take_over(tx, row.id, source.id, measure, year)
    return settle(tx, source, measure, year, row.id)


def undo(_app: App, tx: Transaction, row: Row[Any]) -> Chunk:
    """Takes the next measure and year of an import back."""
    source = observations.read_source(tx, row.argument["source"], lock=True)
    found = observation_undo.next_slice(tx, row.argument["import"], source.id)
    if found is None:
        return Chunk({}, row.result, 0, last=True)
    observation_undo.restore(tx, row.argument["import"], source.id, *found)
    settle(tx, source, *found, row.id)
    return Chunk({}, row.result, 1, last=False)


def settle(tx: Transaction, source: Row[Any], measure: int, year: int, import_id: str) -> int:
    """Hides what small counts of a measure and year follow from, and tells that it has changed; returns how
    many figures of it are hidden. `import_id`: what only it brought nobody has seen yet."""
    if measure in COUNTS:
        may_idle(tx, LONGEST)
        cells, isco_of = observations.cells(tx, source.id, measure, year, import_id)
        keys = companions(cells, source.suppress_below, isco_of)
        observations.hide(tx, source.id, measure, year, sorted(keys))
    if measure in RATIO:
        observations.hide_ratios(tx, source.id, year)
    market_changes.note(
        tx,
        MarketChange.KIND_OBSERVATIONS,
        f"observationSources/{source.id}",
        f"{NAMES[measure]} {year}",
    )
    return observations.count_hidden(tx, source.id, measure, year)
