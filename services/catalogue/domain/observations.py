"""Figures of the labour market: a row of a file becomes an observation, or findings that say what to mend."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from waymark.catalogue.v1.observation_pb2 import ObservationMeasure as Measure
from waymark.catalogue.v1.observation_pb2 import ObservationStatus as Status

from services.catalogue.domain.findings import Findings
from services.catalogue.domain.periods import Period, period_of
from services.catalogue.domain.suppression import ALL, SHOWN, SMALL, WITHHELD, is_small

# What sums up over occupations, regions and periods, and is hidden where it is small.
COUNTS = frozenset(
    {
        Measure.OBSERVATION_MEASURE_VACANCIES,
        Measure.OBSERVATION_MEASURE_JOBSEEKERS,
        Measure.OBSERVATION_MEASURE_EMPLOYMENT,
        Measure.OBSERVATION_MEASURE_FORECAST,
    }
)
MEASURES = {
    name.removeprefix("OBSERVATION_MEASURE_").lower(): number for name, number in Measure.items() if number
}
NAMES: dict[int, str] = {number: name for name, number in MEASURES.items()}
STATUSES = {
    name.removeprefix("OBSERVATION_STATUS_").lower(): number for name, number in Status.items() if number
}
_NUTS = re.compile(r"[A-Z]{2}[A-Z0-9]{0,3}")
_UNIT = re.compile(r"[A-Za-z%][A-Za-z0-9%/ ._-]{0,39}")


class Observation(NamedTuple):
    """One figure of a file. `value`: None where it is hidden; `hidden`: see `suppression`."""

    measure: int
    first_day: date
    period: str
    occupation: str
    nuts_code: str
    last_day: date
    isco_code: str
    taxonomy_version: str
    value: float | None
    unit: str
    status: int
    hidden: int
    line: int


@dataclass(frozen=True)
class Known:
    """Occupations of the taxonomies in force: code or URI → (ISCO-08 code, taxonomy version)."""

    occupations: Mapping[str, tuple[str, str]]


def read(row: Mapping[str, str], known: Known, below: int, findings: Findings) -> Observation | None:
    """Reads a row (columns as in the CSV form); None where the findings hold an error, or nothing is stated.

    A count below `below` is hidden at once: its value goes no further than this function.
    """
    measure = _word(row, "measure", MEASURES, findings)
    status = _word(row, "status", STATUSES, findings) if row.get("status", "").strip() else STATUSES["final"]
    period = _period(row["period"], findings)
    occupation, region, unit = (row[name].strip() for name in ("occupation", "region", "unit"))
    found = _occupation(occupation, known, findings)
    if not _NUTS.fullmatch(region):
        findings.error(
            "NUTS_INVALID", "region", region, "This is no NUTS code.", "Write it like BE2 or BE211."
        )
    if not _UNIT.fullmatch(unit):
        findings.error(
            "UNIT_INVALID", "unit", unit, "This is no unit.", "Write it like persons or EUR/month."
        )
    hidden = WITHHELD if _is_withheld(row, findings) else SHOWN
    value = None if hidden else _number(row["value"], measure, findings)
    if findings.rejected or period is None or found is None:
        return None
    if value is not None and measure in COUNTS and is_small(value, below):
        hidden, value = SMALL, None
    series = measure, period.first, period.text, occupation, region, period.last
    return Observation(*series, *found, value, unit, status, hidden, findings.line)


def _period(text: str, findings: Findings) -> Period | None:
    period = period_of(text)
    if period is None:
        findings.error(
            "PERIOD_INVALID",
            "period",
            text,
            "This is no period.",
            "Write a year, quarter or month: 2026, 2026-Q1, 2026-03.",
        )
    return period


def _occupation(text: str, known: Known, findings: Findings) -> tuple[str, str] | None:
    """The ISCO-08 code and taxonomy version of an occupation."""
    found = ("", "") if text == ALL else known.occupations.get(text)
    if found is None:
        findings.error(
            "OCCUPATION_UNKNOWN",
            "occupation",
            text,
            "The imported taxonomies have no such code or concept.",
            f"Use an ISCO-08 code, the URI of an ESCO occupation, or {ALL} for all together.",
        )
    return found


def _word(row: Mapping[str, str], column: str, words: Mapping[str, int], findings: Findings) -> int:
    text = row[column].strip().lower()
    if text not in words:
        known = ", ".join(words)
        findings.error(
            f"{column.upper()}_UNKNOWN", column, row[column], f"No such {column}.", f"Write {known}."
        )
    return words.get(text, 0)


def _is_withheld(row: Mapping[str, str], findings: Findings) -> bool:
    text = row.get("suppressed", "").strip().lower()
    if text not in ("", "true", "false", "yes", "no"):
        findings.error(
            "SUPPRESSED_INVALID",
            "suppressed",
            text,
            "This is neither yes nor no.",
            "Write yes, no or nothing.",
        )
    return text in ("true", "yes")


def _number(text: str, measure: int, findings: Findings) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        findings.error("VALUE_INVALID", "value", text, "This is no number.", "Write it like 12 or 3150.50.")
    elif value < 0 and measure:
        findings.error("VALUE_NEGATIVE", "value", text, "The figure is below 0.", "Write 0 or more.")
    elif measure in COUNTS and value != int(value):
        findings.error(
            "COUNT_NOT_WHOLE", "value", text, "A count is no whole number.", "Round it at its source."
        )
    return value
