"""Objects of a document, read by taking: what nobody took is what a portfolio has no place for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from services.portfolio.formats.format import DocumentBrokenError

MOST = 2000  # items of a list: no portfolio holds more
Scalar = str | int | float
_BESIDE = 2000  # characters of a text that something goes with: no address is longer
_PATH = 120  # characters of a path that are told


class Rest(NamedTuple):
    """What nobody took of a document: under a key below a path. `beside`: texts that it goes with; `owner`:
    name in the document of the entry that it is part of; `thing`: of something else that is kept as one."""

    path: str
    key: str
    value: Any
    beside: Mapping[str, str]
    owner: str
    thing: str = ""


class Tree:
    """An object of a document; empty when the document has none, or something else, at its place. `owner`:
    name of the entry that it became; `element`: what of an XML document it was."""

    def __init__(self, value: Any) -> None:
        self._left: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {}
        self._below: list[tuple[str, Tree]] = []
        self._whole = self._left.copy()
        self._again: dict[str, Any] = {}
        self._beside = ""
        self._one = self._item = False  # whole, of a list
        self.owner = ""
        self.element = getattr(value, "element", None)

    def text(self, key: str, limit: int = 300) -> str:
        """Takes a text or number, without blanks around it; "" when there is none. One that is longer than
        `limit` characters is shortened, and left as well."""
        value = self._left.get(key)
        if isinstance(value, bool) or not isinstance(value, Scalar):
            return ""
        text = str(value).strip()
        if len(text) > limit:
            return text[:limit].rstrip()
        del self._left[key]
        return text

    def texts(self, key: str, limit: int = 500) -> list[str]:
        """Takes a list of texts; one text is a list of one. A list with anything else in it is left."""
        value = self._left.get(key)
        values = value if isinstance(value, list) else [value]
        refuse_many(len(values))
        texts = [each.strip() for each in values if isinstance(each, str) and len(each) <= limit]
        if len(texts) < len(values):
            return []
        del self._left[key]
        return [text for text in texts if text]

    def take(self, *keys: str) -> Any:
        """Takes whatever is there under these keys, and returns the last."""
        value = None
        for key in keys:
            value = self._left.pop(key, None)
        return value

    def leave(self, key: str, value: Any) -> None:
        """Leaves what was taken and proved to be of no use."""
        self._left[key] = value

    def again(self, *keys: str) -> None:
        """Takes what says once more what was taken elsewhere: no loss, and yet a part of the document."""
        for key in (key for key in keys if key in self._whole):
            self._again[key] = self._whole[key]
            self._left.pop(key, None)

    def leave_all(self) -> None:
        """Leaves everything that was taken."""
        self._left = self._whole.copy()
        self.as_one()

    def as_one(self) -> None:
        """Says that, where nothing is taken of this object, its parts say nothing without each other."""
        self._one = True

    def goes_with(self, key: str) -> None:
        """Binds what is left of this object to the text under a key: without it, it would say nothing, or
        something false."""
        self._beside = key

    def tree(self, key: str) -> Tree:
        """Takes an object, which is then read by taking itself."""
        below = Tree(self._left.get(key))
        if isinstance(self._left.get(key), Mapping):
            self._below.append((key, below))
            del self._left[key]
        return below

    def trees(self, key: str) -> list[Tree]:
        """Takes a list of objects; one object counts as a list of one, and what is no object is left."""
        value = self._left.pop(key, None)
        values = value if isinstance(value, list) else [value]
        refuse_many(len(values))
        below = [Tree(each) for each in values if isinstance(each, Mapping)]
        for each in below:
            each._one = each._item = True
        self._below += [(key, each) for each in below]
        if rest := [each for each in values if each is not None and not isinstance(each, Mapping)]:
            self._left[key] = rest
        return below

    def __bool__(self) -> bool:
        return bool(self._left or self._below)

    def left(self, path: str = "") -> Counter[str]:
        """Returns how often each path that nobody took says something."""
        found: Counter[str] = Counter()
        for key, value in self._left.items():
            found.update(said(value, f"{path}{key}"))
        for key, below in self._below:
            found.update(below.left(f"{path}{key}."))
        return found

    def rests(self, path: str = "", owner: str = "") -> Iterator[Rest]:
        """Yields what nobody took, and what was said again: each thing alone that can be, items as one."""
        owner = self.owner or owner
        text = self._whole.get(self._beside)
        beside = {self._beside: str(text).strip()[:_BESIDE]} if isinstance(text, Scalar) else {}
        for key, value in (self._left | self._again).items():
            yield Rest(path, key, value, beside, owner)
        for key, below in self._below:
            if below._one and not (below.owner or below._touched()):
                yield Rest(path, key, [below._whole] if below._item else below._whole, {}, owner)
            else:
                yield from below.rests(f"{path}{key}.", owner)

    def _touched(self) -> bool:
        """Whether something was taken of this object."""
        below = {key for key, _ in self._below}
        return bool(self._whole.keys() - self._left.keys() - below) or any(
            each._touched() for _, each in self._below
        )


def refuse_many(count: int, lists: int = 1) -> None:
    """Raises DocumentBrokenError for more items than a portfolio could take, as checking each costs time;
    `lists`: how many of its lists stand in one."""
    if count > MOST * lists:
        raise DocumentBrokenError(f"more than {MOST * lists} items in a list")


def said(value: Any, path: str) -> Counter[str]:
    """Returns the paths of all texts and numbers in a value; a list stands for each of its items."""
    found: Counter[str] = Counter()
    open_ = [(value, path)]
    while open_:
        item, at = open_.pop()
        if isinstance(item, Mapping):
            open_ += [(below, f"{at}.{key}") for key, below in item.items()]
        elif isinstance(item, list):
            open_ += [(below, at) for below in item]
        elif item is not None and item != "" and item is not False:
            found[at[:_PATH]] += 1
    return found
