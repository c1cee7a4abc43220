"""References by which a transfer names what it pays. Standard: ISO 11649, creditor reference (RF)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

LENGTH = 12  # characters after the check digits: the last of an id, 48 random bits
_NAMED = re.compile(rf"(?<![0-9A-Z])R\s?F(?:\s?[0-9]){{2}}(?:\s?[0-9A-F]){{{LENGTH}}}(?![0-9A-Z])")


def reference_of(id_: str) -> str:
    """Returns the reference of what has this id (UUID text), in groups of four as it is printed:
    `RF18 0A1B 2C3D 4E5F`."""
    body = ending(id_).upper()
    whole = f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"
    return " ".join(whole[start : start + 4] for start in range(0, len(whole), 4))


def ending(reference: str) -> str:
    """Returns the end of the id that a compact reference, or an id, names."""
    return reference[-LENGTH:].lower()


def named_in(texts: Iterable[str]) -> str:
    """Returns the reference that a transfer names in its texts, compact; empty when none has good check
    digits, and when several do, as nobody can tell how much is for which."""
    found = {"".join(each.split()) for each in _NAMED.findall(" ".join(texts).upper())}
    good = {each for each in found if iso11649.is_valid(each)}
    return good.pop() if len(good) == 1 else ""
