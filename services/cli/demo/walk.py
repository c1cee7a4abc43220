"""Puts the journey together: chapters in order, a client, a watcher, a teller."""

from __future__ import annotations

import uuid
from pathlib import Path

from services.cli.client import Client
from services.cli.demo import (
    catalogue,
    catalogue_rows,
    closing,
    portfolio,
    portfolio_rows,
    programme,
    rated,
    refusals,
    rows,
    voucher,
)
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey, Step
from services.cli.demo.runner import JsonTeller, Teller, walk
from services.cli.demo.watcher import EventWatcher

# What the rows of vouchers and catalogue stand on: occupations, what is short, and a partner with courses.
GROUND: tuple[Step, ...] = (
    catalogue.TAXONOMY,
    catalogue.SHORTAGE_DRAFT,
    catalogue.SHORTAGE_PUBLISHED,
    catalogue.PARTNER,
    catalogue.DRY_RUN,
    catalogue.IMPORT,
    catalogue.SEARCH,
)
STEPS: tuple[Step, ...] = (
    *GROUND,
    programme.PROGRAMME,
    programme.FACTS,
    programme.CHECK,
    refusals.NOT_ELIGIBLE,
    voucher.GRANT,
    portfolio.PATHWAY,
    refusals.NO_ACCREDITATION,
    voucher.RESERVE,
    refusals.DOUBLE_SPEND,
    rated.DELIVER,
    portfolio.STEP_CONFIRMED,
    refusals.OWN_BATCH,
    voucher.PAY,
    portfolio.SHARE,
    refusals.STRANGER_READS,
    closing.ACCOUNTS,
    closing.EVENTS,
)
# Every row, and what they told.
PROGRAMMES: tuple[Step, ...] = (*GROUND, *rows.STEPS, closing.TOLD)
CATALOGUE: tuple[Step, ...] = (*GROUND, *catalogue_rows.STEPS, closing.CATALOGUE_TOLD)
PORTFOLIO: tuple[Step, ...] = (*portfolio_rows.STEPS, closing.PORTFOLIO_TOLD)
JOURNEY = "journey"
WALKS = {
    JOURNEY: STEPS,
    "all programmes": PROGRAMMES,
    "catalogue": CATALOGUE,
    "portfolio": PORTFOLIO,
}


def walk_stack(
    home: Path | None, data: Path | None, name: str = JOURNEY, *, as_json: bool, patience: float = 30.0
) -> int:
    """Walks the steps of one of WALKS on the stack in `home`; returns how many failed.

    Raises Failure when there is no stack.
    """
    steps = WALKS[name]
    files = Data.find(data)
    client = Client(home)
    watcher = EventWatcher(client.state.kafka)
    try:
        teller = JsonTeller(name, len(steps)) if as_json else Teller(name, len(steps))
        run = uuid.uuid4().hex[:8]
        journey = Journey(client, files, watcher, run, teller.progress, patience)
        return sum(not outcome.ok for outcome in walk(journey, steps, teller))
    finally:
        watcher.close()
        client.close()
