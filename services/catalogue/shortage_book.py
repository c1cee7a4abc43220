"""Published shortage lists as answers need them, kept in the process.

A published version never changes, so it is read once, as it was packed at publication. What can change is
which versions there are. A look at that counts for FRESH seconds, and whoever publishes or withdraws one is
answered only when every look from before has run out: a question asked after that is answered by what is
published then, in every process, without asking the database.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from services.catalogue.domain import merkle, shortage, shortage_proof
from services.catalogue.domain.shortage import Entry, Occupation, Validity
from services.catalogue.domain.shortage_index import Table
from services.catalogue.store import shortage_lists, shortage_packs, taxonomies
from services.platform import regions
from services.platform.db.transaction import transaction
from services.platform.db.wire import named
from services.platform.errors import invalid
from services.platform.gathering import aside

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.platform.app import App

FRESH = 0.1  # seconds
KEPT_ENTRIES = 8_000_000  # 17 bytes each
KEPT_HASHES = 1_000_000  # 80 bytes each
T = TypeVar("T")
Version = tuple[str, int]  # list, number

# Prepared, and sent along with BEGIN: a busy process looks twenty times a second.
_STATE = named(
    "catalogue_shortage_state",
    """
    SELECT (SELECT count(*) FROM shortage_lists) AS lists,
           (SELECT count(publish_time) + count(withdraw_time) FROM shortage_versions) AS versions,
           (SELECT count(in_use_time) FROM taxonomy_versions) AS taxonomies,
           (SELECT max(in_use_time) FROM taxonomy_versions) AS in_use
    """,
)()


@dataclass(frozen=True)
class View:
    """What is published, as of one look. `known`: list id → region that it speaks for; `codes`: concept URI →
    ISCO-08 code; `groups`: the codes of ISCO-08, none while it is not imported, when any number may be
    one."""

    state: tuple[object, ...]
    lists: Mapping[str, list[Validity]]
    known: Mapping[str, str]
    codes: Mapping[str, str]
    groups: frozenset[str]

    def occupation(self, name: str) -> Occupation | None:
        """Returns what a caller means by a concept URI or ISCO-08 code; None: no taxonomy knows it."""
        if name.isascii() and name.isdecimal() and len(name) <= 4:
            return Occupation("", name) if not self.groups or name in self.groups else None
        code = self.codes.get(name)
        return None if code is None else Occupation(name, code)


class Answer(NamedTuple):
    """`version`: the one in force that the answer rests on; `entry`: what makes it short."""

    version: Version | None
    entry: Entry | None


class ShortageBook:
    """One per process."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._looking = threading.Lock()
        self._looked = float("-inf")
        self._view: View | None = None
        self._today = date.min
        self._tables = _Kept[Table](KEPT_ENTRIES, len)
        self._trees = _Kept[merkle.Levels](KEPT_HASHES, lambda tree: 2 * len(tree[0]))

    def view(self, *, anew: bool = False) -> tuple[View, date]:
        """Returns what is published and the day by the database's clock (UTC); `anew`: as of now.

        One call in time renews what the others go on with, so that none has to wait for it.
        """
        age = time.monotonic() - self._looked
        if anew or age >= FRESH:
            aside(partial(self._renew, 0.0 if anew else FRESH))
        elif age >= FRESH / 2 and not self._looking.locked():
            aside(partial(self._renew, FRESH / 2))
        assert self._view is not None
        return self._view, self._today

    def _renew(self, oldest: float) -> None:
        """Looks, unless somebody has within the last `oldest` seconds before this was called."""
        not_before = time.monotonic() - oldest
        with self._looking:
            if self._looked < not_before:
                begun = time.monotonic()
                self._look()
                self._looked = begun

    def _look(self) -> None:
        with transaction(self._app, read_only=True, ahead=[_STATE]) as tx:
            state = tuple(tx.rows(_STATE)[0])
            self._today = tx.today
            if self._view is None or self._view.state != state:
                known = shortage_lists.territories(tx.connection)
                published = shortage_lists.published(tx.connection)
                codes = taxonomies.codes_of_uris(tx.connection)
                groups = frozenset(taxonomies.isco_groups(tx.connection))
                self._view = View(state, published, known, codes, groups)

    def answer(self, view: View, occupation: Occupation, nuts_code: str, day: date, only: str) -> Answer:
        """Answers from the versions in force on the day; over several lists the most specific entry answers.

        `only`: a list's id, or "" for all."""
        first: Version | None = None
        found: list[tuple[tuple[int, ...], Version, Entry]] = []
        for list_id in [only] if only else view.lists:
            in_force = shortage.in_force(view.lists.get(list_id, []), day)
            if in_force is None:
                continue
            version = list_id, in_force.number
            first = first or version
            entry = self.table(version).find(occupation, nuts_code)
            if entry is not None:
                found.append((shortage.specificity(entry), version, entry))
        if not found:
            return Answer(first, None)
        _, version, entry = max(found, key=lambda item: item[0])
        return Answer(version, entry)

    def check_region(self, view: View, day: date, nuts_code: str, field: str) -> None:
        """Raises Refusal(INVALID_ARGUMENT) for a region that nobody knows on the day; `field`: where it
        stands in the request."""
        if not self._knows_region(view, nuts_code, day):
            raise invalid(
                field,
                "is no region of NUTS 2024 and none that a list speaks of; write the code of a country or"
                " region, like BE, BE2 or BE211",
            )

    def _knows_region(self, view: View, nuts_code: str, day: date) -> bool:
        """True for a region of NUTS 2024, and one that a list speaks for, or has an entry for on the day, and
        its parts: lists may go by an earlier NUTS, or be of a country that has none."""
        around = regions.beyond(nuts_code)
        if not around or not around.isdisjoint(view.known.values()):
            return True
        validities = {list_id: shortage.in_force(found, day) for list_id, found in view.lists.items()}
        tables = (self.table((list_id, each.number)) for list_id, each in validities.items() if each)
        return any(table.names(region) for table in tables for region in around)

    def table(self, version: Version) -> Table:
        """Returns the entries of a published version, packed."""
        return self._tables.used(version) or aside(partial(self._tables.get, version, self._read_table))

    def _read_table(self, version: Version) -> Table:
        with transaction(self._app, read_only=True) as tx:
            return Table(shortage_packs.read(tx, *version))

    def tree(self, version: Version) -> merkle.Levels:
        """Returns the hashes over the entries of a published version."""
        return self._trees.get(version, self._read_tree)

    def _read_tree(self, version: Version) -> merkle.Levels:
        with transaction(self._app, read_only=True) as tx:
            return merkle.levels(map(shortage_proof.item, shortage_lists.each_entry(tx, *version)))


