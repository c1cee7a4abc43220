"""Amounts, days and terms as a person types them, in the JSON form of the contracts' types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.cli.exits import ExitCode, Failure

_AMOUNT = re.compile(r"(?P<units>\d{1,12})(?:\.(?P<cents>\d{2}))?(?: ?(?P<currency>[A-Z]{3}))?")


def json_money(typed: str, currency: str = "EUR") -> dict[str, Any]:
    """`2500`, `2500.00` or `2500.00 EUR` as google.type.Money in JSON; raises Failure for anything else."""
    match = _AMOUNT.fullmatch(typed.strip())
    if match is None:
        raise Failure(
            ExitCode.USAGE,
            f"{typed!r} is not an amount.",
            remedy="Write it like 2500, 2500.00 or `2500.00 EUR`.",
        )
    return {
        "currencyCode": match["currency"] or currency,
        "units": match["units"],
        "nanos": int(match["cents"] or 0) * 10_000_000,
    }


def cents(amount: Mapping[str, Any]) -> int:
    """A google.type.Money in JSON as cents; one that was left out is zero."""
    return int(amount.get("units", 0)) * 100 + int(amount.get("nanos", 0)) // 10_000_000


def json_date(day: date) -> dict[str, int]:
    """A day as google.type.Date in JSON."""
    return {"year": day.year, "month": day.month, "day": day.day}


def utc(typed: str) -> datetime:
    """`2026-11-21T03:00:00Z`, with any offset or without one for UTC, or a day for its first moment; raises
    Failure for what is none."""
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        remedy = "Write it like 2026-11-21T03:00:00Z."
        raise Failure(ExitCode.USAGE, f"{typed!r} is no moment.", remedy=remedy) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def json_day(typed: str) -> dict[str, int]:
    """`2026-11-21` as google.type.Date in JSON; raises Failure for a day that does not exist."""
    try:
        return json_date(date.fromisoformat(typed))
    except ValueError:
        raise Failure(
            ExitCode.USAGE, f"{typed!r} is not a day of the calendar.", remedy="Write it like 2026-11-21."
        ) from None


def day_query(field: str, typed: str) -> dict[str, int]:
    """`2026-11-21` as query parameters of a google.type.Date field, none when empty; raises Failure."""
    return {f"{field}.{part}": number for part, number in json_day(typed).items()} if typed else {}


def json_partial_day(typed: str) -> dict[str, int]:
    """`2019`, `2019-09` or `2019-09-01` as google.type.Date in JSON; raises Failure for anything else."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", typed)
    if match is None:
        return json_day(typed)
    json_day(f"{match[1]}-{match[2] or '01'}-01")
    return {"year": int(match[1])} | ({"month": int(match[2])} if match[2] else {})


def in_days(days: int) -> str:
    """A moment so many days ahead of now as google.protobuf.Timestamp in JSON."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
