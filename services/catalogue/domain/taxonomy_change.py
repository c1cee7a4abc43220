"""What moves when a scheme goes from one version to the next, and what becomes of a course's tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_PERSON

Tag = dict[str, Any]  # see `courses.tag`


class Kind(IntEnum):
    """As in `TaxonomyChangeItem.Kind`. ADDED and KEPT are only counted."""

    RELABELLED = 1
    REPLACED = 2
    SPLIT = 3
    VANISHED = 4
    ADDED = 5
    KEPT = 6


class Move(NamedTuple):
    """What becomes of a concept; `targets`: URIs of the new version, its own if it stays."""

    uri: str
    kind: Kind
    label: str
    targets: tuple[str, ...]


def moves(
    before: Mapping[str, str], after: Mapping[str, str], replaced_by: Mapping[str, Sequence[str]]
) -> Iterator[Move]:
    """Yields what becomes of each concept, by URI, those that are new too.

    `before`, `after`: URI → preferred label; `replaced_by`: URI → URIs of the new version.
    """
    for uri in sorted(before.keys() | after.keys()):
        label = before.get(uri) or after[uri]
        if uri not in before:
            yield Move(uri, Kind.ADDED, label, (uri,))
        elif uri in after:
            kind = Kind.KEPT if before[uri] == after[uri] else Kind.RELABELLED
            yield Move(uri, kind, label, (uri,))
        else:
            targets = tuple(sorted(set(replaced_by.get(uri, ()))))
            kinds = (Kind.VANISHED, Kind.REPLACED)
            yield Move(uri, kinds[len(targets)] if len(targets) < 2 else Kind.SPLIT, label, targets)


def counted(found: Sequence[Move]) -> dict[str, int]:
    """Returns how many concepts each kind of move has, by its name in lower case."""
    counts = Counter(move.kind for move in found)
    return {kind.name.lower(): counts[kind] for kind in Kind}


def retagged(
    tags: Sequence[Tag], targets: Mapping[str, Sequence[str]], known: Mapping[str, Any], version: str
) -> list[Tag]:
    """Returns the tags in terms of the new version. What a person set stays as it is; a concept that is split
    leaves one tag for each part, so much less sure; one that vanished leaves none.

    `targets`: URI → URIs of the new version, for the concepts that move or stay; others keep their tags.
    `known`: URI of the new version → (isco_code, label).
    """
    best: dict[str, Tag] = {}
    for tag in tags:
        if tag["origin"] == TAG_ORIGIN_PERSON or tag["uri"] not in targets:
            best.setdefault(tag["uri"], tag)
            continue
        parts = targets[tag["uri"]]
        for uri in parts:
            isco, label = known[uri]
            sure = round(tag["confidence"] / len(parts), 3)
            fresh = {**tag, "uri": uri, "isco": isco, "label": label, "confidence": sure, "version": version}
            if uri not in best or (
                best[uri]["origin"] != TAG_ORIGIN_PERSON and best[uri]["confidence"] < sure
            ):
                best[uri] = fresh
    return list(best.values())
