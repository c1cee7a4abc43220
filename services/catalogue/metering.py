"""Lets calls with an API key pass at the edge, as far as the plan goes, and counts them.

One per process. Keys are held in memory and looked at anew every second, quotas are taken from the database
in shares of a hundredth, and counts are written every second: few calls wait for any of it (decision 0124).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.api_keys import digest
from services.catalogue.domain.api_products import covers
from services.catalogue.domain.api_quota import Allowance, Window
from services.catalogue.store import api_grants, api_usage
from services.catalogue.store.api_tables import api_plans, api_products
from services.catalogue.tally import Tally
from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

LOOK_AGAIN = 1.0  # seconds after which a key that was revoked is known
UNKNOWN_AGAIN = 0.02  # the same for a key that nobody knows yet: it may have been made just now
KEPT = 60.0  # seconds that the keys known last are good for while the database is away
CONNECTIONS = 3  # of its own, so that checks wait for no handler


class Key(NamedTuple):
    """A live key: whose, what for, until when (seconds of the monotonic clock; None: until revoked)."""

    id: str
    grant: str
    product: str
    methods: frozenset[str]
    quotas: Mapping[Window, int]
    ends: float | None


@dataclass(frozen=True)
class View:
    """The live keys by digest, as of one look at the database."""

    state: tuple[Any, ...]
    keys: Mapping[bytes, Key]
    seen: float


class Meter:
    """What one process knows of keys, has of quotas, and has yet to write of calls."""

    def __init__(self, url: str, *, limited: bool = True) -> None:
        """`url`: the service's database. `limited` is off only in tests that show what quotas are for."""
        self._engine = make_engine(url, CONNECTIONS, application="waymark-metering")
        self._limited = limited
        self._view: View | None = None
        self._looking, self._taking = threading.Lock(), threading.Lock()
        self._allowances: dict[str, Allowance] = {}
        self._calls = Tally(api_usage.count)

    def admit(self, secret: str, path: str) -> None:
        """Lets a call pass and counts it; raises Refusal: API_KEY_INVALID, API_KEY_NOT_FOR_CALL,
        API_QUOTA_EXCEEDED. `path`: of the RPC on the wire."""
        clock = time.monotonic()
        key = self._find(digest(secret), clock) if secret else None
        if key is None or (key.ends is not None and key.ends <= clock):
            raise Refusal(reason_pb2.REASON_API_KEY_INVALID)
        if not covers(key.methods, path):
            product = f"apiProducts/{key.product}"
            raise Refusal(reason_pb2.REASON_API_KEY_NOT_FOR_CALL, metadata={"api_product": product})
        used_up = self._take(key, clock) if self._limited else None
        self._calls.add((key.id, used_up is None))
        if used_up:
            raise _exceeded(key, *used_up)

    def settle(self) -> None:
        """Writes the calls counted since the last time; keeps them for the next when that fails."""
        self._calls.settle(self._engine)

    def close(self) -> None:
        """Gives back its connections."""
        self._engine.dispose()

    def _find(self, kept: bytes, clock: float) -> Key | None:
        """Returns the key with this digest, None for one that is none."""
        return self._keys(clock, LOOK_AGAIN).get(kept) or self._keys(clock, UNKNOWN_AGAIN).get(kept)

    def _keys(self, clock: float, oldest: float) -> Mapping[bytes, Key]:
        """Returns the live keys as of at most `oldest` seconds ago, if the database can be asked."""
        if self._view is None or clock - self._view.seen >= oldest:
            with self._looking:
                return self._looked(clock, oldest).keys
        return self._view.keys

    def _looked(self, clock: float, oldest: float) -> View:
        view = self._view
        if view is not None and clock - view.seen < oldest:
            return view
        try:
            with transaction(self._engine, read_only=True) as tx:
                state = api_usage.state(tx)
                same = view is not None and view.state == state
                keys = view.keys if view is not None and same else _live(tx, clock)
        except SQLAlchemyError:
            if view is None or clock - view.seen >= KEPT:
                raise
            return view
        self._view = View(state, keys, clock)
        if not same:
            granted = {key.grant for key in keys.values()}
            with self._taking:
                self._allowances = {name: one for name, one in self._allowances.items() if name in granted}
        return self._view

    def _take(self, key: Key, clock: float) -> tuple[Window, float] | None:
        """Takes a call of the grant's quotas; returns the window that is used up, and for how long."""
        with self._taking:
            allowance = self._allowances.setdefault(key.grant, Allowance(key.quotas))
            if wanting := allowance.wanting(clock):
                self._ask(key, allowance, wanting, clock)
            return allowance.take(clock)

    def _ask(self, key: Key, allowance: Allowance, wanting: list[Window], clock: float) -> None:
        with transaction(self._engine) as tx:
            got = api_usage.take(tx, key.grant, {window: key.quotas[window] for window in wanting})
        for window, calls in got.items():
            left = (window.end(tx.now) - tx.now).total_seconds()
            allowance.given(window, calls, clock + left)


def settle_counts(app: CatalogueApp, stop: threading.Event) -> None:
    """Writes what this process counted of calls with keys and of views, every second and at the end."""
    while not stop.wait(LOOK_AGAIN):
        _settle(app)
    _settle(app)
    app.meter.close()


def _settle(app: CatalogueApp) -> None:
    with suppress(SQLAlchemyError):  # it is kept, and told by the health check
        app.meter.settle()
        app.views.settle(app.engine)


def _live(tx: Any, clock: float) -> dict[bytes, Key]:
    """Returns the live keys; their ends in seconds of the process's clock, by the database's."""
    methods = {row.id: frozenset(row.methods) for row in tx.execute(select(api_products))}
    quotas = {(row.product_id, row.id): _quotas(row) for row in tx.execute(select(api_plans))}
    return {
        bytes(row.digest): Key(
            row.id,
            row.grant_id,
            row.product_id,
            methods[row.product_id],
            quotas[row.product_id, row.plan_id],
            _ends(row.expire_time, tx.now, clock),
        )
        for row in tx.execute(api_grants.live_keys())
    }


def _ends(expire_time: datetime | None, now: datetime, clock: float) -> float | None:
    return None if expire_time is None else clock + (expire_time - now).total_seconds()


def _quotas(plan: Any) -> dict[Window, int]:
    given = {Window.MINUTE: plan.per_minute, Window.DAY: plan.per_day, Window.MONTH: plan.per_month}
    return {window: quota for window, quota in given.items() if quota}


def _exceeded(key: Key, window: Window, seconds: float) -> Refusal:
    limit, called = key.quotas[window], window.name.lower()
    facts = {"quota": f"per_{called}", "limit": str(limit), "api_grant": f"apiGrants/{key.grant}"}
    wait = timedelta(seconds=ceil(seconds) or 1)
    text = f"The plan lets {limit} calls pass in a {called}."
    return Refusal(reason_pb2.REASON_API_QUOTA_EXCEEDED, text, metadata=facts, retry_after=wait)
