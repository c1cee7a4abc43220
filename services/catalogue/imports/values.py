"""Values of feeds:

Dates, prices, codes. Each reader notes a finding and returns None when the value is wrong.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from services.catalogue.domain.findings import Findings, clean

MAX_TITLE, MAX_DESCRIPTION, MAX_SUBJECTS = 500, 20_000, 30
MAX_CENTS = 10_000_000_00  # ten million; more is a slip
_AMOUNT = re.compile(r"(-?\d{1,9})(?:[.,](\d{1,2}))?")
_NUTS = re.compile(r"[A-Z]{2}[A-Z0-9]{0,3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_SPACE = re.compile(r"\s+")


def plain(text: str, limit: int) -> str:
    """Returns the text on one line, controls removed, cut to `limit` characters."""
    return clean(_SPACE.sub(" ", text).strip())[:limit]


@lru_cache(maxsize=20_000)
def _iso(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def day(text: str, path: str, findings: Findings, *, reject: bool = True) -> str | None:
    """Returns an ISO 8601 date (a time after it is cut off) or None; `reject`: a wrong one is an error."""
    text = text.strip()
    if not text:
        return None
    if _iso(text[:10]) and (len(text) == 10 or text[10] == "T"):
        return text[:10]
    note = findings.error if reject else findings.warning
    note("DATE_INVALID", path, text, "This is no date.", "Write an existing day as YYYY-MM-DD.")
    return None


def cents(text: str, path: str, findings: Findings) -> int | None:
    """Returns an amount in cents;

    `1250`, `1250.5` and `1250,50` are read. A wrong or negative one is an error.
    """
    match = _AMOUNT.fullmatch(text.strip().replace(" ", ""))
    if match is None:
        findings.error("PRICE_INVALID", path, text, "This is no amount.", "Write it like 1250.00.")
        return None
    whole, part = match.groups()
    value = int(whole) * 100 + int((part or "0").ljust(2, "0"))
    if whole.startswith("-"):
        findings.error(
            "PRICE_NEGATIVE", path, text, "A price cannot be negative.", "Write what a learner pays."
        )
        return None
    if value > MAX_CENTS:
        findings.error("PRICE_TOO_HIGH", path, text, "The price is above ten million.", "Check the amount.")
        return None
    return value


def currency(text: str, path: str, findings: Findings) -> str | None:
    """Returns a currency code (ISO 4217, three capitals) or None, which is an error."""
    if _CURRENCY.fullmatch(text):
        return text
    findings.error("CURRENCY_INVALID", path, text, "This is no currency code.", "Write it like EUR.")
    return None


def language(text: str, path: str, findings: Findings) -> str:
    """Returns a language code in lower case without region, "" (with a warning) when it is none."""
    code = re.split(r"[-_]", text.strip().lower(), maxsplit=1)[0]
    if code and not _LANGUAGE.fullmatch(code):
        findings.warning(
            "LANGUAGE_INVALID", path, text, "This is no language code.", "Write two letters, like nl."
        )
        return ""
    return code


def nuts(text: str, path: str, findings: Findings) -> str:
    """Returns a NUTS code, "" (with a warning) when it is none."""
    text = text.strip().upper()
    if text and not _NUTS.fullmatch(text):
        findings.warning("NUTS_INVALID", path, text, "This is no NUTS code.", "Write it like BE21 or BE211.")
        return ""
    return text


def web_address(text: str, path: str, findings: Findings) -> str:
    """Returns an http(s) address, "" (with a warning) when it is none: nothing else may become a link."""
    text = text.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= 2000
    except ValueError:
        good = False
    if not good:
        findings.warning("URL_INVALID", path, text, "This is no web address.", "Write it like https://….")
        return ""
    return text


def whole(text: str, low: int, high: int, path: str, findings: Findings) -> int | None:
    """Returns a whole number within bounds, None (with a warning) when it is none."""
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    findings.warning(
        "NUMBER_INVALID",
        path,
        text,
        f"This is no whole number from {low} to {high}.",
        "Write digits only, within the bounds.",
    )
    return None


def coordinates(latitude: str, longitude: str, path: str, findings: Findings) -> tuple[float, float] | None:
    """Returns WGS 84 degrees, None when absent or (with a warning) wrong."""
    if not latitude.strip() and not longitude.strip():
        return None
    try:
        found = float(latitude), float(longitude)
    except ValueError:
        found = (999.0, 999.0)
    if -90 <= found[0] <= 90 and -180 <= found[1] <= 180:
        return found
    findings.warning(
        "COORDINATES_INVALID",
        path,
        f"{latitude} {longitude}",
        "These are no coordinates.",
        "Write WGS 84 degrees like 51.05 and 3.72.",
    )
    return None


def check_order(session: dict[str, Any], path: str, findings: Findings) -> None:
    """Notes an error when a session ends before it starts."""
    if "start" in session and "end" in session and session["end"] < session["start"]:
        findings.error(
            "DATES_REVERSED",
            path,
            f"{session['start']} {session['end']}",
            "The session ends before it starts.",
            "Exchange or mend the two dates.",
        )
