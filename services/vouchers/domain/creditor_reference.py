"""References by which a transfer names what it pays. Standard: ISO 11649, creditor reference (RF)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

LENGTH = 12  # characters of an id that are told, its last: 48 random bits
# Digits alone, of which the check finds every slip of one, and of two changed about; where spaces and ends of
# lines come to lie is up to the bank.
DIGITS = 15
_NAMED = re.compile(rf"(?<![0-9A-Z])R\s*F(?:\s*[0-9]){{{2 + DIGITS}}}(?![0-9A-Z])")


def reference_of(id_: str) -> str:
    """Returns the reference of what has this id (UUID text), in groups of four as it is printed:
    `RF76 0123 4567 8901 234`."""
    body = f"{int(id_[-LENGTH:], 16):0{DIGITS}d}"
    whole = f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"
    return " ".join(whole[start : start + 4] for start in range(0, len(whole), 4))


def ending(reference: str) -> str:
    """Returns the last LENGTH characters of the id that a compact reference names; longer for one that names
    none."""
    return f"{int(reference[4:]):0{LENGTH}x}"


def named_in(texts: Iterable[str]) -> str:
    """Returns the reference that a transfer names in its texts, compact; empty when none has good check
    digits, and when several do, as nobody can tell how much is for which."""
    found = {"".join(each.split()) for each in _NAMED.findall(" ".join(texts).upper())}
    good = {each for each in found if iso11649.is_valid(each)}
    return good.pop() if len(good) == 1 else ""
