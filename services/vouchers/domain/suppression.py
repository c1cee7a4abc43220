"""Which small numbers of people are not published, and which others, so that totals do not reveal them."""

from __future__ import annotations

from collections.abc import Mapping

SMALLEST = 5  # people; fewer are not published


def suppressed(cells: Mapping[str, int]) -> set[str] | None:
    """Returns the keys of cells that must not be published beside their total; None when the total must not
    be published either.

    Whoever subtracts the published cells from the total learns the sum of those not published. Cells are
    withheld, the smallest first, until that leaves at least SMALLEST possible values for each of them.
    A cell with nobody is published, as it tells of nobody.
    """
    hidden = {key for key, people in cells.items() if 0 < people < SMALLEST}
    if not hidden:
        return set()
    others = sorted(
        (key for key, people in cells.items() if people >= SMALLEST), key=lambda key: (cells[key], key)
    )
    while not _protected([cells[key] for key in hidden]):
        if not others:
            return None
        hidden.add(others.pop(0))
    return hidden


def _protected(hidden: list[int]) -> bool:
    """True when each of these cells could be anything from 1 to at least SMALLEST, for all that their sum
    says: the others hold at least one person each."""
    return len(hidden) > 1 and sum(hidden) - (len(hidden) - 1) >= SMALLEST
