"""What a search needs to know of organisations and shortages on a day, held in the process and kept fresh."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from services.catalogue.domain import shortage
from services.catalogue.domain.accreditation import Accreditation
from services.catalogue.domain.distance import Degrees
from services.catalogue.domain.gazetteer import Place, country_of
from services.catalogue.domain.labels import normal, words
from services.catalogue.domain.shortage import Entry, Validity
from services.catalogue.gazetteer import lookup
from services.catalogue.shortage_book import Version
from services.catalogue.store import branding, organisations, places, quality_holds, shortage_lists
from services.catalogue.store.branding import Shown
from services.platform.db.transaction import transaction
from services.platform.gathering import aside

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

LOOK_AGAIN = 0.5  # seconds
KEPT_DAYS = 64
KEPT_SHORTAGES = 64  # by what is in force together, and region
KEPT_PLACES = 4096

_STATE = text(
    """
    SELECT current_date AS today,
           (SELECT coalesce(sum(version), 0) FROM organisations) AS organisations,
           (SELECT count(publish_time) + count(withdraw_time) FROM shortage_versions) AS lists,
           (SELECT count(*) FROM sites) AS sites,
           (SELECT count(*) FROM place_versions) AS place_versions,
           (SELECT count(*) + count(lift_time) FROM quality_holds) AS holds
    """
)


def _by_name(sites: Iterable[Any]) -> dict[str, list[Degrees]]:
    found: defaultdict[str, list[Degrees]] = defaultdict(list)
    for site in sites:
        for name in {normal(site.town), normal(site.postal_code)} - {""}:
            found[name].append((site.latitude, site.longitude))
    return dict(found)


@dataclass(frozen=True)
class Shortages:
    """Entries in force on a day (and in a region), by occupation; values: resource name and entry."""

    by_isco: dict[str, tuple[str, Entry]] = field(default_factory=dict)
    by_uri: dict[str, tuple[str, Entry]] = field(default_factory=dict)

    def of(self, uri: str, isco_code: str) -> tuple[str, Entry] | None:
        """Returns the most specific entry that covers an occupation."""
        if uri in self.by_uri:
            return self.by_uri[uri]
        for length in range(len(isco_code), 0, -1):
            if isco_code[:length] in self.by_isco:
                return self.by_isco[isco_code[:length]]
        return None


@dataclass
class View:
    """Everything as of one look at the database."""

    state: tuple[object, ...]
    today: date
    shown: dict[str, Shown]
    accreditations: dict[str, list[Accreditation]]
    sites: dict[str, list[Degrees]]  # town or postcode, as of `domain.labels.normal` → where sites are
    held: frozenset[str] = frozenset()  # ids of courses that are held back
    held_organisations: frozenset[str] = frozenset()
    eligible: dict[date, frozenset[str]] = field(default_factory=dict)
    lists: dict[str, list[Validity]] = field(default_factory=dict)  # published: list id → versions
    tables: dict[str, str] = field(default_factory=dict)  # of places: country → version in use
    places: dict[tuple[str, str], list[Place]] = field(default_factory=dict)  # by text and country asked for

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Word of display names, as of `domain.labels.normal` → ids of the organisations with it."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for organisation, shown in self.shown.items():
            for word in words(shown.display_name):
                found[word].append(organisation)
        return dict(found)

    def marks_on(self, day: date, organisation: str) -> list[str]:
        """Returns the schemes that an organisation is accredited under on a day, by name."""
        held = self.accreditations.get(organisation, ())
        return sorted({each.scheme for each in held if each.scheme and each.in_force(day)})

    @cached_property
    def sectors(self) -> dict[str, int]:
        """Id of an organisation → its sector."""
        return {organisation: shown.sector for organisation, shown in self.shown.items()}

    def of_sectors(self, sectors: Collection[int]) -> frozenset[str]:
        """Returns ids of organisations of one of these sectors."""
        return frozenset(key for key, sector in self.sectors.items() if sector in sectors)

    def eligible_on(self, day: date) -> frozenset[str]:
        """Returns ids of organisations that may take vouchers on a day."""
        found = self.eligible.get(day)
        if found is None:
            if len(self.eligible) >= KEPT_DAYS:
                self.eligible = {}  # not emptied: another thread may read it
            may = (o for o, held in self.accreditations.items() if any(a.in_force(day) for a in held))
            found = self.eligible[day] = frozenset(may)
        return found


class Market:
    """One per process."""

    def __init__(self, app: CatalogueApp) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._next_look = 0.0
        self._view: View | None = None
        # By versions and region, apart from the view: a published version never changes.
        self._shortages: dict[tuple[tuple[Version, ...], str], Shortages] = {}

    def view(self) -> View:
        """Returns a view at most LOOK_AGAIN seconds old."""
        view = self._view
        if view is not None and time.monotonic() < self._next_look:
            return view
        return aside(self._renewed)

    def _renewed(self) -> View:
        with self._lock:
            if self._view is None or time.monotonic() >= self._next_look:
                self._look()
                self._next_look = time.monotonic() + LOOK_AGAIN
            assert self._view is not None
            return self._view

    def _look(self) -> None:
        with transaction(self._app, read_only=True) as tx:
            row = tx.execute(_STATE).one()
            if self._view is None or self._view.state != tuple(row):
                shown = branding.shown(tx.connection)
                granted = organisations.all_accreditations(tx.connection)
                sites = _by_name(organisations.located_sites(tx.connection))
                tables = places.in_use(tx.connection)
                holds = quality_holds.all_held(tx.connection)
                lists = shortage_lists.published(tx.connection)
                self._view = View(
                    tuple(row), row.today, shown, granted, sites, *holds, lists=lists, tables=tables
                )

    def places(self, view: View, text: str, country: str) -> list[Place]:
        """Returns the places that a text may mean, in a country or (empty) anywhere."""
        if not view.tables:
            return lookup.ships(text, country_of(country))
        key = text, country
        found = view.places.get(key)
        if found is None:
            if len(view.places) >= KEPT_PLACES:
                view.places = {}  # not emptied, as above
            found = view.places[key] = aside(partial(self._find, view, *key))
        return found

    def _find(self, view: View, text: str, country: str) -> list[Place]:
        with transaction(self._app, read_only=True) as tx:
            return lookup.find(tx.connection, view.tables, text, country)

    def check_region(self, day: date, nuts_code: str) -> None:
        """Raises Refusal(INVALID_ARGUMENT) for a region of shortages that nobody knows on the day."""
        book = self._app.shortages
        book.check_region(book.view()[0], day, nuts_code, "shortage_nuts_code")

    def shortages(self, view: View, day: date, nuts_code: str) -> Shortages:
        """Returns what is short on a day, in a region or (empty) anywhere."""
        in_force = ((list_id, shortage.in_force(found, day)) for list_id, found in view.lists.items())
        key = tuple((list_id, each.number) for list_id, each in in_force if each), nuts_code
        found = self._shortages.get(key)
        if found is None:
            if len(self._shortages) >= KEPT_SHORTAGES:
                self._shortages = {}  # not emptied: another thread may read it
            found = self._shortages[key] = self._short(*key)
        return found

    def _short(self, versions: Iterable[Version], nuts_code: str) -> Shortages:
        best: dict[tuple[str, str], tuple[str, Entry]] = {}
        for list_id, number in versions:
            name = f"shortageLists/{list_id}/versions/{number}/entries"
            for entry in self._app.shortages.table((list_id, number)).answering(nuts_code):
                key = (entry.uri, "") if entry.uri else ("", entry.isco_code)
                if key not in best or shortage.specificity(best[key][1]) < shortage.specificity(entry):
                    best[key] = f"{name}/{entry.seq}", entry
        return Shortages(
            by_isco={code: item for (uri, code), item in best.items() if not uri},
            by_uri={uri: item for (uri, _), item in best.items() if uri},
        )
