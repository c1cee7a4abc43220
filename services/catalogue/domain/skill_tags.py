"""Skill tags of courses: which of their phrases name skills, and what becomes of them by what people say.

A word is about a phrase, of all courses, or about a skill of one course; the latter goes first. What is
accepted or put in place of something else holds whether or not the phrase would still be found to name it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL, TAG_ORIGIN_PERSON

from services.catalogue.domain.courses import Document
from services.catalogue.domain.labels import normal, words
from services.catalogue.domain.naming import Match
from services.catalogue.domain.tagging import Tagger

RULE = 1  # counts up whenever the same text may be tagged otherwise
MOST_WORDS = 12  # of a phrase; a longer one is a sentence
MOST_PHRASES = 30  # of a course
MOST_FOUND = 30
MOST_TAGS = 10
_IDS = uuid.UUID("0f4f7c62-3a5d-5f0e-9a34-7d2b8f6f1c55")
Naming = Callable[[str], Match | None]
Tag = dict[str, Any]  # as documents hold it: see `_tag`
Skills = dict[
    str, Any
]  # `tags`: the surest first; `refused`: URIs of skills that people say it does not teach


class Verdict(IntEnum):
    """As in `TagReview.Verdict`."""

    NONE = 0
    ACCEPTED = 1
    REJECTED = 2
    REPLACED = 3


REFUSING = (Verdict.REJECTED, Verdict.REPLACED)


class Phrase(NamedTuple):
    """Words of a course as of `labels.normal`."""

    language: str
    text: str


class Found(NamedTuple):
    """A skill that a phrase names; `confidence`: 0 to 1."""

    phrase: Phrase
    uri: str
    label: str
    confidence: float
    version: str

    @property
    def review(self) -> str:
        """The id of the review of this phrase for this skill."""
        return review_id(self.phrase, self.uri)


class Word(NamedTuple):
    """What a person says of a skill; `label` and `version` are those of the skill that then holds, `uri`."""

    verdict: Verdict
    uri: str
    label: str
    version: str


def review_id(phrase: Phrase, uri: str) -> str:
    """Returns the id of the review of a phrase for a skill: it follows from both (UUIDv5)."""
    return str(uuid.uuid5(_IDS, "\x1f".join((*phrase, uri))))


def digest(document: Document) -> bytes:
    """Returns what changes with the texts that `phrases` and `found` look at."""
    parts = [str(RULE), *document["subjects"], "\x1e"]
    parts += [module["title"] for module in document.get("modules", [])]
    for language, title in sorted(document["titles"].items()):
        parts += ["\x1e", language, title, document["descriptions"].get(language, "")]
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()


def phrases(document: Document) -> list[Phrase]:
    """Returns titles, subjects and titles of modules that are short enough to name something."""
    shared = [*document["subjects"], *(module["title"] for module in document.get("modules", []))]
    every = {
        Phrase(language, normal(text)): None
        for language, title in document["titles"].items()
        for text in (title, *shared)
    }
    return [each for each in every if 0 < len(words(each.text)) <= MOST_WORDS][:MOST_PHRASES]


def found(document: Document, language: str, tagger: Tagger, named: Naming, version: str) -> Iterator[Found]:
    """Yields the skills that the texts of one language name: by labels that stand in them, and by titles and
    subjects that are close to one.

    `named`: returns the skill that a phrase names; `version`: of the taxonomy.
    """
    title, rest = document["titles"][language], document["descriptions"].get(language, "")
    for match in tagger.tag(title, document["subjects"], rest):
        sure = round(match.confidence, 3)
        yield Found(Phrase(language, match.phrase), match.uri, match.label, sure, version)
    for phrase in phrases(document):
        if phrase.language == language:
            name = named(phrase.text)
            if name is not None:
                yield Found(phrase, name.uri, name.label, round(name.confidence, 3), version)


def surest(every: Iterable[Found]) -> list[Found]:
    """Returns what was found, each phrase and skill once, the surest first, at most MOST_FOUND."""
    best: dict[str, Found] = {}
    for each in every:
        known = best.get(each.review)
        if known is None or known.confidence < each.confidence:
            best[each.review] = each
    return sorted(best.values(), key=lambda each: (-each.confidence, each.uri, each.phrase))[:MOST_FOUND]


def inherited(words: Mapping[str, Word], successors: Mapping[str, Sequence[str]]) -> dict[str, Word]:
    """Returns the words by URI, with what is refused refused under the URIs of later versions too, unless
    something is said of these themselves."""
    later = {
        uri: word._replace(uri=uri) if word.verdict is Verdict.REJECTED else word
        for former, word in words.items()
        if word.verdict in REFUSING
        for uri in successors.get(former, ())
    }
    return later | dict(words)


def decided(
    every: Sequence[Found],
    said: Mapping[Phrase, Mapping[str, Word]],
    of_course: Mapping[str, Word],
) -> Skills:
    """Returns the skills of a course.

    `every`: as found; `said`: phrase → URI → word on all courses; `of_course`: URI → word on this one.
    """
    found_by = {(each.phrase, each.uri): each for each in every}
    spoken = {(phrase, uri): word for phrase, by_uri in said.items() for uri, word in by_uri.items()}
    best: dict[str, Tag] = {}
    refused: set[str] = set()
    for key in found_by.keys() | spoken.keys():
        one, word = found_by.get(key), spoken.get(key)
        if word is not None and word.verdict in REFUSING:
            refused.add(key[1])
        if word is not None and (one is None or word.verdict is Verdict.REPLACED):
            if word.verdict is not Verdict.REJECTED:
                _keep(best, _said(word, key[0].text))
        elif one is not None and (word is None or word.verdict is Verdict.ACCEPTED):
            _keep(best, _tag(one, reviewed=word is not None))
    refusing = {uri for uri, word in of_course.items() if word.verdict in REFUSING}
    best = {uri: tag for uri, tag in best.items() if uri not in refusing}
    for word in of_course.values():
        if word.verdict is not Verdict.REJECTED:
            best[word.uri] = best.get(word.uri, _said(word)) | {"reviewed": True}
    tags = sorted(best.values(), key=lambda tag: (not tag["reviewed"], -tag["confidence"], tag["uri"]))
    return {"tags": tags[:MOST_TAGS], "refused": sorted((refused | refusing) - best.keys())}


def _tag(found: Found, *, reviewed: bool) -> Tag:
    return {
        "uri": found.uri,
        "label": found.label,
        "origin": TAG_ORIGIN_MODEL,
        "confidence": found.confidence,
        "version": found.version,
        "phrase": found.phrase.text,
        "reviewed": reviewed,
    }


def _said(word: Word, phrase: str = "") -> Tag:
    return {
        "uri": word.uri,
        "label": word.label,
        "origin": TAG_ORIGIN_PERSON,
        "confidence": 1.0,
        "version": word.version,
        "phrase": phrase,
        "reviewed": True,
    }


def _keep(best: dict[str, Tag], tag: Tag) -> None:
    known = best.get(tag["uri"])
    if known is None or _weight(known) < _weight(tag):
        best[tag["uri"]] = tag


def _weight(tag: Tag) -> tuple[bool, float, str]:
    return tag["reviewed"], tag["confidence"], tag["phrase"]
