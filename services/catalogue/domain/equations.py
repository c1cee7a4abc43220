"""Which unknowns a set of sums determines."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
_PRIME = (1 << 61) - 1  # all is counted modulo it: exact enough, and no fraction ever grows


class TooMuchWork(Exception):
    """The equations fill each other in: solving them takes more steps than are allowed."""


class Effort:
    """Steps that may be taken yet, over several systems; a step looks at one unknown of one equation."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Takes steps off; raises TooMuchWork when there are not so many."""
        self._left -= steps
        if self._left < 0:
            raise TooMuchWork


def determined(equations: Sequence[Mapping[K, int]], effort: Effort) -> set[K]:
    """Returns the unknowns that linear equations determine, each given as unknown → factor; raises
    TooMuchWork.

    A solution of the same equations with 0 on the other side, drawn at random, is 0 exactly where nothing
    else is possible.
    """
    triangle = _Triangle(equations, effort)
    triangle.solve()
    chance, drawn = random.Random(len(equations)), dict[K, int]()  # noqa: S311  no secret; the same each time
    for unknown, row in reversed(triangle.solved):
        total = 0
        for other, factor in row.items():
            if other != unknown:
                if other not in drawn:
                    drawn[other] = chance.randrange(1, _PRIME)
                total += factor * drawn[other]
        drawn[unknown] = -total * pow(row[unknown], -1, _PRIME) % _PRIME
    return {unknown for unknown, value in drawn.items() if not value}


class _Triangle(Generic[K]):
    """Equations on the way to triangular form: `solved` has each with an unknown that no later one holds."""

    def __init__(self, equations: Sequence[Mapping[K, int]], effort: Effort) -> None:
        self._effort = effort
        self.solved: list[tuple[K, dict[K, int]]] = []
        self._left = dict(enumerate(dict(equation) for equation in equations if equation))
        self._holds: defaultdict[K, set[int]] = defaultdict(set)  # unknown → equations left that hold it
        for number, row in self._left.items():
            effort.spend(len(row))
            for unknown in row:
                self._holds[unknown].add(number)
        self._single = [unknown for unknown, within in self._holds.items() if len(within) == 1]
        self._lengths = [(len(row), number) for number, row in self._left.items()]
        heapq.heapify(self._lengths)

    def solve(self) -> None:
        """Takes an unknown that one equation alone holds, which costs nothing; where there is none, takes one
        of the shortest equation out of all others."""
        while self._left:
            unknown = self._next_single()
            if unknown is None:
                number = self._shortest()
                unknown = min(self._left[number], key=lambda each: len(self._holds[each]))
                self._take_out(unknown, number)
            else:
                number = next(iter(self._holds[unknown]))
            self._close(unknown, number)

    def _next_single(self) -> K | None:
        while self._single:
            unknown = self._single.pop()
            if len(self._holds[unknown]) == 1:
                return unknown
        return None

    def _shortest(self) -> int:
        while True:  # what is at hand may have been another length since
            length, number = heapq.heappop(self._lengths)
            if number in self._left and len(self._left[number]) == length:
                return number

    def _close(self, unknown: K, number: int) -> None:
        row = self._left.pop(number)
        self.solved.append((unknown, row))
        for each in row:
            self._drop(each, number)

    def _drop(self, unknown: K, number: int) -> None:
        within = self._holds[unknown]
        within.discard(number)
        if len(within) == 1:
            self._single.append(unknown)

    def _take_out(self, unknown: K, number: int) -> None:
        row = self._left[number]
        inverse = pow(row[unknown], -1, _PRIME)
        for other in self._holds[unknown] - {number}:
            self._effort.spend(len(row))
            changed = self._left[other]
            times = changed[unknown] * inverse % _PRIME
            for each, factor in row.items():
                value = (changed.get(each, 0) - times * factor) % _PRIME
                if value:
                    changed[each] = value
                    self._holds[each].add(other)
                elif changed.pop(each, None) is not None:
                    self._drop(each, other)
            if changed:
                heapq.heappush(self._lengths, (len(changed), other))
            else:
                del self._left[other]
