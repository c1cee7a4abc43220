"""`make bench-tags`: how well phrases of job postings are tagged with ESCO skills, and how fast.

Data: the validation spans TECH and HOUSE of Decorte et al. 2022 and all ESCO skill labels, from the shared
folder. Measure: their R-precision at 5, the mean over spans of (right ones among the first five) / min(5,
number of right ones); each span counts once, and right is every label that one of its rows names. Spans to
which the annotators gave no label are left out; they come in where the first tag is judged: how many are at
or above the cut-off, and how many of these are right. Beside it, in the same run, the usual baseline: TF-IDF
of character n-grams (2 to 5, within words) of the labels.

Parameters were chosen by the first half of the spans, with the figures of the second in sight: the record
0110 says how far to trust them. Both are shown.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import nlargest
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import psutil

from bench.report import Goal, report
from services.catalogue.domain.naming import Named, Names

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".." / "shared" / "data"
SETS = ("tech", "house")
FIRST = 5
GOALS = (
    Goal("tech_rp5", "≥", 75.0, "%"),
    Goal("house_rp5", "≥", 65.0, "%"),
    Goal("p50_ms", "≤", 2.0, "ms"),
    Goal("mean_ms", "≤", 2.0, "ms"),
)
_SENTENCE = re.compile(r" (?=(?:The|An?) |[A-Z][a-z]+,? [a-z(])")

Ranking = Callable[[str], Sequence[str]]


class Span(NamedTuple):
    """A phrase of a job posting and the labels of the skills it names; none: the annotators found none."""

    text: str
    labels: frozenset[str]


def main() -> None:
    """Builds, tags, measures, reports; exit code 1 when a goal is missed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if not DATA.exists():
        raise SystemExit(f"{DATA} is missing; the spans and labels are not part of the project")
    spans = {name: read_spans(DATA, name) for name in SETS}
    concepts = read_concepts(DATA)
    process = psutil.Process()
    resident, began = process.memory_info().rss, time.process_time()
    names = Names(concepts, "en")
    figures = {
        "skills": len(concepts),
        "build_s": time.process_time() - began,
        "memory_mib": (process.memory_info().rss - resident) / 2**20,
    }
    ranking = ranked(names)
    figures |= times(ranking, [span.text for found in spans.values() for span in found])
    baseline = Baseline([concept.label for concept in concepts]).rank
    for name, found in spans.items():
        labelled = [span for span in found if span.labels]
        figures[f"{name}_spans"] = len(labelled)
        figures[f"{name}_baseline_rp5"] = r_precision(labelled, baseline)
        figures[f"{name}_rp5"] = r_precision(labelled, ranking)
        for part, half in zip(("first", "second"), halves(labelled), strict=True):
            figures[f"{name}_{part}_half_rp5"] = r_precision(half, ranking)
        figures |= {f"{name}_{key}": value for key, value in sureness(found, names).items()}
    sys.exit(0 if report("tags", figures, GOALS) else 1)


def ranked(names: Names) -> Ranking:
    """Returns the ranking of labels that is measured."""
    return lambda text: [match.label for match in names.rank(text, FIRST)]


def r_precision(spans: Sequence[Span], ranking: Ranking) -> float:
    """Returns R-precision at FIRST, in percent."""
    return 100 * mean(
        len(span.labels.intersection(ranking(span.text)[:FIRST])) / min(FIRST, len(span.labels))
        for span in spans
    )


def halves(spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """Splits by a hash of the texts."""
    ordered = sorted(spans, key=lambda span: hashlib.sha256(span.text.encode()).digest())
    return ordered[::2], ordered[1::2]


def sureness(spans: Sequence[Span], names: Names) -> Mapping[str, float]:
    """Returns, for the first tags at and above the cut-off: their share, and the share that is right; the
    same for those clearly before the next, which courses are tagged with.

    Where annotators saw no skill, every tag is wrong.
    """
    kept = [match.label in span.labels for span in spans for match in names.tags(span.text, 1)]
    clear = [(span, match) for span in spans if (match := names.clearest(span.text))]
    return {
        "tagged_share": len(kept) / len(spans),
        "first_tag_right": mean(kept),
        "clear_share": len(clear) / len(spans),
        "clear_right": mean(match.label in span.labels for span, match in clear),
    }


def times(ranking: Ranking, texts: Sequence[str], rounds: int = 5) -> Mapping[str, float]:
    """Returns how long a text takes; the first round, which meets words for the first time, counts too."""
    taken = []
    for _ in range(rounds):
        for text in texts:
            began = time.perf_counter()
            ranking(text)
            taken.append(1000 * (time.perf_counter() - began))
    taken.sort()
    return {"p50_ms": median(taken), "mean_ms": mean(taken), "p99_ms": taken[int(len(taken) * 0.99)]}


def read_spans(data: Path, name: str) -> list[Span]:
    """Reads the validation spans of one set, each text once."""
    known = set(_labels(data))
    spans: defaultdict[str, set[str]] = defaultdict(set)
    path = data / "skills-benchmark" / f"{name}_validation_annotations.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            spans[row["span"]].update({row["label"]} & known)
    return [Span(text, frozenset(labels)) for text, labels in spans.items()]


def read_concepts(data: Path) -> list[Named]:
    """Reads every label of the benchmark's list, with the other labels where ESCO's texts have them.

    Those texts hold label, other labels and description in one line without marks between: the label is
    the longest one known, and the description begins where a sentence does.
    """
    others: defaultdict[str, list[str]] = defaultdict(list)
    uris: dict[str, str] = {}
    known = {" ".join(label.lower().split()): label for label in _labels(data)}
    with (data / "taxonomy" / "esco-skills" / "skills_text.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            parts = row["description"].split()
            for length in range(len(parts), 0, -1):
                label = known.get(" ".join(parts[:length]).lower())
                if label is not None:
                    uris.setdefault(label, row["id"])
                    others[label].append(_SENTENCE.split(" " + " ".join(parts[length:]), maxsplit=1)[0])
                    break
    return [Named(uris.get(label, label), label, others[label]) for label in known.values()]


def _labels(data: Path) -> list[str]:
    return (data / "skills-benchmark" / "skills_en_label.txt").read_text(encoding="utf-8").splitlines()


class Baseline:
    """TF-IDF of character n-grams of labels, ranked by cosine."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        counts = [Counter(_grams(label)) for label in labels]
        holding = Counter(gram for count in counts for gram in count)
        self._rarity = {gram: math.log((1 + len(labels)) / (1 + held)) + 1 for gram, held in holding.items()}
        self._postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for gram, weight in self._unit(count).items():
                self._postings[gram].append((number, weight))

    def rank(self, text: str) -> list[str]:
        """Returns the FIRST closest labels."""
        scores = [0.0] * len(self._labels)
        for gram, weight in self._unit(Counter(_grams(text))).items():
            for number, other in self._postings[gram]:
                scores[number] += weight * other
        best = nlargest(FIRST, range(len(scores)), key=scores.__getitem__)
        return [self._labels[number] for number in best]

    def _unit(self, counts: Counter[str]) -> dict[str, float]:
        vector = {gram: n * self._rarity[gram] for gram, n in counts.items() if gram in self._rarity}
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        return {gram: weight / length for gram, weight in vector.items()}


def _grams(text: str, shortest: int = 2, longest: int = 5) -> Iterator[str]:
    for word in text.lower().split():
        padded = f" {word} "
        for size in range(shortest, longest + 1):
            yield from (padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))
            if len(padded) <= size:
                break


if __name__ == "__main__":
    main()
