"""`waymark shortage check-all`: many questions at once, out of a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls
from services.cli.exits import ExitCode, Failure
from services.cli.shortage_proof import OfList, On

AT_ONCE = 500  # questions that one call answers
COLUMNS = ("occupation", "region")
ANSWERS = {
    "occupation": "asked",
    "region": "region",
    "on": "date",
    "short": "short",
    "severity": "entry.severity",
    "cause": "entry.cause",
    "by version": "version",
    "entry": "entry.name",
}


def register(shortage: typer.Typer) -> None:
    """Adds the command to `waymark shortage`."""
    shortage.command(epilog="Example:  waymark shortage check-all questions.csv --on 2026-09-01")(check_all)


@calls()
def check_all(
    call: Call,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV file: occupation,region[,date].")
    ],
    on: On = "",
    name: OfList = "",
) -> None:
    """Ask whether many occupations were short, one a row; a row without a date takes that of --on."""
    rows = questions(file)
    answers = []
    for start in range(0, len(rows), AT_ONCE):
        asked = [_request(row, on, name) for row in rows[start : start + AT_ONCE]]
        answers += call.post("shortageLists:batchCheck", {"requests": asked})["responses"]
    if not call.as_json:
        told = zip(rows, answers, strict=True)
        answers = [
            {"short": False, **answer, "asked": row["occupation"], "region": row["region"]}
            for row, answer in told
        ]
    call.rows(answers, ANSWERS)


def questions(file: Path) -> list[dict[str, str]]:
    """Reads the rows of a file of questions; raises Failure saying what is wrong with it."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restval="")
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(file, str(error)) from error
    if missing:
        raise _unreadable(file, f"its first line lacks {', '.join(missing)}")
    if not rows:
        raise _unreadable(file, "it has no rows")
    return rows


def _request(row: dict[str, str], on: str, shortage_list: str) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "occupation": row["occupation"].strip(),
        "nutsCode": row["region"].strip(),
        "shortageList": shortage_list,
    }
    day = (row.get("date") or on).strip()
    return asked | ({"date": json_day(day)} if day else {})


def _unreadable(file: Path, why: str) -> Failure:
    return Failure(
        ExitCode.USAGE,
        f"{file} holds no questions: {why}.",
        remedy="Write UTF-8 CSV with a first line `occupation,region` or `occupation,region,date`.",
    )
