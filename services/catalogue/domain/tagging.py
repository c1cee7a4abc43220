"""Tags by label: which occupations, or skills, do title, subjects and description of a course name?

The longest label wins, and none overlaps another. Words as written count for more than stems ("nursing" finds
"nurse"), preferred labels for more than alternative ones, the title for more than the rest. A label that many
occupations share says nothing and is left out; so does a single word, unless it is a preferred label
("nurse") and stands in title or subject: single words of a description ("general", "critic") are chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

from services.catalogue.domain.labels import stem, words

LONGEST = 6  # words
SHARED_BY = 3  # occupations; a label of more is no evidence
LEAST = 0.25  # confidence below which a tag is not kept
MOST_TAGS = 5
REST_WORDS = 60  # words of the description that are looked at
KEPT_STEMS = 50_000  # words
IN_TITLE, IN_SUBJECT, IN_REST = 1.0, 0.75, 0.5
PREFERRED, ALTERNATIVE, STEMMED = 0.95, 0.85, 0.7


class Label(NamedTuple):
    """A label of a concept."""

    text: str
    uri: str
    isco_code: str
    preferred_label: str
    preferred: bool


class Match(NamedTuple):
    """A concept found, with how sure we are (0 to 1); `phrase`: the words of the text, as of
    `labels.normal`."""

    uri: str
    isco_code: str
    label: str
    confidence: float
    phrase: str


class Tagger:
    """Finds concepts in texts of one language. Threads may share it: only its table of stems grows."""

    def __init__(self, labels: Iterable[Label], language: str) -> None:
        self._language = language
        exact: defaultdict[str, dict[str, tuple[Label, float]]] = defaultdict(dict)
        stemmed: defaultdict[str, dict[str, tuple[Label, float]]] = defaultdict(dict)
        for label in labels:
            parts = words(label.text)
            if not parts or len(parts) > LONGEST or (len(parts) == 1 and not label.preferred):
                continue
            weight = PREFERRED if label.preferred else ALTERNATIVE
            _keep(exact[" ".join(parts)], label, weight)
            _keep(stemmed[" ".join([stem(part, language) for part in parts])], label, weight * STEMMED)
        self._exact = {key: list(found.values()) for key, found in exact.items() if len(found) <= SHARED_BY}
        self._stemmed = {
            key: list(found.values()) for key, found in stemmed.items() if len(found) <= SHARED_BY
        }
        # All labels, by their stems, which are the same for what is written the same.
        self._begins = _beginnings(stemmed)
        self._stems = _Stems(language)

    def tag(self, title: str, subjects: Sequence[str], rest: str) -> list[Match]:
        """Returns the concepts found, surest first, at most MOST_TAGS."""
        found: dict[str, Match] = {}
        texts = [(title, IN_TITLE), *((subject, IN_SUBJECT) for subject in subjects), (rest[:800], IN_REST)]
        for text, weight in texts:
            shortest = 2 if weight == IN_REST else 1
            for label, confidence, phrase in self._matches(words(text)[:REST_WORDS], shortest):
                sure = confidence * weight
                known = found.get(label.uri)
                if sure >= LEAST and (known is None or known.confidence < sure):
                    found[label.uri] = Match(label.uri, label.isco_code, label.preferred_label, sure, phrase)
        return sorted(found.values(), key=lambda match: (-match.confidence, match.uri))[:MOST_TAGS]

    def _matches(self, text: list[str], shortest: int) -> Iterator[tuple[Label, float, str]]:
        stemmed = [*map(self._stems.__getitem__, text)]
        lengths = [*map(self._begins.get, zip(stemmed, [*stemmed[1:], ""], strict=False))]
        if shortest == 1:
            singles = map(self._begins.get, zip(stemmed, repeat("")))
            lengths = [(pair or 0) | (single or 0) for pair, single in zip(lengths, singles, strict=True)]
        behind = 0
        for start in [place for place, bits in enumerate(lengths) if bits]:
            if start < behind:
                continue
            bits = lengths[start] or 0
            for length in range(min(bits.bit_length() - 1, len(text) - start), shortest - 1, -1):
                if not bits >> length & 1:
                    continue
                phrase = " ".join(text[start : start + length])
                hits = self._exact.get(phrase)
                hits = hits or self._stemmed.get(" ".join(stemmed[start : start + length]))
                if hits:
                    for label, weight in hits:
                        yield label, weight / len(hits) ** 0.5, phrase
                    behind = start + length
                    break


class _Stems(dict[str, str]):
    """Word → stem, worked out when first asked for; begins anew when it has grown too large."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> str:
        if len(self) >= KEPT_STEMS:
            self.clear()
        found = self[word] = stem(word, self._language)
        return found


def _beginnings(labels: Iterable[str]) -> dict[tuple[str, str], int]:
    """Returns first and second word → bit set of the lengths, in words, of labels that begin with both.

    The second word of a label of one word is empty. Hardly any two words of a text are in it.
    """
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for label in labels:
        first, *others = label.split(" ")
        found[first, others[0] if others else ""] |= 1 << (1 + len(others))
    return dict(found)


def _keep(found: dict[str, tuple[Label, float]], label: Label, weight: float) -> None:
    if label.uri not in found or found[label.uri][1] < weight:
        found[label.uri] = (label, weight)
