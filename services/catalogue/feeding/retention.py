"""Lets go of uploads that nothing uses, and of what old runs have kept; a job of `waymark consume
catalogue`.

A raw copy is untied from its run first, then its row goes, then its bytes: what breaks off between is an
orphan that the next sweep finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from services.catalogue.store import feed_retention, uploads
from services.platform.db.transaction import Transaction, transaction

if TYPE_CHECKING:
    from services.platform.app import App

AT_ONCE = 200
RUNS = 20  # at once: each may have 30 000 rows of details
ORPHAN = timedelta(days=1)  # age at which an object that no row names is no upload under way


def let_go(app: App) -> None:
    """Lets go of all that is no longer kept, in small transactions."""
    kept = app.settings.feed_copies, timedelta(days=app.settings.feed_days)
    _until_done(app, AT_ONCE, lambda tx: feed_retention.let_go_of_copies(tx, *kept, AT_ONCE))
    _until_done(app, RUNS, lambda tx: feed_retention.let_go_of_details(tx, *kept, RUNS))
    _until_done(app, AT_ONCE, partial(uploads.let_go_unused, limit=AT_ONCE))

    def known(keys: Sequence[str]) -> set[str]:
        with transaction(app, read_only=True) as tx:
            return uploads.known_keys(tx, keys)

    app.objects.sweep(uploads.BUCKET, known, ORPHAN)


def _until_done(app: App, at_once: int, step: Callable[[Transaction], int]) -> None:
    done = at_once
    while done == at_once:
        with transaction(app) as tx:
            done = step(tx)
