"""Values of feeds:

Dates, prices, codes. Each reader notes a finding and returns None when the value is wrong.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from services.catalogue.domain.findings import INFO, Findings, clean
from services.catalogue.imports.markup import without_markup

MAX_TITLE, MAX_DESCRIPTION, MAX_SUBJECTS = 500, 20_000, 30
MAX_CENTS = 10_000_000_00  # ten million; more is a slip
MARKUP = (
    20  # characters of markup for one of a text; a tree of all that a record may hold would take a gigabyte
)
_AMOUNT = re.compile(r"(-?\d{1,9})(?:[.,](\d{1,2})0{0,8})?", re.ASCII)
_NUTS = re.compile(r"[A-Z]{2}[A-Z0-9]{0,3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_POSTCODE = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9 -]{0,10}[A-Z0-9]", re.ASCII | re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}")
LONGEST_ADDRESS = 2000  # characters
# Most addresses; what the standard library makes of others takes longer to tell.
_WEB_ADDRESS = re.compile(r"https?://[a-z0-9.-]*[a-z0-9](?::[0-9]{1,4})?(?:/[a-zA-Z0-9._~/?&=%#+-]*)?")


def plain(text: str, limit: int) -> str:
    """Returns the text on one line, controls removed, cut to `limit` characters."""
    if text.isprintable() and "  " not in text and not text.startswith(" ") and not text.endswith(" "):
        return text[:limit]  # most are plain, which takes a third of the time to tell
    return clean(" ".join(text.split()))[:limit]


def title(text: str, path: str, findings: Findings) -> str:
    """Returns a title without markup; an empty one is an error."""
    found = prose(text, MAX_TITLE, path, findings)
    if not found:
        findings.error("TITLE_MISSING", path, "", "The course has no title.", "Give it a title.")
    return found


def prose(text: str, limit: int, path: str, findings: Findings) -> str:
    """Returns a text without markup on one line; what is beyond `limit` characters is cut off and told."""
    found = plain(without_markup(text[: limit * MARKUP]), limit + 1)
    if len(found) > limit or len(text) > limit * MARKUP:
        message = f"The text is longer than {limit} characters and was cut off."
        findings.add(INFO, "TEXT_CUT", path, len(text), message, "Shorten it, and link to the rest.")
    return found[:limit]


def texts(said: Mapping[str, str], limit: int, path: str, findings: Findings) -> dict[str, str]:
    """Returns texts without markup by language code without region; those in no language are told and left
    out. `said`: tag of language → text."""
    found: dict[str, str] = {}
    for tag, text in said.items():
        clean_text = prose(text, limit, path, findings)
        if clean_text and (code := language(tag, f"{path}/@language", findings)):
            found.setdefault(code, clean_text)
    return found


def titles(said: Mapping[str, str], default: str, path: str, findings: Findings) -> dict[str, str]:
    """Returns titles by language, as `texts`; that there is none is an error."""
    return texts(said, MAX_TITLE, path, findings) or {default: title("", path, findings)}


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


def month_day(year: int, month: int | None, path: str, findings: Findings, *, last: bool) -> str | None:
    """Returns the first or last day, ISO 8601, of a month, or of a year without one, and tells that it was
    chosen; None (an error) when there is no such month."""
    try:
        low, high = month or 1, month or 12
        found = date(year, high, monthrange(year, high)[1]) if last else date(year, low, 1)
    except ValueError:
        message, remedy = "This is no month.", "Write an existing month, better an existing day."
        findings.error("DATE_INVALID", path, f"{year}-{month or ''}", message, remedy)
        return None
    findings.add(
        INFO,
        "DATE_IMPRECISE",
        path,
        f"{year}-{month:02}" if month else year,
        f"Only the {'month' if month else 'year'} is given; its {'last' if last else 'first'} day is taken.",
        "Give the day.",
    )
    return found.isoformat()


def date_in_words(text: str, path: str, findings: Findings) -> None:
    """Tells that a start is given in words only."""
    findings.add(
        INFO,
        "DATE_IN_WORDS",
        path,
        text,
        "The date is given in words only; the course counts as open at any time.",
        "Add the day as YYYY-MM-DD.",
    )


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


def money(
    amount: str, code: str, amount_path: str, code_path: str, findings: Findings
) -> dict[str, str | int]:
    """Returns `currency` and `cents` as sessions hold them, nothing when one of them is wrong."""
    checked, count = currency(code, code_path, findings), cents(amount, amount_path, findings)
    return {} if checked is None or count is None else {"currency": checked, "cents": count}


def currency_missing(path: str, price: str, findings: Findings) -> None:
    """Warns of a price without currency."""
    message, remedy = "The price has no currency, so it is left out.", "Give its currency, like EUR."
    findings.warning("CURRENCY_MISSING", path, price, message, remedy)


def vat_missing(path: str, value: str, findings: Findings) -> None:
    """Warns of a price that is not what a learner pays."""
    findings.warning(
        "VAT_MISSING",
        path,
        value,
        "The price is without VAT and no rate is given, so it is left out.",
        "Give the price with VAT.",
    )


def price_ambiguous(path: str, value: str, findings: Findings) -> None:
    """Tells that the first of several prices was taken."""
    message, remedy = "Several prices are given; the first is used.", "Give one price a session."
    findings.add(INFO, "PRICE_AMBIGUOUS", path, value, message, remedy)


def mode_unknown(path: str, value: str, remedy: str, findings: Findings) -> None:
    """Warns of a way of teaching that is not known."""
    findings.warning("MODE_UNKNOWN", path, value, "This way of teaching is not known.", remedy)


def currency(text: str, path: str, findings: Findings) -> str | None:
    """Returns a currency code (ISO 4217, three capitals) or None, which is an error."""
    if _CURRENCY.fullmatch(text):
        return text
    findings.error("CURRENCY_INVALID", path, text, "This is no currency code.", "Write it like EUR.")
    return None


def language(text: str, path: str, findings: Findings) -> str:
    """Returns a language code in lower case without region, "" (with a warning) when it is none."""
    code = text.strip().lower().replace("_", "-").partition("-")[0]
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


def postcode(text: str, path: str, findings: Findings) -> str:
    """Returns a postcode on one line, "" (with a warning) for what is written like none: letters of the Latin
    alphabet, digits, spaces and hyphens, a digit among them, two to twelve in all."""
    found = plain(text, 100)
    if found and not _POSTCODE.fullmatch(found):
        message, remedy = "This is no postcode.", "Write the postcode alone, like 9000 or MK7 6BJ."
        findings.warning("POSTCODE_INVALID", path, found, message, remedy)
        return ""
    return found


def web_address(text: str, path: str, findings: Findings) -> str:
    """Returns an http(s) address, "" (with a warning) when it is none: nothing else may become a link."""
    text = text.strip()
    if not text:
        return ""
    if len(text) <= LONGEST_ADDRESS and _WEB_ADDRESS.fullmatch(text):
        return text
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= LONGEST_ADDRESS
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


def enrolment_closed(path: str, value: str, findings: Findings) -> None:
    """Warns of a session that takes nobody any more, which the catalogue cannot say."""
    findings.warning(
        "ENROLMENT_CLOSED",
        path,
        value,
        "Nobody can enrol in this session, which the catalogue cannot say: it is shown like any other.",
        "Leave the session out, or give the last day to enrol.",
    )


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
