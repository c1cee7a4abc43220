"""An index that is built in pieces of one size ends as one segment."""

from __future__ import annotations

from pathlib import Path

import pytest
import tantivy

from services.catalogue.search import follower


@pytest.mark.parametrize("count", [0, 1, 15_000, 15_001, 200_000, 200_001, 1_000_000])
def test_pieces_fit_and_are_a_power_of_eight(count: int) -> None:
    size = follower.piece_of(count)
    pieces = max(1, -(-count // size))
    assert size <= follower.PIECE
    assert pieces in (1, 8, 64, 512)


@pytest.mark.parametrize(("pieces", "segments"), [(8, 1), (64, 1), (7, 7), (65, 2)])
def test_pieces_are_merged_into_one(tmp_path: Path, pieces: int, segments: int) -> None:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", indexed=True)
    index = tantivy.Index(builder.build(), str(tmp_path))
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    for number in range(pieces):
        made = tantivy.Document()
        made.add_unsigned("number", number)
        writer.add_document(made)
        writer.commit()
    writer.wait_merging_threads()
    index.reload()
    assert index.searcher().num_segments == segments  # 7 and 65: the control
