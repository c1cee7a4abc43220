"""Objects of a document, read by taking: what nobody took is what a portfolio has no place for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from services.portfolio.formats.format import DocumentBrokenError

MOST = 2000  # items of a list: no portfolio holds more
Scalar = str | int | float
_PATH = 120  # characters of a path that are told


class Tree:
    """An object of a document; empty when the document has none, or something else, at its place."""

    def __init__(self, value: Any) -> None:
        self._left: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {}
        self._below: list[tuple[str, Tree]] = []

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
            found.update(_said(value, f"{path}{key}"))
        for key, below in self._below:
            found.update(below.left(f"{path}{key}."))
        return found


def refuse_many(count: int, lists: int = 1) -> None:
    """Raises DocumentBrokenError for more items than a portfolio could take, as checking each costs time;
    `lists`: how many of its lists stand in one."""
    if count > MOST * lists:
        raise DocumentBrokenError(f"more than {MOST * lists} items in a list")


def _said(value: Any, path: str) -> Counter[str]:
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
