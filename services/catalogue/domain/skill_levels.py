"""What an occupation usually takes, by ISCO-08's own skill levels."""

from __future__ import annotations

SOURCE = "ILO, ISCO-08, skill levels of major groups; levels of ISCED 2011 that correspond"
# Major group → skill levels, ISCO-08 volume I; submajor group 14 is of level 3 alone.
_LEVELS = {
    "0": (1, 2, 4),
    "1": (3, 4),
    "14": (3,),
    "2": (4,),
    "3": (3,),
    "4": (2,),
    "5": (2,),
    "6": (2,),
    "7": (2,),
    "8": (2,),
    "9": (1,),
    "01": (4,),
    "02": (2,),
    "03": (1,),
}
_ISCED = {1: (1,), 2: (2, 3, 4), 3: (5,), 4: (6, 7, 8)}


def skill_levels(isco_code: str) -> tuple[int, ...]:
    """Returns the skill levels of an ISCO-08 code; none for one that is none."""
    return _LEVELS.get(isco_code[:2]) or _LEVELS.get(isco_code[:1]) or ()


def isced_levels(levels: tuple[int, ...]) -> list[int]:
    """Returns the ISCED 2011 levels that correspond."""
    return [isced for level in levels for isced in _ISCED[level]]
