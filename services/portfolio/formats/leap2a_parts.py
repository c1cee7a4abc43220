"""Which items of a Leap2A feed are part of which, as either end may say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from services.portfolio.formats.leap2a_items import Item


class Parts:
    """The parts of the items of a feed."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._by_id = {item.id: item for item in items}
        self._parts: dict[str, dict[str, None]] = {}
        self._wholes: dict[str, set[str]] = {}
        for item in self._by_id.values():
            for part in item.parts():
                self._note(item.id, part)
        for item in self._by_id.values():
            for whole in item.links("is_part_of"):
                self._note(whole, item.id)

    def of(self, whole: Item) -> Iterator[Item]:
        """Yields the parts of an item in its order, then those of which it says nothing itself."""
        yield from (self._by_id[part] for part in self._parts.get(whole.id, ()))

    def within(self, part: Item, type_: str) -> bool:
        """Returns whether an item is part of one of this type."""
        return any(self._by_id[whole].type == type_ for whole in self._wholes.get(part.id, ()))

    def _note(self, whole: str, part: str) -> None:
        if whole in self._by_id and part in self._by_id:
            self._parts.setdefault(whole, {})[part] = None
            self._wholes.setdefault(part, set()).add(whole)


def join(whole: Item, parts: Collection[Item]) -> None:
    """Notes that the links between an item and these parts of it were followed, from either end."""
    whole.use_links({part.id for part in parts}, "has_part")
    for part in parts:
        part.use_links((whole.id,), "is_part_of")
