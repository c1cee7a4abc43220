"""Statements on the skills of courses: what was found in their texts, and what is shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain.skill_tags import Found, Phrase, Skills, Verdict, Word
from services.catalogue.store import tag_reviews
from services.catalogue.store.skill_tables import course_tag_words, course_taggings, course_tags
from services.catalogue.store.tables import courses
from services.platform.db.transaction import Transaction

_g, _t, _w = course_taggings.c, course_tags.c, course_tag_words.c

_WRITE = (
    update(courses)
    .where(courses.c.id == bindparam("course"))
    .values(skills=bindparam("shown"), version=courses.c.version + 1, update_time=func.now())
)
_DETACH = delete(course_tags).where(_t.course_id == bindparam("course"), _t.review_id == bindparam("review"))


class Tagging(NamedTuple):
    """What was found in the texts of a course (`digest`) by the labels of a state of the taxonomy. `phrases`:
    those that may name a skill, or have done so by earlier labels."""

    digest: bytes
    labels: str
    phrases: list[Phrase]
    found: list[Found]


def taggings(tx: Transaction, ids: Collection[str]) -> dict[str, Tagging]:
    """Returns what was found in courses, of those that have been looked at."""
    rows = tx.execute(select(course_taggings).where(_g.course_id.in_(ids)))
    return {
        row.course_id: Tagging(
            bytes(row.digest),
            row.labels,
            [Phrase(*each) for each in row.phrases],
            [Found(Phrase(*phrase), *others) for phrase, *others in row.found],
        )
        for row in rows
    }


def put_taggings(tx: Transaction, found: Mapping[str, Tagging]) -> None:
    """Writes what was found in courses anew."""
    if not found:
        return
    rows = [{"course_id": course, **each._asdict()} for course, each in sorted(found.items())]
    statement = insert(course_taggings)
    changed = {name: statement.excluded[name] for name in Tagging._fields}
    tx.execute(statement.on_conflict_do_update(index_elements=["course_id"], set_=changed), rows)


def locked(tx: Transaction, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Returns (id, skills) of those of the courses that are offered, by id, locked."""
    c = courses.c
    statement = select(c.id, c.skills).where(c.id.in_(ids), c.removed_time.is_(None))
    return tx.execute(statement.order_by(c.id).with_for_update(key_share=True)).all()


def write(tx: Transaction, skills: Mapping[str, Skills]) -> None:
    """Writes the skills of courses, counts their versions up."""
    if skills:
        tx.execute(_WRITE, [{"course": key, "shown": value} for key, value in skills.items()])


def words_on(tx: Transaction, ids: Collection[str]) -> dict[str, dict[str, Word]]:
    """Returns course → URI → what a person says of that skill of this course."""
    found: defaultdict[str, dict[str, Word]] = defaultdict(dict)
    for row in tx.execute(select(course_tag_words).where(_w.course_id.in_(ids))):
        found[row.course_id][row.uri] = Word(Verdict(row.verdict), row.holds, row.label, row.version)
    return found


def say(tx: Transaction, course: str, uri: str, word: Word) -> None:
    """Writes what the caller says of a skill of a course, or takes it back."""
    if word.verdict is Verdict.NONE:
        tx.execute(delete(course_tag_words).where(_w.course_id == course, _w.uri == uri))
        return
    values = {
        "verdict": int(word.verdict),
        "holds": word.uri,
        "label": word.label,
        "version": word.version,
        "decided_by": tx.principal.subject,
        "decide_time": func.now(),
    }
    statement = insert(course_tag_words).values(course_id=course, uri=uri, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["course_id", "uri"], set_=values))


def has(tx: Transaction, course: str, review: str) -> bool:
    """True where a course has the phrase of a review."""
    statement = select(_t.course_id).where(_t.course_id == course, _t.review_id == review)
    return tx.execute(statement).first() is not None


def attach(tx: Transaction, wanted: Mapping[str, Mapping[str, int]]) -> None:
    """Lets courses count for reviews: course → review → revision of the decision that the course shows."""
    old = {(row.course_id, row.review_id): row.revision for row in tx.execute(_of(wanted))}
    new = {(course, review): number for course, each in wanted.items() for review, number in each.items()}
    tag_reviews.count(tx, _difference(old, new))
    gone = old.keys() - new.keys()
    if gone:
        tx.execute(_DETACH, [{"course": course, "review": review} for course, review in sorted(gone)])
    rows = [
        {"course_id": course, "review_id": review, "revision": number}
        for (course, review), number in sorted(new.items())
        if old.get((course, review)) != number
    ]
    if rows:
        statement = insert(course_tags)
        set_ = {"revision": statement.excluded.revision}
        tx.execute(
            statement.on_conflict_do_update(index_elements=["course_id", "review_id"], set_=set_), rows
        )


def forget(tx: Transaction, gone: Collection[str]) -> None:
    """Forgets what was found in courses that are gone; what people say of them stays: they may come back."""
    if gone:
        attach(tx, {course: {} for course in gone})
        tx.execute(delete(course_taggings).where(_g.course_id.in_(gone)))


def _of(ids: Collection[str]) -> Any:
    return select(course_tags).where(_t.course_id.in_(ids))


def _difference(old: Collection[tuple[str, str]], new: Collection[tuple[str, str]]) -> Counter[str]:
    change = Counter(review for _, review in new)
    change.subtract(review for _, review in old)
    return change
