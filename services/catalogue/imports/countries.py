"""Countries as feeds name them: by code or by English name."""

from __future__ import annotations

from functools import cache

from babel import Locale
from babel.core import get_global

from services.catalogue.imports.feed import Context

_TO_NUTS = {"GR": "EL", "GB": "UK"}  # where NUTS differs from ISO 3166


def region(country: str, context: Context) -> str:
    """Returns the NUTS code of a place of which only the country is known.

    It is the source's own region where that lies in the country or none is given, else the country.
    """
    code = _nuts_codes().get(country.strip().casefold(), "")
    default = context.default_nuts_code
    return default if not code or default.startswith(code) else code


def iso_code(nuts: str) -> str:
    """Returns the ISO 3166 code of a country by its NUTS code."""
    return {nuts_code: iso for iso, nuts_code in _TO_NUTS.items()}.get(nuts, nuts)


def two_letters(code: str) -> str:
    """Returns the ISO 3166 code of two letters of one of three, "" for none."""
    found = get_global("territory_aliases").get(code.upper()) or [""]
    return str(found[0]) if len(found) == 1 else ""


def three_letters(nuts: str) -> str:
    """Returns the ISO 3166 code of three letters of a country by its NUTS code, "" for none."""
    return _three_letters().get(iso_code(nuts), "")


def known(code: str) -> bool:
    """True for the NUTS code of a country."""
    return code in _nuts_codes().values()


@cache
def _nuts_codes() -> dict[str, str]:
    """Name or code of a country, in lower case → its NUTS code."""
    names: dict[str, str] = {}
    for code, name in Locale("en").territories.items():
        if len(code) == 2 and code.isalpha():
            nuts = _TO_NUTS.get(code, code)
            names |= {code.casefold(): nuts, nuts.casefold(): nuts, name.casefold(): nuts}
    return names


@cache
def _three_letters() -> dict[str, str]:
    found = get_global("territory_aliases").items()
    return {short[0]: long for long, short in found if len(long) == 3 and long.isalpha() and len(short) == 1}
