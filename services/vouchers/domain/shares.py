"""Splits an amount so that the parts add up to the cent."""

from __future__ import annotations

from collections.abc import Sequence


def split(cents: int, weights: Sequence[int]) -> list[int]:
    """Returns `cents` split in proportion to `weights` by largest remainder: each part is rounded down, and
    the cents left over go one each to the largest remainders, the first of equal ones before the next.

    `cents` and weights are not below zero, and some weight is above it.
    """
    whole = sum(weights)
    parts = [cents * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(cents * weights[index] % whole), index))
    for index in order[: cents - sum(parts)]:
        parts[index] += 1
    return parts