def pack_unpacked(app: App | Engine) -> None:
    """Packs what was published before versions were packed, each in a transaction of its own."""
    with transaction(app, read_only=True) as tx:
        waiting = shortage_packs.unpacked(tx)
    for version in waiting:
        with transaction(app) as tx:
            shortage_packs.add(tx, *version, shortage_lists.each_entry(tx, *version))


class _Kept(Generic[T]):
    """What was made of versions, up to a size; what was not used for longest goes first."""

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        self._most = most
        self._size = size
        self._making = threading.Lock()
        self._kept: OrderedDict[Version, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, version: Version, make: Callable[[Version], T]) -> T:
        """Returns what `make` makes of a version; one is made at a time."""
        found = self.used(version)
        if found is None:
            with self._making:
                found = self.used(version)
                if found is None:
                    found = make(version)
                    self._keep(version, found)
        return found

    def used(self, version: Version) -> T | None:
        """Returns what is kept of a version, which counts as used; None: nothing."""
        found = self._kept.get(version)
        if found is not None and len(self._kept) > 1:
            with suppress(KeyError):  # it may have gone since
                self._kept.move_to_end(version)
        return found

    def _keep(self, version: Version, made: T) -> None:
        self._kept[version] = made
        while len(self._kept) > 1 and sum(map(self._size, self._kept.values())) > self._most:
            self._kept.popitem(last=False)
