"""JSON-LD as schema.org's own pages use it: names with or without prefix, texts by language, references.

Contexts are not fetched: of a context only its `@language` counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from services.catalogue.imports.feed import MAX_ID, MAX_RECORD_BYTES, Bounded, FeedBroken, Raw, values, weight
from services.catalogue.imports.json_records import cut, storable

Node = dict[str, Any]
_PREFIX = re.compile(r"^(?:https?://(?:www\.)?schema\.org/|schema:)")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:[-_][a-zA-Z0-9]{2,8})*")
_ALIASES = {"id": "@id", "type": "@type", "graph": "@graph", "context": "@context"}
MAX_REFERENCES = 1000  # of one record, followed


def name_of(name: str) -> str:
    """Returns a field or type without its prefix."""
    short = _PREFIX.sub("", name)
    return _ALIASES.get(short, short)


def normal(value: Any) -> Any:
    """Returns a value with short names of fields, and texts that a database can hold."""
    return storable(value, name_of)


def types(node: Any) -> list[str]:
    """Returns the types of a node, without prefix."""
    found = node.get("@type") if isinstance(node, dict) else None
    return [name_of(each) for each in many(found) if isinstance(each, str)]


def many(value: Any) -> list[Any]:
    """Returns a value as a list: JSON-LD leaves brackets out around a single one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def nodes(value: Any) -> list[Node]:
    """Returns the objects among one or several values."""
    return [each for each in many(value) if isinstance(each, dict)]


def string(value: Any) -> str:
    """Returns the first text, number or `@value` of a value, its name or `@id` when it is a node; else ""."""
    for each in many(value):
        if isinstance(each, dict):
            found = string(
                [each.get(key) for key in ("@value", "value", "name", "@id", "url") if each.get(key)]
            )
        elif isinstance(each, bool) or each is None:
            found = ""
        elif isinstance(each, str):
            found = each.strip()
        elif isinstance(each, Decimal) and abs(each.adjusted()) < 15:
            found = format(each, "f")
        else:
            found = str(each)[:40]
        if found:
            return found
    return ""


def strings(value: Any) -> list[str]:
    """Returns the text of each of several values."""
    return [found for each in many(value) if (found := string(each))]


def by_language(value: Any, default: str) -> dict[str, str]:
    """Returns texts by their tag of language, `default` for those without one; of a language the first."""
    found: dict[str, str] = {}
    for each in many(value):
        if isinstance(each, dict) and "@value" not in each and each and all(map(_LANGUAGE.fullmatch, each)):
            pairs = [(tag, string(text)) for tag, text in each.items()]
        elif isinstance(each, dict) and isinstance(each.get("@language"), str):
            pairs = [(each["@language"] or default, string(each))]
        else:
            pairs = [(default, string(each))]
        for tag, text in pairs:
            if text:
                found.setdefault(tag, text)
    return found


def language_of(context: Any) -> str:
    """Returns the `@language` of a context, "" without one."""
    for each in many(context):
        if isinstance(each, dict) and isinstance(each.get("@language"), str):
            return str(each["@language"])
    return ""


def dumped(value: Any) -> bytes:
    """Returns JSON of a value, alike for values that are alike."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def first(node: Node, names: Sequence[str]) -> str:
    """Returns the first text that a node has under one of the names, "" without any."""
    return next(filter(None, (string(node.get(name)) for name in names)), "")


def objects(stream: Bounded, containers: frozenset[str], ids: Sequence[str]) -> Iterator[Raw]:
    """Yields a record per object of a feed of JSON, see `json_records.cut`; its content is the object, with
    texts that a database can hold. Its id is under the first of the names `ids` that it has."""
    for value, _, line in cut(stream, containers):
        node = storable(value)
        node = node if isinstance(node, dict) else {}
        key = first(node, ids)
        yield Raw(key if len(key) <= MAX_ID else "", line, dumped(node), node)
        stream.record_done()


class Known(NamedTuple):
    """A node that others may refer to, its size in bytes by `feed.weight`, and its line in the file."""

    node: Node
    size: int
    line: int


def _weight(node: Node) -> int:
    raw = dumped(node)
    return weight(raw, values(raw))


class References:
    """Nodes of a graph that stand apart from the record that refers to them.

    What stands before the record is found; all of it together may be as large as one record.
    """

    def __init__(self, once: frozenset[str]) -> None:
        self._once = once  # types of nodes that one record alone refers to: they are let go then
        self._known: dict[str, Known] = {}
        self._size = 0

    def keep(self, node: Node, line: int) -> None:
        """Keeps a node that has an `@id`; raises FeedBroken when there are too many."""
        key, size = node.get("@id"), _weight(node)
        if not isinstance(key, str) or not key:
            return
        self.let_go(key)
        self._known[key] = Known(node, size, line)
        self._size += size
        if self._size > MAX_RECORD_BYTES:
            raise FeedBroken(
                "NODES_TOO_LARGE",
                0,
                f"Nodes apart from their course are larger than {MAX_RECORD_BYTES >> 20} MiB.",
                "Write sessions, places and offers within their course.",
            )

    def let_go(self, key: str) -> None:
        """Forgets a node."""
        if before := self._known.pop(key, None):
            self._size -= before.size

    def left(self, kind: str) -> Iterator[Known]:
        """Yields the nodes of a type that no record has referred to."""
        return (each for each in self._known.values() if kind in types(each.node))

    def resolved(self, node: Node, fields: frozenset[str]) -> tuple[Node, list[tuple[str, str]]]:
        """Returns a node with those put in that its `fields` refer to, and (field, id) of those not found."""
        walk = _Walk(self._known, fields)
        found = walk.put_in(node, 0)
        for key in walk.used:
            if self._once.intersection(types(self._known[key].node)):
                self.let_go(key)
        return found, walk.missing


class _Walk:
    """One record's walk along its references, in no more steps and bytes than a record may have."""

    def __init__(self, known: dict[str, Known], fields: frozenset[str]) -> None:
        self._known = known
        self._fields = fields
        self._steps = 0
        self._bytes = 0
        self.used: set[str] = set()
        self.missing: list[tuple[str, str]] = []

    def put_in(self, node: Node, depth: int) -> Node:
        found = dict(node)
        for name in self._fields.intersection(node):
            found[name] = [self._one(name, each, depth) for each in many(node[name])]
        return found

    def _one(self, name: str, value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            return value
        key = value.get("@id")
        if isinstance(key, str) and not set(value) - {"@id", "@type"}:
            target = self._known.get(key)
            self._steps += 1
            self._bytes += target.size if target else 0
            if target is None or depth > 3 or self._steps > MAX_REFERENCES or self._bytes > MAX_RECORD_BYTES:
                self.missing.append((name, key))
                return value
            self.used.add(key)
            return self.put_in(target.node, depth + 1)
        return self.put_in(value, depth)
