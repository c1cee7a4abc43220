"""A stream of requests is taken in parts that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.empty_pb2 import Empty

from services.platform.rpc import exchange
from services.platform.rpc.body import MAX_REQUEST
from services.platform.rpc.exchange import CHUNK, CHUNK_BYTES, Received, chunks, received


def messages(*sizes: int) -> Iterator[Received]:
    return (Received(number, None, (), size) for number, size in enumerate(sizes, 1))


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ([], [0]),
        ([1], [1]),
        ([1] * CHUNK, [CHUNK]),
        ([1] * (CHUNK + 1), [CHUNK, 1]),
        ([CHUNK_BYTES // 2] * 5, [2, 2, 1]),
        ([CHUNK_BYTES + 1, 1], [1, 1]),
    ],
)
def test_a_chunk_ends_by_number_or_by_size(sizes: list[int], lengths: list[int]) -> None:
    found = list(chunks(messages(*sizes)))
    assert [len(chunk) for chunk in found] == lengths
    assert [each.number for chunk in found for each in chunk] == list(range(1, len(sizes) + 1))


def test_a_message_that_is_too_large_stops_nothing() -> None:
    large, small = b"x" * (MAX_REQUEST + 1), Empty().SerializeToString()
    first, second = received(Empty.FromString, [large, small])
    assert (first.request, first.violations[0].description) == (None, "A message has 1 MiB at most.")
    assert (second.number, second.request, second.violations) == (2, Empty(), [])


def test_no_more_is_held_than_one_chunk_whatever_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    most = held(messages(*[CHUNK_BYTES // 4] * 40))
    assert most <= CHUNK_BYTES + CHUNK_BYTES // 4
    monkeypatch.setattr(exchange, "CHUNK_BYTES", 1 << 60)  # control
    assert held(messages(*[CHUNK_BYTES // 4] * 40)) > 5 * CHUNK_BYTES


def held(sent: Iterator[Received]) -> int:
    """Returns the bytes of the largest chunk."""
    return max(sum(each.size for each in chunk) for chunk in chunks(sent))
