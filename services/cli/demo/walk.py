"""Puts the journey together: chapters in order, a client, a watcher, a teller."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from services.cli.client import Client
from services.cli.demo import (
    catalogue,
    catalogue_rows,
    closing,
    portfolio,
    portfolio_rows,
    programme,
    refusals,
    rows,
    voucher,
)
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey, Step
from services.cli.demo.runner import JsonTeller, Teller, walk
from services.cli.demo.watcher import EventWatcher

STEPS: tuple[Step, ...] = (
    catalogue.TAXONOMY,
    catalogue.SHORTAGE_DRAFT,
    catalogue.SHORTAGE_PUBLISHED,
    catalogue.PARTNER,
    catalogue.DRY_RUN,
    catalogue.IMPORT,
    catalogue.SEARCH,
    programme.PROGRAMME,
    programme.FACTS,
    programme.CHECK,
    refusals.NOT_ELIGIBLE,
    voucher.GRANT,
    portfolio.PATHWAY,
    refusals.NO_ACCREDITATION,
    voucher.RESERVE,
    refusals.DOUBLE_SPEND,
    voucher.DELIVER,
    portfolio.STEP_CONFIRMED,
    refusals.OWN_BATCH,
    voucher.PAY,
    portfolio.SHARE,
    refusals.STRANGER_READS,
    closing.ACCOUNTS,
    closing.EVENTS,
)


# What the rows stand on: occupations, what is short, and a partner with courses.
GROUND: tuple[Step, ...] = (
    catalogue.TAXONOMY,
    catalogue.SHORTAGE_DRAFT,
    catalogue.SHORTAGE_PUBLISHED,
    catalogue.PARTNER,
    catalogue.DRY_RUN,
    catalogue.IMPORT,
    catalogue.SEARCH,
)


# Every row, and what they told.
PROGRAMMES: tuple[Step, ...] = (*GROUND, *rows.STEPS, closing.TOLD)
CATALOGUE: tuple[Step, ...] = (*GROUND, *catalogue_rows.STEPS, closing.CATALOGUE_TOLD)
PORTFOLIO: tuple[Step, ...] = (*portfolio_rows.STEPS, closing.PORTFOLIO_TOLD)


def walk_journey(home: Path | None, data: Path | None, *, as_json: bool, patience: float = 30.0) -> int:
    """Walks all steps on the stack in `home`; returns how many failed. Raises Failure when there is none."""
    return _walk(home, data, STEPS, "journey", as_json=as_json, patience=patience)


def walk_programmes(home: Path | None, data: Path | None, *, as_json: bool, patience: float = 30.0) -> int:
    """Walks every row V1-V15; returns how many steps failed. Raises Failure when there is no stack."""
    return _walk(home, data, PROGRAMMES, "all programmes", as_json=as_json, patience=patience)


def walk_catalogue(home: Path | None, data: Path | None, *, as_json: bool, patience: float = 30.0) -> int:
    """Walks rows C1-C7, C10-C17, C19 and C21; returns how many steps failed. Raises Failure when there is no
    stack."""
    return _walk(home, data, CATALOGUE, "catalogue", as_json=as_json, patience=patience)


def walk_portfolio(home: Path | None, data: Path | None, *, as_json: bool, patience: float = 30.0) -> int:
    """Walks rows P1-P4, P16-P18 and P20; returns how many steps failed. Raises Failure without a stack."""
    return _walk(home, data, PORTFOLIO, "portfolio", as_json=as_json, patience=patience)


def _walk(
    home: Path | None, data: Path | None, steps: Sequence[Step], name: str, *, as_json: bool, patience: float
) -> int:
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
