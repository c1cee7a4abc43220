"""The parts that a large upload goes in."""

from __future__ import annotations

import pytest

from services.platform.objects.parts import PART_BYTES, parts_of


@pytest.mark.parametrize("size", [1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2_000_000_000])
def test_parts_cover_a_file_once_and_in_order(size: int) -> None:
    parts = parts_of(size)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert sum(part.size for part in parts) == size
    assert all(0 < part.size <= PART_BYTES for part in parts)
    assert [part.offset for part in parts] == [
        sum(before.size for before in parts[:n]) for n in range(len(parts))
    ]
    assert len(parts) <= 60  # so many addresses fit into an answer
