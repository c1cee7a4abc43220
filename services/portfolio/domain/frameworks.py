"""What is wrong with a draft of a framework, each finding with its place and how to mend it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from waymark.portfolio.v1 import framework_pb2 as pb

from services.platform.errors import Violation
from services.portfolio.domain.dates import refuse

_TEXTS = ("titles", "short_titles", "descriptions")


def check(version: pb.FrameworkVersion) -> None:
    """Raises Refusal(INVALID_ARGUMENT) with every finding."""
    refuse(list(_findings(version)))


def _findings(version: pb.FrameworkVersion) -> Iterator[Violation]:
    yield from lacking("framework_version", version, ("titles", "standards", "elements"))
    for field in ("standards", "elements", "levels"):
        place, parts = f"framework_version.{field}", getattr(version, field)
        yield from twice(place, parts)
        yield from untranslated(place, parts, version.titles)
    standards = {standard.id for standard in version.standards}
    elements = {element.id: element for element in version.elements}
    for index, element in enumerate(version.elements):
        place = f"framework_version.elements[{index}]"
        if element.standard not in standards:
            yield Violation(f"{place}.standard", f"`{element.standard}` is no standard of this version")
        parent = elements.get(element.parent)
        if element.parent and (parent is None or parent.standard != element.standard):
            yield Violation(f"{place}.parent", f"`{element.parent}` is no element of the same standard")
        elif _circular(element, elements):
            yield Violation(f"{place}.parent", f"`{element.id}` is a part of itself")


def lacking(place: str, version: Any, fields: Iterable[str]) -> Iterator[Violation]:
    """Yields the fields that are empty: rules of a change alone would ask for what it leaves as it is."""
    yield from (
        Violation(f"{place}.{field}", "must have at least one")
        for field in fields
        if not getattr(version, field)
    )


def twice(place: str, parts: Iterable[Any]) -> Iterator[Violation]:
    """Yields the parts of a list whose id an earlier part has."""
    seen: set[str] = set()
    for index, part in enumerate(parts):
        if part.id in seen:
            yield Violation(f"{place}[{index}].id", f"`{part.id}` is used twice")
        seen.add(part.id)


def untranslated(place: str, parts: Iterable[Any], languages: Collection[str]) -> Iterator[Violation]:
    """Yields the texts of a list's parts that are there, but not in each language that the whole is in."""
    for index, part in enumerate(parts):
        for field in (each for each in _TEXTS if each in part.DESCRIPTOR.fields_by_name):
            text = getattr(part, field)
            if text and (missing := sorted(set(languages) - set(text))):
                yield Violation(f"{place}[{index}].{field}", f"lacks the language {', '.join(missing)}")


def _circular(element: pb.FrameworkElement, elements: Mapping[str, pb.FrameworkElement]) -> bool:
    seen, parent = {element.id}, element.parent
    while parent in elements and parent not in seen:
        seen.add(parent)
        parent = elements[parent].parent
    return parent == element.id
