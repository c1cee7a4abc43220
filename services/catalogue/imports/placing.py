"""Coordinates for sessions whose partner gives only a postcode or a town."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from services.catalogue.domain.courses import Document
from services.catalogue.domain.distance import Degrees
from services.catalogue.domain.gazetteer import country_of
from services.catalogue.gazetteer import lookup
from services.catalogue.gazetteer.shipped import REVISION
from services.catalogue.imports.offerings import AFAR
from services.catalogue.store import places
from services.platform.db.transaction import transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

KEPT = 50_000  # postcodes and towns of one run


class Placing:
    """The tables of places in use at the time it is made; `state` changes with them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with transaction(engine, read_only=True) as tx:
            self._tables = places.in_use(tx.connection)
        self.state = f"{REVISION} {sorted(self._tables.items())}"
        self._where = lru_cache(KEPT)(self._find)

    def add(self, document: Document) -> None:
        """Puts `lat`, `lon` and `derived` into sessions that say where they are without coordinates, in a
        country that is known."""
        for offering in document["offerings"]:
            if offering["mode"] in AFAR:
                continue
            for session in offering["sessions"]:
                if "lat" not in session and "nuts" in session and (found := self._of(session)):
                    session["lat"], session["lon"] = found
                    session["derived"] = True

    def _of(self, session: Document) -> Degrees | None:
        country = country_of(session["nuts"])
        told = filter(None, (session.get("postcode"), session.get("town")))
        return next(filter(None, (self._where(text, country) for text in told)), None)

    def _find(self, text: str, country: str) -> Degrees | None:
        if country not in self._tables:
            return lookup.spot(lookup.ships(text, country))
        with transaction(self._engine, read_only=True) as tx:
            return lookup.spot(lookup.find(tx.connection, self._tables, text, country))
