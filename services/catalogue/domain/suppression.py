"""Which counts are hidden, so that no small one can be read or worked out.

A count above 0 and below a source's threshold is small: it is not kept. It could still be worked out from a
total and what else that total is made of, over occupations, regions and periods. So further figures, the
companions, are hidden too, until of what is shown

- no small count follows: none is determined by the sums, all of them taken together, and
- within one sum, each small count may still be anything from 1 to just below the threshold.

Where many small counts stand close together, working that out can take very long. After MOST_STEPS all
figures that sums connect with a small one are hidden instead: coarser, and safe, because no sum of them has a
known figure.

Nobody is told which hidden figure is small and which a companion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.catalogue.domain.equations import Effort, TooMuchWork, determined
from services.catalogue.domain.periods import periods_above

ALL = "_T"  # all occupations together, as SDMX writes it
# WITHHELD: by its publisher, who does not say how small it is; it is kept from being worked out as well.
SHOWN, SMALL, COMPANION, WITHHELD = 0, 1, 2, 3
MOST_STEPS = 5_000_000  # of solving sums, for one slice: half a minute
Key = tuple[str, str, str]  # occupation, region, period
Sum = Sequence[Key]  # a total, then what it is made of


@dataclass(slots=True)
class Cell:
    """A count. `value`: None where it is hidden; `hidden`: SHOWN or why not; `fresh`: nobody has seen it yet,
    so that hiding it takes nothing back."""

    value: float | None
    hidden: int = SHOWN
    fresh: bool = True


def is_small(value: float, below: int) -> bool:
    """True for a count that is hidden for itself."""
    return 0 < value < below


def companions(cells: Mapping[Key, Cell], below: int, isco_of: Mapping[str, str]) -> set[Key]:
    """Returns what is to be hidden beside the counts of one source, measure and year that are hidden already.

    `isco_of`: concept URI → ISCO-08 code. The cells themselves stay as they are.
    """
    hidden = {key: cell.hidden for key, cell in cells.items() if cell.hidden}
    if not hidden:
        return set()
    small = frozenset(hidden)
    sums = list(_sums(cells, isco_of))
    within: defaultdict[Key, list[Sum]] = defaultdict(list)
    for each in sums:
        for key in each:
            within[key].append(each)
    try:
        _hide_more(cells, below, sums, within, hidden)
    except TooMuchWork:
        hidden |= dict.fromkeys(_connected(small, within), COMPANION)
    return hidden.keys() - small


def _hide_more(
    cells: Mapping[Key, Cell],
    below: int,
    sums: Sequence[Sum],
    within: Mapping[Key, Sequence[Sum]],
    hidden: dict[Key, int],
) -> None:
    """Adds companions to what is hidden until nothing follows; raises TooMuchWork."""
    effort = Effort(MOST_STEPS)
    while True:
        effort.spend(len(sums))
        touched = [each for each in sums if any(key in hidden for key in each)]
        guarded = [each for each in touched if any(hidden.get(key) in (SMALL, WITHHELD) for key in each)]
        beside = {key for each in guarded for key in each}
        exposed = determined([_unknown(each, hidden) for each in touched], effort) & beside
        exposed |= {key for each in touched for key in _narrowed(each, cells, hidden, below)}
        found = (_companion(each, within, cells, hidden, below, effort) for each in exposed)
        chosen = {key for key in found if key is not None}
        if not chosen:
            return
        hidden |= dict.fromkeys(chosen, COMPANION)


def _connected(start: Collection[Key], within: Mapping[Key, Sequence[Sum]]) -> set[Key]:
    """Returns some figures with all that sums connect them with."""
    reached, edge = set(start), set(start)
    while edge:
        edge = {key for each in edge for total in within.get(each, ()) for key in total} - reached
        reached |= edge
    return reached


def _sums(cells: Mapping[Key, Cell], isco_of: Mapping[str, str]) -> Iterator[Sum]:
    """Yields each total with the cells right below it: those for which no nearer total is there."""
    parts: defaultdict[tuple[int, Key], list[Key]] = defaultdict(list)
    for key in cells:
        for dimension in range(3):
            above = (_moved(key, dimension, up) for up in _above(dimension, key, isco_of))
            total = next((each for each in above if each in cells), None)
            if total is not None:
                parts[dimension, total].append(key)
    for (_, total), made_of in parts.items():
        yield [total, *made_of]


def _moved(key: Key, dimension: int, to: str) -> Key:
    occupation, region, period = (to if place == dimension else each for place, each in enumerate(key))
    return occupation, region, period


def _above(dimension: int, key: Key, isco_of: Mapping[str, str]) -> list[str]:
    occupation, region, period = key
    if dimension == 1:
        return [region[:length] for length in range(len(region) - 1, 1, -1)]
    if dimension == 2:
        return periods_above(period)
    if occupation == ALL:
        return []
    group = isco_of.get(occupation, "")
    longest = len(group) if group else len(occupation) - 1
    return [(group or occupation)[:length] for length in range(longest, 0, -1)] + [ALL]


def _unknown(each: Sum, hidden: Mapping[Key, int]) -> dict[Key, int]:
    return {key: 1 if place else -1 for place, key in enumerate(each) if key in hidden}


def _narrowed(each: Sum, cells: Mapping[Key, Cell], hidden: Mapping[Key, int], below: int) -> list[Key]:
    """Returns the small counts of a sum that, by what is shown of it, cannot be all of 1 to below - 1."""
    total, *parts = each
    unknown = [key for key in parts if key in hidden]
    small = [key for key in unknown if hidden[key] == SMALL]
    if total in hidden or not small:
        return []
    left = _value(cells[total]) - sum(_value(cells[key]) for key in parts if key not in hidden)
    others, larger = len(small) - 1, sum(hidden[key] == COMPANION for key in unknown)
    enough = left - others - larger * below >= below - 1
    bounded = len(unknown) == len(small) and left - others * (below - 1) > 1
    return [] if enough and not bounded else small


def _value(cell: Cell) -> float:
    return cell.value or 0.0


def _companion(
    exposed: Key,
    within: Mapping[Key, Sequence[Sum]],
    cells: Mapping[Key, Cell],
    hidden: Mapping[Key, int],
    below: int,
    effort: Effort,
) -> Key | None:
    """Returns what to hide beside an exposed figure: of the sums nearest to it, no zero where that can be,
    one that nobody has seen, the smallest."""
    reached, edge = {exposed}, {exposed}
    while edge:
        near = {key for each in edge for total in within[each] for key in total} - reached
        effort.spend(len(near))
        shown = near - hidden.keys()
        if shown:
            return min(shown, key=lambda key: _cost(key, cells[key], below))
        reached |= near
        edge = near
    return None


def _cost(key: Key, cell: Cell, below: int) -> tuple[bool, bool, float, Key]:
    value = _value(cell)
    return value < below, not cell.fresh, value, key
