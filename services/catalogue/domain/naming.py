"""Concepts by what they are called: which skills or occupations does a phrase name, best first?

A concept is a vector of its preferred label plus, with less weight, one of all its labels; a phrase is a
vector too, and the closest concepts (by cosine) are the answer. Vectors have three kinds of entries: stems;
beginnings of stems, which bring "leadership" and "lead" together; pairs of stems close to each other in any
order, which tell "project management" from a management of many projects. Rare entries weigh more (IDF).
Nothing is learnt but from the labels of the taxonomy itself, so any version and language will do.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import accumulate
from typing import NamedTuple

from services.catalogue.domain.labels import stem, words

BEGINNING = 4  # letters of a stem
NEAR = 2  # words that the two of a pair may be apart
PARTS = 0.5  # weight of beginnings and of pairs beside stems
RARITY = 0.85  # power of the IDF
OTHERS = 0.3  # weight of the vector of all labels beside that of the preferred one
MOST_WORDS = 40  # of a phrase that are looked at
LEAST = 0.6  # confidence from which the closest concept is more often right than not: the rest are no tags
CLEAR, AHEAD = (
    0.65,
    0.05,
)  # of the one that a phrase names: how close at least, and by how much before the next
# Words that say nothing, where whoever wrote the labels uses them freely.
_EMPTY = {
    "en": "a an and are as at be by etc for from in is it its of on or other our such that the their this to"
    " we with you your",
    "nl": "aan bij de die een en het in is met of om op te van voor",
    "de": "als am an auf das dem den der des die ein eine im in mit oder und von zu zum zur",
    "fr": "a au aux d dans de des du en et l la le les ou par pour sur un une",
}
# One spelling of what English writes in two: -ise for -ize and -yse for -yze.
_IZE = re.compile(r"(?<=[a-z]{2}[iy])z(?=(?:e|ed|es|er|ers|ing|able|ation|ations|ational)$)")

_PART = re.compile(r"[ ^]")  # of entries that are no stems


class Named(NamedTuple):
    """A concept and its labels in one language."""

    uri: str
    label: str
    others: Sequence[str]


class Match(NamedTuple):
    """A concept found; `confidence`, 0 to 1, grows with the likeness of phrase and labels."""

    uri: str
    label: str
    confidence: float


class Names:
    """Finds concepts of one language by phrases. Does not change once made: threads may share it."""

    def __init__(self, concepts: Iterable[Named], language: str) -> None:
        self._language = language
        self._concepts = sorted(concepts)
        counts = [
            (self._entries(label), self._entries(" ".join((label, *others))))
            for _, label, others in self._concepts
        ]
        # Entry → its place; the concepts that have it, with weights, stand from starts[place] on.
        held = Counter(entry for _, every in counts for entry in every)
        self._places = {entry: place for place, entry in enumerate(held)}
        self._starts = array("I", accumulate(held.values(), initial=0))
        self._numbers = array("I", bytes(4 * held.total()))
        self._weights = array("f", bytes(4 * held.total()))
        ends = array("I", self._starts)
        for number, (label, every) in enumerate(counts):
            vector = self._unit(label)
            for entry, weight in self._unit(every).items():
                place = self._places[entry]
                self._numbers[ends[place]] = number
                self._weights[ends[place]] = (vector.get(entry, 0.0) + OTHERS * weight) / (1 + OTHERS)
                ends[place] += 1

    def rank(self, phrase: str, most: int = 5) -> list[Match]:
        """Returns the `most` closest concepts, closest first and equals by URI, however far they are."""
        scores: defaultdict[int, float] = defaultdict(float)
        for entry, weight in self._unit(self._entries(phrase, MOST_WORDS)).items():
            held = self._held(entry)
            for number, other in zip(self._numbers[held], self._weights[held], strict=True):
                scores[number] += weight * other
        best = nsmallest(most, ((-score, number) for number, score in scores.items()))
        found = ((self._concepts[number], -score) for score, number in best)
        return [Match(concept.uri, concept.label, min(1.0, score)) for concept, score in found]

    def tags(self, phrase: str, most: int = 5) -> list[Match]:
        """Returns those of `rank` that are close enough to be tags."""
        return [match for match in self.rank(phrase, most) if match.confidence >= LEAST]

    def clearest(self, phrase: str) -> Match | None:
        """Returns the one concept that a phrase names; None: none is close, or several are about as close."""
        best = self.rank(phrase, 2)
        if not best or best[0].confidence < CLEAR:
            return None
        if len(best) > 1 and best[0].confidence - best[1].confidence < AHEAD:
            return None
        return best[0]

    def _entries(self, text: str, most: int | None = None) -> Counter[str]:
        return Counter(_entries(_stems(text, self._language)[:most]))

    def _unit(self, counts: Counter[str]) -> dict[str, float]:
        """Weighs entries by kind, rarity and, with less and less effect, how often they occur; length one."""
        vector = {
            entry: (1 + math.log(count)) * self._rarity(entry) * (PARTS if _PART.search(entry) else 1)
            for entry, count in counts.items()
        }
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        return {entry: weight / length for entry, weight in vector.items()}

    def _rarity(self, entry: str) -> float:
        held = self._held(entry)
        holding = 1 + held.stop - held.start
        return float((math.log((1 + len(self._concepts)) / holding) + 1) ** RARITY)

    def _held(self, entry: str) -> slice:
        """Returns where the concepts of an entry stand; nowhere when none has it."""
        place = self._places.get(entry)
        return slice(0, 0) if place is None else slice(self._starts[place], self._starts[place + 1])


def _stems(text: str, language: str) -> list[str]:
    empty = _EMPTY.get(language, "").split()
    parts = [part for part in words(text) if part not in empty]
    if language == "en":
        parts = [_IZE.sub("s", part) for part in parts]
    return [stem(part, language) for part in parts]


def _entries(stems: Sequence[str]) -> Iterator[str]:
    for place, first in enumerate(stems):
        yield first
        if len(first) > 2:
            yield "^" + first[:BEGINNING]
        for second in stems[place + 1 : place + 1 + NEAR]:
            yield f"{first} {second}" if first < second else f"{second} {first}"
