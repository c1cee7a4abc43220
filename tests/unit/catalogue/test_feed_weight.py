"""What a record counts for in memory: many small values take far more than they do in the file."""

from __future__ import annotations

import pytest

from services.catalogue.imports.feed import MAX_VALUES, FeedReader, Raw, batches, weight
from services.catalogue.imports.pipeline import READERS

MANY = MAX_VALUES * 2 // 3
# By how a format's records are kept: many small values, and as many signs of the others within one text.
KEPT = {
    "XML": (b"<a/>" * MANY, b"<a>" + b"[{,\x1f" * MANY + b"</a>"),
    "JSON": (b"[" + b"0," * MANY + b"0]", b'"' + b"<=\x1f\x1e" * MANY + b'"'),
    "CSV": (b"\x1f" * MANY, b"<,=[" * MANY),
}
READ_AS = {
    "XcriCap": "XML",
    "Emg": "XML",
    "Lheo": "XML",
    "Elm": "JSON",
    "Ooapi": "JSON",
    "SchemaOrg": "JSON",
    "Pushed": "JSON",
    "CsvTemplate": "CSV",
}


@pytest.mark.parametrize("reader", READERS.values(), ids=lambda reader: type(reader).__name__)
def test_a_record_of_many_values_fills_a_batch_by_itself_and_control(
    reader: FeedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, one_text = (Raw("C", 1, each, None) for each in KEPT[READ_AS[type(reader).__name__]])
    assert weight(large.raw, reader.holds(large.raw)) > 3 * len(large.raw)
    assert weight(one_text.raw, reader.holds(one_text.raw)) == len(one_text.raw)
    assert lengths(reader, large) == [2, 1]
    assert lengths(reader, one_text._replace(raw=one_text.raw[:1_000_000])) == [3]
    monkeypatch.setattr(type(reader), "holds", lambda *_: 0)  # the guard off
    assert lengths(reader, large) == [3]


def lengths(reader: FeedReader, record: Raw) -> list[int]:
    return [len(each) for each in batches(reader, iter([record] * 3), 1000, 8 << 20)]
