"""Statements on phrases that name skills, and on what a person says of them for all courses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain.skill_tags import Found, Phrase, Verdict, Word
from services.catalogue.store.skill_tables import course_tags, tag_reviews
from services.catalogue.store.tables import courses
from services.platform.db.transaction import Transaction

_r, _t = tag_reviews.c, course_tags.c

_OF_PHRASES = text(
    """
    SELECT r.id::text, r.phrase, r.language, r.uri, r.label, r.version, r.verdict, r.replacement,
           r.replacement_label, r.revision
    FROM unnest(CAST(:phrases AS text[]), CAST(:languages AS text[])) AS wanted (phrase, language)
    JOIN tag_reviews r USING (phrase, language)
    """
)
_COUNT = text(
    """
    WITH due AS (
      SELECT r.id, d.number FROM tag_reviews r
      JOIN unnest(CAST(:ids AS uuid[]), CAST(:numbers AS int[])) AS d (id, number) USING (id)
      ORDER BY r.id FOR NO KEY UPDATE OF r
    )
    UPDATE tag_reviews r SET course_count = r.course_count + due.number FROM due WHERE r.id = due.id
    """
)
_COUNT_VIEWS = text(
    """
    WITH counted AS (
      SELECT r.id, coalesce(sum(u.views), 0) AS views FROM tag_reviews r
      LEFT JOIN course_tags t ON t.review_id = r.id
      LEFT JOIN course_usage u ON u.course_id = t.course_id AND u.day > current_date - 30
      GROUP BY r.id
    ), due AS (
      SELECT r.id, c.views FROM tag_reviews r JOIN counted c USING (id)
      WHERE r.view_count <> c.views ORDER BY r.id FOR NO KEY UPDATE OF r
    )
    UPDATE tag_reviews r SET view_count = due.views FROM due WHERE r.id = due.id
    """
)


def add(tx: Transaction, every: Iterable[Found]) -> None:
    """Adds what was found and is not there yet."""
    rows = {
        each.review: {
            "id": each.review,
            "language": each.phrase.language,
            "phrase": each.phrase.text,
            "uri": each.uri,
            "label": each.label,
            "confidence": each.confidence,
            "version": each.version,
        }
        for each in every
    }
    if rows:
        statement = insert(tag_reviews).on_conflict_do_nothing()
        tx.execute(statement, [rows[key] for key in sorted(rows)])


def said(
    tx: Transaction, phrases: Collection[Phrase]
) -> tuple[dict[Phrase, dict[str, Word]], dict[str, int]]:
    """Returns what people say of phrases (phrase → URI → word), and review → revision of all of them."""
    found: defaultdict[Phrase, dict[str, Word]] = defaultdict(dict)
    revisions: dict[str, int] = {}
    values = {"phrases": [each.text for each in phrases], "languages": [each.language for each in phrases]}
    for row in tx.execute(_OF_PHRASES, values):
        revisions[row.id] = row.revision
        if row.verdict != Verdict.NONE:
            found[Phrase(row.language, row.phrase)][row.uri] = Word(
                Verdict(row.verdict),
                row.replacement or row.uri,
                row.replacement_label or row.label,
                row.version,
            )
    return found, revisions


def count(tx: Transaction, change: Mapping[str, int]) -> None:
    """Adds to how many courses have a phrase, by review."""
    due = {review: number for review, number in change.items() if number}
    if due:
        tx.execute(_COUNT, {"ids": list(due), "numbers": list(due.values())})


def count_views(tx: Transaction) -> None:
    """Counts anew how often the courses of each phrase were looked at in the last 30 days."""
    tx.execute(_COUNT_VIEWS)


def read(tx: Transaction, review: str, *, lock: bool = False) -> Row[Any]:
    """Returns the review, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(tag_reviews).where(_r.id == review)
    return tx.one(statement.with_for_update(key_share=True) if lock else statement)


def listing(verdict: int, course: str) -> Select[Any]:
    """Selects the reviews with a verdict; of a course where named, there with any verdict for 0."""
    if not course:
        used = or_(_r.course_count > 0, _r.verdict != 0)  # as the index has it
        return select(tag_reviews).where(_r.verdict == verdict, used)
    statement = select(tag_reviews).join(course_tags, _t.review_id == _r.id).where(_t.course_id == course)
    return statement.where(_r.verdict == verdict) if verdict else statement


def decide(tx: Transaction, review: str, word: Word) -> Row[Any]:
    """Writes what the caller says of a phrase for all courses; returns the review."""
    replaced = word.verdict is Verdict.REPLACED
    said_at_all = word.verdict is not Verdict.NONE
    values = {
        "verdict": int(word.verdict),
        "version": word.version,
        "replacement": word.uri if replaced else "",
        "replacement_label": word.label if replaced else "",
        "decided_by": tx.principal.subject if said_at_all else "",
        "decide_time": func.now() if said_at_all else None,
        "revision": _r.revision + 1,
        "applied": False,
    }
    statement = update(tag_reviews).where(_r.id == review).values(values).returning(tag_reviews)
    return tx.execute(statement).one()


def next_to_apply(tx: Transaction) -> Row[Any] | None:
    """Returns a review whose courses have to be gone through, None: there is none."""
    return tx.execute(select(tag_reviews).where(~_r.applied).order_by(_r.id).limit(1)).first()


def behind(tx: Transaction, review: Row[Any], size: int) -> list[str]:
    """Returns up to `size` courses on offer that do not show the latest decision."""
    statement = (
        select(_t.course_id)
        .join(courses, courses.c.id == _t.course_id)
        .where(_t.review_id == review.id, _t.revision < review.revision, courses.c.removed_time.is_(None))
    )
    return list(tx.execute(statement.order_by(_t.revision, _t.course_id).limit(size)).scalars())


def outdated(tx: Transaction, ids: Collection[str]) -> set[str]:
    """Returns those of the courses that do not show the latest decision about one of their phrases."""
    statement = select(_t.course_id).join(tag_reviews, _r.id == _t.review_id)
    return set(tx.execute(statement.where(_t.course_id.in_(ids), _t.revision < _r.revision)).scalars())


def settle(tx: Transaction, review: Row[Any]) -> None:
    """Notes that all courses show the decision, unless there is a later one."""
    same = _r.id == review.id, _r.revision == review.revision
    tx.execute(update(tag_reviews).where(*same).values(applied=True))
