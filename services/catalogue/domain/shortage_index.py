"""A published version of a shortage list, packed: answers take microseconds, an entry takes 17 bytes.

It is packed once, at publication, and kept as it is used: whoever answers takes over five columns of numbers
and a few names, and looks at no entry.
"""

from __future__ import annotations

import json
import string
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from services.catalogue.domain.shortage import Entry, Occupation, compact

_DIGITS = string.digits + string.ascii_uppercase  # of which NUTS codes are made
_BASE = len(_DIGITS)


def pack(entries: Iterable[Entry]) -> bytes:
    """Returns the version as a Table takes it: a line of JSON with what is text, then the columns. The first
    four have four bytes a number, as the machine orders them (the lowest first wherever this runs), the last
    has one.

    Of entries for one occupation and region only the one that answers is kept.
    """
    best: defaultdict[str, dict[int, Entry]] = defaultdict(dict)
    for entry in entries:
        regions = best[entry.uri or entry.isco_code]
        region = int(entry.nuts_code, _BASE)
        known = regions.get(region)
        if known is None or (known.severity, -known.seq) < (entry.severity, -entry.seq):
            regions[region] = entry
    places: dict[str, int] = {}
    numbers = [array("I") for _ in range(4)]
    why = bytearray()  # severity and cause
    spans: dict[str, tuple[int, int]] = {}
    for occupation, regions in best.items():
        start = len(why)
        for region, entry in sorted(regions.items()):
            row = region, entry.seq, entry.line, places.setdefault(entry.label, len(places))
            for column, number in zip(numbers, row, strict=True):
                column.append(number)
            why.append(entry.severity << 4 | entry.cause)
        spans[occupation] = start, len(why)
    codes = {e.uri: e.isco_code for found in best.values() for e in found.values() if e.uri}
    texts = compact({"size": len(why), "spans": spans, "codes": codes, "labels": list(places)})
    return b"".join([texts.encode(), b"\n", *(column.tobytes() for column in numbers), why])


class Table:
    """Finds what `shortage.best` would find among the entries. Never changes: threads may share it."""

    def __init__(self, packed: bytes) -> None:
        """`packed`: as of `pack`."""
        texts, _, columns = packed.partition(b"\n")
        names = json.loads(texts)
        self._spans: dict[str, tuple[int, int]] = names["spans"]
        self._codes_of_uris: dict[str, str] = names["codes"]
        self._label_texts: list[str] = names["labels"]
        ends = [4 * names["size"] * number for number in range(5)]
        parts = (columns[start:end] for start, end in pairwise(ends))
        self._regions, self._seqs, self._lines, self._labels = (array("I", part) for part in parts)
        self._why = columns[ends[-1] :]
        self._named = set(self._regions)

    def __len__(self) -> int:
        return len(self._why)

    def names(self, nuts_code: str) -> bool:
        """True when an entry is for just this region."""
        return int(nuts_code, _BASE) in self._named

    def find(self, occupation: Occupation, nuts_code: str) -> Entry | None:
        """Returns the entry that answers: the most specific occupation, then region, then the most severe."""
        code = occupation.isco_code
        keys = [occupation.uri] if occupation.uri else []
        for key in (*keys, *(code[:length] for length in range(len(code), 0, -1))):
            span = self._spans.get(key)
            found = None if span is None else self._around(span, nuts_code)
            if found is not None:
                return self._entry(key, found)
        return None

    def answering(self, nuts_code: str) -> Iterator[Entry]:
        """Yields of each occupation that the list names the entry that answers in a region, or (empty)
        anywhere: the most specific region, then the most severe."""
        for key, span in self._spans.items():
            found = self._around(span, nuts_code) if nuts_code else max(range(*span), key=self._order)
            if found is not None:
                yield self._entry(key, found)

    def _around(self, span: tuple[int, int], nuts_code: str) -> int | None:
        """Returns the place of the entry, of those in the span, for the region or the next above it."""
        region = int(nuts_code, _BASE)
        while region:
            place = bisect_left(self._regions, region, *span)
            if place < span[1] and self._regions[place] == region:
                return place
            region //= _BASE
        return None

    def _order(self, place: int) -> tuple[int, int, int]:
        return len(_region(self._regions[place])), self._why[place] >> 4, -self._seqs[place]

    def _entry(self, key: str, place: int) -> Entry:
        is_uri = key in self._codes_of_uris
        return Entry(
            self._seqs[place],
            key if is_uri else "",
            self._codes_of_uris[key] if is_uri else key,
            self._label_texts[self._labels[place]],
            _region(self._regions[place]),
            self._why[place] >> 4,
            self._why[place] & 15,
            self._lines[place],
        )


@lru_cache(4096)  # regions; Europe has two thousand
def _region(number: int) -> str:
    """Returns the code of a region, which stands as a number of base 36."""
    code = ""
    while number:
        number, digit = divmod(number, _BASE)
        code = _DIGITS[digit] + code
    return code
