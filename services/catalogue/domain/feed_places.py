"""Which feed runs get the places of a process: the oldest first, but nobody keeps all of them.

Two rules hold where there is more than one place. An organisation has at most all but one, however many
sources it has. Large files, which take hours, have at most all but one, so that a small one waits for small
ones only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

LARGE = 64 << 20  # bytes; a file of fewer is read within minutes


class Piece(Protocol):
    """A run: whose it is, how many bytes it reads, and its number among the waiting ones of that
    organisation, from 1 on."""

    @property
    def organisation_id(self) -> str: ...  # noqa: D102
    @property
    def size_bytes(self) -> int: ...  # noqa: D102
    @property
    def number(self) -> int: ...  # noqa: D102


P = TypeVar("P", bound=Piece)


def choose(places: int, busy: Sequence[Piece], waiting: Iterable[P]) -> list[P]:
    """Returns those of `waiting` (the oldest first) that begin now, beside those that are `busy`.

    Organisations take turns: who has fewer runs under way comes first.
    """
    shared = max(1, places - 1)
    by_organisation = Counter(piece.organisation_id for piece in busy)
    large = sum(piece.size_bytes > LARGE for piece in busy)
    chosen: list[P] = []
    for piece in sorted(waiting, key=lambda each: by_organisation[each.organisation_id] + each.number):
        is_large = piece.size_bytes > LARGE
        if len(busy) + len(chosen) == places:
            break
        if by_organisation[piece.organisation_id] == shared or (is_large and large == shared):
            continue
        by_organisation[piece.organisation_id] += 1
        large += is_large
        chosen.append(piece)
    return chosen
