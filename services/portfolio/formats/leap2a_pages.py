"""Pages of a Leap2A feed: our own, Mahara's with blocks of its own words, and others' by text and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from waymark.portfolio.v1.page_pb2 import Page, PageBlock

from services.portfolio.domain.credentials import strict_json
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.leap2a_elements import SHOWN, attribute
from services.portfolio.formats.leap2a_items import Item
from services.portfolio.formats.leap2a_parts import Parts, join
from services.portfolio.formats.markup import local
from services.portfolio.formats.texts import MAX_TEXT, line, of_markup

WEBPAGE = "Webpage"
_BLOCKS = 100  # of a page
_PAGES = ("", "portfolio")  # Mahara has pages of its own too: profiles and dashboards
_TEXT, _RESUME = "textbox", "entireresume"  # types of blocks; the second shows all parts of the page
_NAMING = ("artefactid", "artefactids")


class Block(NamedTuple):
    """A block of Mahara's: its type, heading, text as HTML, and ids of what it shows."""

    type: str
    title: str
    markup: str
    ids: list[str]


class Pages:
    """Reads pages. `things`: the field of PageBlock of what was read, by its id in the feed, by which blocks
    then name it; `left`: takes what a page has no place for."""

    def __init__(self, parts: Parts, things: Mapping[str, str], left: Counter[str]) -> None:
        self._parts = parts
        self._things = things
        self._left = left

    def read(self, item: Item) -> Page | None:
        """Returns a page; None for what is none, or of which nothing would be left."""
        if attribute(item.view, "type") not in _PAGES:
            return None
        page: Page = item.beside(Page)
        page.title = item.title()
        own = [block for block in page.blocks if self._is_here(block)]
        self._tell("blocks", len(page.blocks) - len(own))
        blocks = own or list(self._blocks(item))
        if not page.title or not blocks:
            return None
        item.text()  # what the blocks say, as it is shown
        item.use_view()
        self._tell("blocks", len(blocks) - _BLOCKS)
        del page.blocks[:]
        page.blocks.extend(blocks[:_BLOCKS])
        self._left += fit(page, "selection")
        join(item, [part for part in self._parts.of(item) if part.id in self._things])
        return page

    def _tell(self, what: str, count: int = 1) -> None:
        if count > 0:
            self._left[f"selection.{what}"] += count

    def _is_here(self, block: PageBlock) -> bool:
        field = block.WhichOneof("content")
        return field == "text" or self._things.get(getattr(block, field or "text")) == field

    def _blocks(self, item: Item) -> Iterator[PageBlock]:
        yield from self._text(item.summary())
        shown = dict.fromkeys(self._thing_ids(item))
        if item.view is None:
            yield from self._text(item.text())
        for block in blocks_of(item):
            yield from self._of(block, shown)
        yield from self._shown(shown)

    def _of(self, block: Block, shown: dict[str, None]) -> Iterator[PageBlock]:
        """Yields what is shown of a block of Mahara's, and takes what it names out of `shown`."""
        ids = list(shown) if block.type == _RESUME else [each for each in block.ids if each in self._things]
        if block.type != _TEXT and not ids:
            self._tell(f"view.{block.type[:60]}")
            return
        if SHOWN.search(block.markup):
            self._tell("content.markup")
        heading = f"# {block.title}" if block.title else ""
        yield from self._text("\n".join(filter(None, (heading, of_markup(block.markup)))))
        yield from self._shown(ids)
        for each in ids:
            shown.pop(each, None)

    def _shown(self, ids: Mapping[str, None] | list[str]) -> Iterator[PageBlock]:
        for each in ids:
            yield PageBlock(**{self._things[each]: each})

    def _text(self, text: str) -> Iterator[PageBlock]:
        if len(text) > MAX_TEXT:
            self._tell("content")
        if text:
            yield PageBlock(text=text[:MAX_TEXT])

    def _thing_ids(self, item: Item) -> Iterator[str]:
        """Yields the ids of the parts of a page, those of a grouping one by one."""
        for part in self._parts.of(item):
            within = self._parts.of(part) if part.type == "selection" else (part,)
            yield from (each.id for each in within if each.id in self._things)


def blocks_of(item: Item) -> Iterator[Block]:
    """Yields the blocks that Mahara says of a page."""
    for element in () if item.view is None else item.view.iter():
        if local(element) == "blockinstance":
            said = {local(each): _values(each.text or "") for each in element}
            ids = [each for name in _NAMING for each in said.get(name, [])]
            markup = " ".join(said.get("text", []))
            type_, title = attribute(element, "blocktype"), line(attribute(element, "blocktitle"))[:300]
            yield Block(type_, title, markup, ids)


def _values(text: str) -> list[str]:
    """Returns the texts in a list as JSON, and in lists in it; none for anything else."""
    try:
        found: Any = strict_json.parsed(f'{{"said": {text or "[]"}}}')["said"]  # it takes objects alone
    except strict_json.UnreadableError:
        return []
    flat = found if isinstance(found, list) else []
    flat = [each for value in flat for each in (value if isinstance(value, list) else [value])]
    return [each for each in flat if isinstance(each, str)]
