"""Postcodes within addresses in words."""

from __future__ import annotations

import re

from services.catalogue.imports.values import plain

_DIGITS = {
    3: "IS",
    4: "AL AT BE BG CH CY DK HU LI LU MK NO SI",
    5: "DE EE ES FI FR HR IT LT ME RS TR UA",
    6: "RO",
}
# NUTS code of a country → how its postcodes are written, by the Universal Postal Union.
_BY_COUNTRY = {
    country: rf"\d{{{count}}}" for count, codes in _DIGITS.items() for country in codes.split()
} | {
    **dict.fromkeys(("CZ", "EL", "SE", "SK"), r"\d{3} ?\d{2}"),
    "IE": r"[A-Z]\d[\dW] ?[A-Z\d]{4}",
    "LV": r"LV-\d{4}",
    "MT": r"[A-Z]{3} ?\d{4}",
    "NL": r"\d{4} ?[A-Z]{2}",
    "PL": r"\d{2}-\d{3}",
    "PT": r"\d{4}-\d{3}",
    "UK": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
}
_IN_TEXT = {
    country: re.compile(rf"(?<![A-Z\d])(?:{each})(?![A-Z\d])", re.ASCII)
    for country, each in _BY_COUNTRY.items()
}


def in_address(address: str, country: str) -> str:
    """Returns the last postcode that an address in words names, by how those of its country (NUTS code) are
    written: what stands before it are streets and numbers. "" for none, or a country that is not known."""
    pattern = _IN_TEXT.get(country)
    found = pattern.findall(plain(address, 1000)) if pattern else []
    return found[-1] if found else ""
