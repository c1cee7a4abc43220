"""Fields of a feed that the catalogue does not carry: told once a kind and run, so that nobody thinks they
arrived.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from services.catalogue.domain.findings import INFO, Findings
from services.catalogue.imports.feed import Context

# Names under which persons are reached; their values appear in no finding.
_PRIVATE = frozenset(
    (
        *("nom", "prenom", "civilite", "courriel", "telfixe", "portable", "fax", "numtel"),
        *("email", "telephone", "faxNumber", "contactPoint", "instructor"),
    )
)
_KEPT = 200  # names at a place; formats have fewer, and a hostile feed may have any number


class Carried:
    """Paths of a record that a reader reads; `a/b@c` is an attribute, `a/*` all below `a`."""

    def __init__(self, paths: str) -> None:
        self._paths = frozenset(paths.split())
        self._parents = frozenset(parent for path in self._paths for parent in _parents(path))

    def takes(self, path: str) -> bool:
        """True when the value at `path` is read."""
        return path in self._paths or f"{path}/*" in self._paths

    def all_below(self, path: str) -> bool:
        """True when everything below `path` is read."""
        return f"{path}/*" in self._paths

    def reaches(self, path: str) -> bool:
        """True when something below `path` is read."""
        return path in self._parents


class Place:
    """An XML element at a path of a record: `whole` when everything below is read, `read` when anything is.

    Its children are found once, as elements have them: to look at each path of each record takes far longer.
    """

    __slots__ = ("_attributes", "_carried", "children", "kind", "path", "read", "whole")

    def __init__(self, carried: Carried, path: str = "") -> None:
        self.path, self.kind, self._carried = path, kind_of(path), carried
        self.whole = carried.all_below(path)
        self.read = carried.takes(path) or carried.reaches(path)
        self.children = _Children(carried, path)
        self._attributes: dict[str, bool] = {}

    def reads(self, attribute: str) -> bool:
        """True when the attribute is read."""
        found = self._attributes.get(attribute)
        if found is None:
            found = self._carried.takes(f"{self.path}@{_local(attribute)}")
            if len(self._attributes) < _KEPT:
                self._attributes[attribute] = found
        return found


class _Children(dict[str, Place]):
    """The places of child elements by tag, each made when it is first asked for."""

    def __init__(self, carried: Carried, path: str) -> None:
        super().__init__()
        self._carried, self._path = carried, path

    def __missing__(self, tag: str) -> Place:
        found = Place(self._carried, f"{self._path}/{_local(tag)}".lstrip("/"))
        if len(self) < _KEPT:
            self[tag] = found
        return found


def place(paths: str, path: str = "") -> Place:
    """Returns the place of the element of a record, or of one at `path`, of which `paths` are read."""
    return Place(Carried(paths), path)


def tell(leftovers: Iterable[tuple[str, str]], context: Context, findings: Findings) -> None:
    """Notes FIELD_NOT_CARRIED for each (path, value) of which the run has not told yet."""
    for path, value in leftovers:
        if not context.once(kind_of(path)):
            continue
        shown = "" if _PRIVATE.intersection(path.replace("@", "/").split("/")) else value
        findings.add(
            INFO,
            "FIELD_NOT_CARRIED",
            path[:200],
            shown,
            "The catalogue has no place for this field; it is left out of every record of the file.",
            "Nothing needs to be mended; put what learners must know into the description.",
        )


def tell_several(path: str, count: int, context: Context, findings: Findings) -> None:
    """Notes VALUES_SEVERAL, once a run and path, when there is more than one value where one is kept."""
    if count > 1 and context.once(f"VALUES_SEVERAL {path}"):
        findings.add(
            INFO,
            "VALUES_SEVERAL",
            path,
            count,
            "The catalogue keeps one value here; the first is taken in every record of the file.",
            "Put the most telling one first.",
        )


def of_element(element: Any, here: Place, told: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """Yields path and text of what is not read of an XML element; kinds `told` of before may be left out.

    A branch of which nothing is read is told as one, without its text; "-" alone says nothing.
    """
    for name, value in element.items():
        if not here.reads(name) and value.strip():
            yield f"{here.path}@{_local(name)}", value
    for child in element.iterchildren("*"):  # comments aside
        below = here.children[child.tag]
        if below.whole:
            continue
        if below.read:
            if len(child) or child.keys():
                yield from of_element(child, below, told)
        elif below.kind not in told and _says_something(child):
            yield below.path, "" if len(child) else " ".join((child.text or "").split())


def of_node(node: Mapping[str, Any], carried: Carried, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields path and value of what is not read of a JSON object, as `of_element` does."""
    for name, value in node.items():
        place = f"{path}/{name}".lstrip("/")
        if name.startswith("@") or carried.all_below(place) or value in (None, "", []):
            continue
        if carried.takes(place) or carried.reaches(place):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    yield from of_node(each, carried, place)
        else:
            yield place, "" if isinstance(value, dict | list) else str(value)


def kind_of(path: str) -> str:
    """Returns what a run is told of once for all that is left out at `path`."""
    return f"FIELD_NOT_CARRIED {path}"


def _says_something(element: Any) -> bool:
    return any(
        each.attrib or (isinstance(each.tag, str) and (each.text or "").strip(" \t\r\n-"))
        for each in element.iter()
    )


def _parents(path: str) -> Iterator[str]:
    place = path.split("@")[0]
    if place != path:
        yield place
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
