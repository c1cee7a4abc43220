"""Collects the courses and programmes of an Open Education API, page by page, with their offerings."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from services.catalogue.imports.feed import MAX_RECORD_BYTES, values, weight
from services.platform.outgoing.fetching import Answer, FetchError, Limits, Wanted

PAGE = 250  # the most that the specification knows
PAGES = 100_000  # of all lists together
SECONDS = 1500.0  # for all pages
OFFERINGS = MAX_RECORD_BYTES  # of one course: they are in memory together, and no record may be larger
PAGE_LIMITS = Limits(size=32 << 20, seconds=120.0)
TYPE = "application/json"
Fetch = Callable[[Wanted, BinaryIO, Limits], Answer]


class Kind(NamedTuple):
    """A list, the field of ids in it, the list of offerings below each, and where these are put."""

    path: str
    key: str
    below: str
    into: str


KINDS = (
    Kind("courses", "courseId", "course-offerings", "courseOfferings"),
    Kind("programmes", "programmeId", "programme-offerings", "programmeOfferings"),
)


class Pages:
    """One walk through an API; `secret`: headers that it wants to see."""

    def __init__(self, url: str, secret: Mapping[str, str], fetch: Fetch, size: int) -> None:
        self._base = urlsplit(url)
        self._secret, self._fetch, self._size = secret, fetch, size
        self._left = PAGES
        self._end = time.monotonic() + SECONDS

    def collect(self, file: BinaryIO) -> Answer:
        """Writes an object a line into a file; raises FetchError.

        An API need not have both lists: one that it does not know is as good as empty, as long as it knows
        the other.
        """
        if not any([self._list(file, kind) for kind in KINDS]):  # noqa: C419 - each is to be written
            raise FetchError("STATUS", 404)
        return Answer(200, {})

    def _list(self, file: BinaryIO, kind: Kind) -> bool:
        """Writes what a list holds; False when the API has no such list."""
        items = self._all(kind.path, self._size, len)
        try:
            first = list(islice(items, 1))
        except FetchError as error:
            if error.status == 404:
                return False
            raise
        for item in chain(first, items):
            self._put(file, kind, item)
        return True

    def _put(self, file: BinaryIO, kind: Kind, item: Any) -> None:
        key = item.get(kind.key) if isinstance(item, dict) else None
        if isinstance(key, str) and key:
            path = f"{kind.path}/{quote(key, safe='')}/{kind.below}"
            item = {**item, kind.into: list(self._all(path, OFFERINGS, _weight))}
        text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        file.write(text.encode(errors="replace") + b"\n")
        if file.tell() > self._size:
            raise FetchError("TOO_LARGE")

    def _all(self, path: str, most: int, size_of: Callable[[bytes], int]) -> Iterator[Any]:
        """What the pages of a list hold, `most` bytes in all by `size_of`; a page that is none raises
        FetchError(NOT_OOAPI)."""
        number, came, more = 0, 0, True
        while more:
            number += 1
            page, data = self._page(path, number)
            came += size_of(data)
            if came > most:
                raise FetchError("TOO_LARGE")
            items = page.get("items") if isinstance(page, dict) else None
            if not isinstance(items, list):
                raise FetchError("NOT_OOAPI")
            yield from items
            more = page.get("hasNextPage") is True and bool(items)

    def _page(self, path: str, number: int) -> tuple[Any, bytes]:
        """A page, and its bytes."""
        self._left -= 1
        left = self._end - time.monotonic()
        if self._left < 0:
            raise FetchError("TOO_LARGE")
        if left <= 0:
            raise FetchError("TIMEOUT")
        query = "&".join(filter(None, (self._base.query, f"pageSize={PAGE}", f"pageNumber={number}")))
        url = self._base._replace(path=f"{self._base.path.rstrip('/')}/{path}", query=query).geturl()
        into = io.BytesIO()
        self._fetch(Wanted(url, {"accept": TYPE}, self._secret), into, PAGE_LIMITS)
        data = into.getvalue()
        if _weight(data) > PAGE_LIMITS.size:
            raise FetchError("TOO_LARGE")
        try:
            return json.loads(data), data
        except (ValueError, RecursionError):
            raise FetchError("NOT_OOAPI") from None


def _weight(data: bytes) -> int:
    return weight(data, values(data))
