"""What commands print: tables for people, the answer as it came for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from services.cli.amounts import cents

Row = Mapping[str, Any]
WIDE = 200  # columns where the output is no terminal, so that a file or a pipe gets whole lines
# Names of enums of the contracts, all of them; people read what comes after.
_ENUM = re.compile(
    r"(?:STATE|KIND|OUTCOME|SECTOR|HOLD_REASON|SHORTAGE_CAUSE|FINDING_SEVERITY|ACCOUNT_KIND|FEED_FORMAT|FORMAT|VERDICT"
    r"|STANDING|END_REASON|REJECT_REASON|HIRING|MEASURE|PARTICIPANT_OUTCOME|ENTRY_KIND|MANDATE_PURPOSE|SKILL_LEVEL"
    r"|SKILL_SOURCE|SKILL_FRESHNESS|FACT_SOURCE|ORGANISATION_ROLE|OBSERVATION_MEASURE|OBSERVATION_STATUS|SESSION_STATUS"
    r"|PARTNERSHIP_MODEL|AGREEMENT_FORM|SELECTION_PROCEDURE|AGREEMENT_END_REASON|SIDE|DATA_PURPOSE|PARTNER_REFUSAL_REASON"
    r"|PERIOD|EFFECT|TIER|CHANNEL|FILLER|CREDENTIAL_FORMAT|CHECK_KIND|CHECK_OUTCOME|CHECK_FINDING"
    r"|GENDER|SUPPORT_TIER|CONTACT_CHANNEL|GUIDANCE_NEED|VISIBILITY|TASK_STATE|EMPLOYABILITY_LEVEL|PAGE_TEMPLATE"
    r"|GROUND|BREAK_GLASS_VERDICT|REFUSAL_GROUND|IDENTITY_PROOF|METHOD|HOLD_ON|SCOPE|TRIGGER|COHORT|MOVEMENT|FOLLOW_UP"
    r"|STATUS|SOURCE|GROUP_BY|STATISTICS_DIMENSION|MONEY_LEFT|REISSUE_REASON|EXTENSION_REASON|EXPORT_DATASET"
    r"|MANDATE_LEGAL_BASIS|MANDATE_PART|ELEMENT_RATING|SCAN_STATE|CEFR_LEVEL|CREDENTIAL_FILE_FORM|COURSE_ASPECT|FACET|SEARCH_ORDER"
    r"|LINK_STRENGTH|WAY|REPORT_STATE|COURSE_MODE|TAG_ORIGIN|TAXONOMY_SCHEME|COURSE_STANDING|FAULT|ROLE|REASON"
    r"|(?:EXPORT|PAGE|DOCUMENT|COURSE_EXPORT|OBSERVATION|SHORTAGE|TAXONOMY)_FORMAT)_([A-Z0-9_]+)"
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z")


def table(rows: Iterable[Row], columns: Mapping[str, str], *, title: str = "", empty: str = "none") -> None:
    """Prints `rows` as a table; `columns` maps a heading to a dotted path into the row (`entry.severity`)."""
    shown = list(rows)
    if not shown:
        typer.echo(empty)
        return
    from rich import box  # here: what is printed for programs does without
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title or None, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD)
    for heading in columns:
        drawn.add_column(heading, overflow="fold")
    for row in shown:
        drawn.add_row(*(text(at(row, path)) for path in columns.values()))
    width = None if sys.stdout.isatty() else WIDE
    Console(markup=False, highlight=False, width=width).print(drawn)


def details(row: Row, fields: Mapping[str, str]) -> None:
    """Prints one resource, a line per field that has a value; `fields` maps a label to a dotted path."""
    width = max(len(label) for label in fields)
    for label, path in fields.items():
        value = text(at(row, path))
        if value:
            typer.echo(f"{label:<{width}}  {value}")


def one(answer: Row, fields: Mapping[str, str], for_programs: bool) -> None:
    """Prints one resource: JSON as it came, or the named fields (see `details`)."""
    if for_programs:
        as_json(answer)
    else:
        details(answer, fields)


def many(rows: Sequence[Row], columns: Mapping[str, str], for_programs: bool, *, empty: str = "none") -> None:
    """Prints a list: JSON as it came, or a table with the named columns (see `table`)."""
    if for_programs:
        as_json(rows)
    else:
        table(rows, columns, empty=empty)


def as_json(answer: Mapping[str, Any] | Sequence[Any]) -> None:
    """Prints one JSON document."""
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def at(row: Any, path: str) -> Any:
    """The value at a dotted path, "" where there is none."""
    for key in path.split("."):
        if not isinstance(row, Mapping):
            return ""
        row = row.get(key, "")
    return row


def text(value: Any) -> str:
    """A value as people read it: money as `12.50 EUR`, days as 2026-11-21, localised texts in English."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "currencyCode" in value:
            return money(value)
        if "year" in value:
            return day(value)
        return text(value.get("en") or next(iter(value.values()), ""))
    if isinstance(value, list):
        return ", ".join(map(text, value))
    if isinstance(value, str):
        return word(value)
    return str(value)


def word(value: str) -> str:
    """A text as people read it: a value of an enum in small letters, a moment to the minute, UTC."""
    if match := _ENUM.fullmatch(value):
        return "" if match[1] == "UNSPECIFIED" else match[1].replace("_", " ").lower()
    if match := _TIME.fullmatch(value):
        return f"{match[1]} {match[2]} UTC"
    return value


def day(value: Mapping[str, Any]) -> str:
    """A google.type.Date in JSON as 2026-11-21; a year, or a year and a month, where that is all it says."""
    parts = [part for part in (value.get("month", 0), value.get("day", 0)) if part]
    return "-".join([f"{value['year']:04d}", *(f"{part:02d}" for part in parts)])


def money(value: Mapping[str, Any]) -> str:
    """A google.type.Money in JSON as `12.50 EUR`."""
    amount = cents(value)
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d} {value['currencyCode']}"
