"""Languages as the Publications Office of the EU names them: by three letters, as the end of an address."""

from __future__ import annotations

from functools import cache

from babel.core import get_global

AUTHORITY = "http://publications.europa.eu/resource/authority/language/"
# Codes that stand beside the terminological ones of ISO 639-2, or did once.
_BIBLIOGRAPHIC = frozenset(
    (
        *("alb", "arm", "baq", "bur", "chi", "cze", "dut", "fre", "geo", "ger", "gre", "ice", "mac", "mao"),
        *("may", "per", "rum", "slo", "tib", "wel", "scc", "scr", "mol"),
    )
)
_NONE = ("und", "mul", "mis", "zxx", "op_datpro")  # undetermined, several, uncoded, without words


def two_letters(uri: str) -> str:
    """Returns the language code of ISO 639-1 where there is one, else the three letters; "" for none."""
    code = uri.rpartition("/")[2].lower()
    if code in _NONE or not (len(code) == 3 and code.isascii() and code.isalpha()):
        return ""
    found: str = get_global("language_aliases").get(code, code)
    return found


def authority_uri(code: str) -> str:
    """Returns the address of a language by its code of two or three letters, "" for one that nobody knows."""
    return AUTHORITY + _three_letters().get(code, code.upper() if len(code) == 3 else "UND")


@cache
def _three_letters() -> dict[str, str]:
    found = get_global("language_aliases").items()
    return {
        short: long.upper()
        for long, short in found
        if len(long) == 3 and len(short) == 2 and long not in _BIBLIOGRAPHIC
    }
