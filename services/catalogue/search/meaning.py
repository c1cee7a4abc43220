"""What words of a search mean: concepts of the taxonomies that a label names, and the courses for them.

A label of any language counts, one of the language asked for before the others. Courses for a concept are
those tagged with it, those tagged with another occupation of its ISCO-08 unit group, and those whose title or
text has another of its labels, in whatever language, unless a person has said that they do not teach it; so
no word need be in common. Weights: `weights`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tantivy import Query

from services.catalogue.domain.labels import STEMMERS, normal
from services.catalogue.search import label_index, schema, weights
from services.catalogue.search.label_index import LONGEST, Labels, stemmed
from services.catalogue.search.labelled import Labelled
from services.catalogue.store.taxonomies import ESCO, ISCO, SKILLS, LabelRow

MOST = 4  # concepts that the same words may mean; words that name more say nothing
MOST_DESCRIBED = 3  # concepts
GROUP_DIGITS = 4  # of the code of an ISCO-08 unit group


class Concepts(NamedTuple):
    """What concepts are called, and which of that stands in courses."""

    labels: Labels
    labelled: Labelled


class Meaning(NamedTuple):
    """A concept that words name. `label`, of `language`: which they matched; `sureness`: 0 to 1."""

    uri: str
    isco_code: str
    scheme: str
    label: str
    language: str
    sureness: float


class Way(NamedTuple):
    """A way in which a concept finds courses. `near`: not for the concept itself but what is next to it.
    `loose`: only where little was found."""

    meaning: Meaning
    query: Query
    near: bool = False
    loose: bool = False


def find(labels: Labels, runs: Sequence[Sequence[str]], language: str) -> dict[str, list[Meaning]]:
    """Returns what words mean, for every span of up to LONGEST of the words in each of `runs`.

    Spans are named as of `domain.labels.normal`.
    """
    spans = {normal(span) for run in runs for span in _spans(run)} - {""}
    languages = [language] if language in STEMMERS else list(STEMMERS)
    by_stems = {stemmed(span, each): span for span in spans for each in languages}
    found: defaultdict[str, list[tuple[LabelRow, float]]] = defaultdict(list)
    for row in labels.named(list(spans), list(by_stems)):
        factor = weights.PREFERRED if row.preferred else weights.ALTERNATIVE
        if (key := normal(row.label)) in spans:
            found[key].append((row, factor))
        if span := by_stems.get(stemmed(row.label, row.language)):
            found[span].append((row, factor * weights.STEMMED))
    return {span: meant for span, rows in found.items() if (meant := _meant(rows, language))}


def described(labels: Labels, text: str, language: str) -> list[Meaning]:
    """Returns what `text` may be about, by the labels and descriptions of concepts."""
    terms = {
        term for each in ([language] if language else STEMMERS) for term in label_index.about(text, each)
    }
    found = labels.described(terms, MOST_DESCRIBED)
    best = max((score for _, score in found), default=1.0)
    return [
        Meaning(row.uri, row.isco_code, row.scheme, row.label, row.language, weights.DESCRIBED * score / best)
        for row, score in found
    ]


def similar(labels: Labels, text: str, language: str) -> list[Meaning]:
    """Returns what `text` means but for an error in typing."""
    return _meant([(row, weights.SIMILAR) for row in labels.similar(normal(text))], language)


def _spans(run: Sequence[str]) -> Iterator[str]:
    for start in range(len(run)):
        for end in range(start + 1, min(start + LONGEST, len(run)) + 1):
            yield " ".join(run[start:end])


def _meant(rows: Iterable[tuple[LabelRow, float]], language: str) -> list[Meaning]:
    """Returns a meaning for each concept, by its surest label; none when there are too many."""
    best: dict[str, tuple[LabelRow, float]] = {}
    rows = list(rows)
    own = [each for each in rows if each[0].language == language]
    for row, sure in own or rows:
        if row.uri not in best or best[row.uri][1] < sure:
            best[row.uri] = row, sure
    if len(best) > MOST:
        return []
    meant = [
        Meaning(row.uri, row.isco_code, row.scheme, row.label, row.language, sure / len(best) ** 0.5)
        for row, sure in best.values()
    ]
    return sorted(meant, key=lambda each: (-each.sureness, each.uri))


def ways(concepts: Concepts, meanings: Sequence[Meaning]) -> list[Way]:
    """Returns the ways in which concepts find courses."""
    names = concepts.labels.of([meaning.uri for meaning in meanings]) if meanings else {}
    found: list[Way] = []
    for meaning in meanings:
        found += _tagged(meaning)
        rows = names.get(meaning.uri, ())
        for query in concepts.labelled.queries(rows):
            found.append(Way(meaning, Query.boost_query(query, weights.NAMED * meaning.sureness)))
        if shared := concepts.labelled.related(rows):
            boosted = Query.boost_query(shared, weights.RELATED * meaning.sureness)
            found.append(Way(meaning, boosted, near=True, loose=True))
    return found


def _tagged(meaning: Meaning) -> Iterator[Way]:
    sure, code = meaning.sureness, meaning.isco_code
    if meaning.scheme == ISCO:
        share = len(code) / GROUP_DIGITS  # a wider group says less
        yield Way(meaning, points("isco", code, weights.TAGGED * share * sure))
    if meaning.scheme == SKILLS:
        yield Way(meaning, points("uri", meaning.uri, weights.TAGGED * sure))
    if meaning.scheme == ESCO:
        yield Way(meaning, points("uri", meaning.uri, weights.TAGGED * sure))
        if len(code) == GROUP_DIGITS:
            yield Way(meaning, points("isco", code, weights.GROUP * sure), near=True)


def teaching(uri: str, rows: tuple[LabelRow, ...], labelled: Labelled) -> Query:
    """Returns the query for courses that are tagged with a skill, or have a label of it and are not said to
    teach something else."""
    options = [points("uri", uri, weights.TAGGED), *labelled.queries(rows)]
    return Query.disjunction_max_query(options, weights.TIE)


def points(field: str, value: str, worth: float) -> Query:
    """Returns the query for documents with a value, worth so many points whatever its rarity."""
    return Query.const_score_query(Query.term_query(schema.schema(), field, value, "basic"), worth)
