"""Changes of the version of a scheme in use: the report, re-tagging and undoing, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from services.catalogue import events
from services.catalogue.domain.taxonomy_change import Kind, counted, moves, retagged
from services.catalogue.store import concept_links, quality_holds, taxonomies, taxonomy_changes
from services.catalogue.store.taxonomy_changes import State
from services.platform.db.transaction import Transaction, may_idle
from services.platform.operations.runner import Chunk

if TYPE_CHECKING:
    from services.platform.app import App

REPORT, APPLY, UNDO = "taxonomy-report", "taxonomy-apply", "taxonomy-undo"
SIZE = 500  # courses a chunk
LONGEST = 120.0  # seconds that a report may think between two statements


def report(_: App, tx: Transaction, row: Row[Any]) -> Chunk:
    """Makes the report, in one piece."""
    change = taxonomy_changes.read(tx, row.argument["change"], lock=True)
    may_idle(tx, LONGEST)
    before, after = (
        {uri: label for uri, (_, label) in taxonomies.concepts_of(tx, change.scheme, version).items()}
        for version in (change.from_version, change.to_version)
    )
    replaced_by = concept_links.replacements(tx, change.scheme, change.from_version, change.to_version)
    found = list(moves(before, after, replaced_by))
    shown = [move for move in found if move.kind not in (Kind.KEPT, Kind.ADDED)]
    going = {move.uri for move in shown if move.kind != Kind.RELABELLED}
    hangs_on = taxonomy_changes.hangs_on(tx, going)
    taxonomy_changes.add_items(tx, change.id, shown, hangs_on)
    counts = counted(found) | {name: sum(each.values()) for name, each in hangs_on.items()}
    taxonomy_changes.set_values(tx, change.id, state=int(State.PROPOSED), counts=counts)
    return Chunk({}, {}, len(found), last=True, total=len(found))


def apply(_: App, tx: Transaction, row: Row[Any]) -> Chunk:
    """Re-tags the next courses, as the report says and not by links that came in since."""
    change = taxonomy_changes.read(tx, row.argument["change"], lock=True)
    rows = taxonomy_changes.next_courses(tx, row.place.get("after"), SIZE)
    was = {course.id: _tags(course) for course in rows}
    used = {tag["uri"] for each in was.values() for tags in each.values() for tag in tags or ()}
    targets = taxonomy_changes.targets(tx, change.id, used)
    going_to = used.union(*targets.values())
    known = taxonomies.concepts_of(tx, change.scheme, change.to_version, going_to)
    targets = {uri: [uri] for uri in used & known.keys()} | targets
    now = {
        course: {
            name: tags and retagged(tags, targets, known, change.to_version) for name, tags in each.items()
        }
        for course, each in was.items()
    }
    changed = [course for course in rows if now[course.id] != was[course.id]]
    taxonomy_changes.keep(tx, change.id, [(each.id, was[each.id], now[each.id]) for each in changed])
    _write(tx, changed, now)
    last = len(rows) < SIZE
    if last:
        taxonomy_changes.set_values(tx, change.id, state=int(State.APPLIED))
    return Chunk({"after": rows[-1].id} if rows else row.place, {}, len(rows), last=last)


def undo(_: App, tx: Transaction, row: Row[Any]) -> Chunk:
    """Gives the next courses the tags they had, unless those have changed since."""
    change = taxonomy_changes.read(tx, row.argument["change"], lock=True)
    rows = taxonomy_changes.kept(tx, change.id, row.place.get("after"), SIZE)
    same = [course for course in rows if _tags(course) == course.after]
    _write(tx, same, {course.id: course.before for course in same})
    last = len(rows) < SIZE
    if last:
        taxonomy_changes.set_values(tx, change.id, state=int(State.UNDONE))
    return Chunk({"after": rows[-1].id} if rows else row.place, {}, len(rows), last=last)


def _tags(course: Row[Any]) -> dict[str, Any]:
    """The tags that may be changed: None where a person set them, or the feed's own are those served."""
    corrected = "occupations" in course.corrections
    return {
        "document": None if corrected else course.document["occupations"],
        "imported": None if course.imported is None else course.imported["occupations"],
    }


def _write(tx: Transaction, rows: list[Row[Any]], tags: Mapping[str, Any]) -> None:
    held = quality_holds.held_courses(tx, [course.id for course in rows])
    for course in rows:
        given = tags[course.id]
        version = taxonomy_changes.retag(tx, course.id, given["document"], given["imported"])
        document = course.document
        if given["document"] is not None:
            document = {**document, "occupations": given["document"]}
        told = version, course.organisation_id, document
        removed, on_hold = course.removed_time is not None, course.id in held
        tx.publish(events.course_changed(course.id, *told, removed=removed, held=on_hold))
