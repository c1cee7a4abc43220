"""A published version of a shortage list, packed: answers take microseconds, an entry takes 17 bytes."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

from services.catalogue.domain.shortage import Entry, Occupation

_BASE = 36  # digits and letters, of which NUTS codes are made


class Table:
    """Finds what `shortage.best` would find among the entries. Never changes: threads may share it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Of entries for one occupation and region only the one that answers is kept."""
        best: defaultdict[str, dict[int, Entry]] = defaultdict(dict)
        for entry in entries:
            regions = best[entry.uri or entry.isco_code]
            region = int(entry.nuts_code, _BASE)
            known = regions.get(region)
            if known is None or (known.severity, -known.seq) < (entry.severity, -entry.seq):
                regions[region] = entry
        self._spans: dict[str, tuple[int, int]] = {}
        self._regions, self._seqs, self._lines, self._labels = (array("I") for _ in range(4))
        self._why = bytearray()  # severity and cause
        self._label_texts: list[str] = []
        places: dict[str, int] = {}
        for occupation, regions in best.items():
            start = len(self._seqs)
            for region in sorted(regions):
                self._pack(region, regions[region], places)
            self._spans[occupation] = start, len(self._seqs)
        self._named = {region for regions in best.values() for region in regions}
        self._codes_of_uris = {e.uri: e.isco_code for found in best.values() for e in found.values() if e.uri}

    def _pack(self, region: int, entry: Entry, places: dict[str, int]) -> None:
        place = places.setdefault(entry.label, len(self._label_texts))
        if place == len(self._label_texts):
            self._label_texts.append(entry.label)
        self._regions.append(region)
        self._seqs.append(entry.seq)
        self._lines.append(entry.line)
        self._labels.append(place)
        self._why.append(entry.severity << 4 | entry.cause)

    def __len__(self) -> int:
        return len(self._seqs)

    def names(self, nuts_code: str) -> bool:
        """True when an entry is for just this region."""
        return int(nuts_code, _BASE) in self._named

    def find(self, occupation: Occupation, nuts_code: str) -> Entry | None:
        """Returns the entry that answers: the most specific occupation, then region, then the most severe."""
        code = occupation.isco_code
        keys = [occupation.uri] if occupation.uri else []
        for key in (*keys, *(code[:length] for length in range(len(code), 0, -1))):
            span = self._spans.get(key)
            if span is None:
                continue
            region, length = int(nuts_code, _BASE), len(nuts_code)
            while region:
                place = bisect_left(self._regions, region, *span)
                if place < span[1] and self._regions[place] == region:
                    return self._entry(key, nuts_code[:length], place)
                region, length = region // _BASE, length - 1
        return None

    def _entry(self, key: str, nuts_code: str, place: int) -> Entry:
        is_uri = key in self._codes_of_uris
        return Entry(
            self._seqs[place],
            key if is_uri else "",
            self._codes_of_uris[key] if is_uri else key,
            self._label_texts[self._labels[place]],
            nuts_code,
            self._why[place] >> 4,
            self._why[place] & 15,
            self._lines[place],
        )
