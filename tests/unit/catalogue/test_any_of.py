"""A filter by values finds the same courses whether they are asked for one by one or as a set."""

from __future__ import annotations

import pytest
import tantivy

from services.catalogue.search import schema, words


@pytest.mark.parametrize("count", [1, 2, words.FEW, words.FEW + 1])
def test_any_of_many_values(count: int) -> None:
    index = tantivy.Index(schema.schema())
    schema.register(index)
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    for number in range(count + 5):
        made = tantivy.Document()
        made.add_text("organisation", f"o{number}")
        writer.add_document(made)
    writer.commit()
    index.reload()
    query = words.any_of("organisation", [f"o{number}" for number in range(count)])
    found = index.searcher().search(query, limit=count + 5)
    assert len(found.hits) == count
