"""Leases on key buckets: of several relays, one at a time publishes the events of an aggregate.

Without them two relays would send the same rows, and an aggregate's older event again behind a newer one.
Time is the database's; a relay that was killed is replaced when its leases run out.
"""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import any_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.schema import outbox_leases, outbox_relays
from services.platform.db.transaction import transaction
from services.platform.events.outbox import BUCKETS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.platform.db.transaction import Transaction

LEASE = timedelta(seconds=6)
RENEWAL = 1.5  # seconds between renewals


class Leases:
    """The buckets one relay holds."""

    def __init__(self, engine: Engine, holder: str, lease: timedelta = LEASE) -> None:
        self._engine = engine
        self._holder = holder
        self._lease = lease
        self._renewed = -math.inf
        self.held: frozenset[int] = frozenset()

    def due(self) -> bool:
        """True when it is time to renew."""
        return time.monotonic() - self._renewed >= RENEWAL

    def valid(self) -> bool:
        """True while nobody else can have taken the buckets, counted from before the last renewal."""
        return time.monotonic() - self._renewed < self._lease.total_seconds()

    def renew(self, *, idle: bool) -> None:
        """Renews what is held. Only an idle relay, with no event in flight, also balances: takes free
        buckets up to its share of the living relays, or gives up what is above it."""
        began = time.monotonic()
        with transaction(self._engine) as tx:
            held = self._extend(tx)
            if idle:
                held = self._balance(tx, held)
        self._renewed = began
        self.held = frozenset(held)

    def release(self) -> None:
        """Gives everything up, so that another relay need not wait for the leases to run out."""
        with transaction(self._engine) as tx:
            tx.execute(delete(outbox_leases).where(outbox_leases.c.holder == self._holder))
            tx.execute(delete(outbox_relays).where(outbox_relays.c.holder == self._holder))
        self.held = frozenset()

    def _extend(self, tx: Transaction) -> set[int]:
        me = insert(outbox_relays).values(holder=self._holder, expires_at=func.now() + self._lease)
        tx.execute(
            me.on_conflict_do_update(index_elements=["holder"], set_={"expires_at": me.excluded.expires_at})
        )
        mine = (
            update(outbox_leases)
            .where(outbox_leases.c.holder == self._holder)
            .values(expires_at=func.now() + self._lease)
            .returning(outbox_leases.c.bucket)
        )
        return set(tx.execute(mine).scalars())

    def _balance(self, tx: Transaction, held: set[int]) -> set[int]:
        tx.execute(delete(outbox_relays).where(outbox_relays.c.expires_at < func.now()))
        living = tx.execute(select(func.count()).select_from(outbox_relays)).scalar_one()
        share = math.ceil(BUCKETS / living)
        if len(held) > share:
            surplus = sorted(held)[share:]
            tx.execute(delete(outbox_leases).where(outbox_leases.c.bucket == any_(literal(surplus))))
            return held - set(surplus)
        if len(held) < share:
            return held | self._take(tx, share - len(held))
        return held

    def _take(self, tx: Transaction, count: int) -> set[int]:
        bucket = (
            func.generate_series(0, BUCKETS - 1).table_valued("bucket").render_derived(name="all_buckets")
        )
        leased = select(outbox_leases.c.bucket).where(outbox_leases.c.expires_at >= func.now())
        free = (
            select(bucket.c.bucket, literal(self._holder), func.now() + self._lease)
            .where(bucket.c.bucket.not_in(leased))
            .order_by(bucket.c.bucket)
            .limit(count)
        )
        taking = insert(outbox_leases).from_select(["bucket", "holder", "expires_at"], free)
        # Two relays may see the same bucket free; the second then finds a lease in force and gets nothing.
        taking = taking.on_conflict_do_update(
            index_elements=["bucket"],
            set_={"holder": taking.excluded.holder, "expires_at": taking.excluded.expires_at},
            where=outbox_leases.c.expires_at < func.now(),
        )
        return set(tx.execute(taking.returning(outbox_leases.c.bucket)).scalars())
