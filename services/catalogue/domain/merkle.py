"""Merkle trees with SHA-256 (RFC 9162, 2.1): a root stands for a list, a path proves one of its items."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

Levels = list[list[bytes]]  # hashes of the items, then of pairs, up to the root alone


def leaf(item: bytes) -> bytes:
    """Returns the hash of an item."""
    return hashlib.sha256(b"\x00" + item).digest()


def levels(items: Iterable[bytes]) -> Levels:
    """Returns every hash of the tree over the items, of which there is at least one."""
    found = [[leaf(item) for item in items]]
    while len(found[-1]) > 1:
        below = found[-1]
        pairs = zip(below[::2], below[1::2], strict=False)
        above = [_node(left, right) for left, right in pairs]
        found.append(above + below[-1:] * (len(below) % 2))  # the one without a pair goes up as it is
    return found


def root(tree: Levels) -> bytes:
    """Returns the root, 32 bytes."""
    return tree[-1][0]


def path(tree: Levels, index: int) -> list[bytes]:
    """Returns the hashes that lead from an item (its place, from 0) to the root, the lowest first."""
    found = []
    for level in tree[:-1]:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        index >>= 1
    return found


def root_of(item: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes | None:
    """Returns the root that an item at a place of a list of `size` leads to by a path; None: no such path."""
    if not 0 <= index < size:
        return None
    found, last, left = leaf(item), size - 1, list(hashes)
    while last:
        if index ^ 1 <= last:
            if not left:
                return None
            beside = left.pop(0)
            found = _node(beside, found) if index & 1 else _node(found, beside)
        index, last = index >> 1, last >> 1
    return None if left else found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
