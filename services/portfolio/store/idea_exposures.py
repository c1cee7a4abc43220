"""Consents to being counted by gender, and the counts, which are of nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, select, text, update
from waymark.portfolio.v1.idea_exposure_pb2 import ExposureConsent

from services.platform.db.transaction import Transaction
from services.portfolio.domain.exposure import NOTHING, Counted
from services.portfolio.store.collection import Collection
from services.portfolio.store.exposure_tables import exposure_consents, idea_exposures
from services.portfolio.store.vault import Vault

_COUNTED = "exposure_consents.counted"  # where it is sealed for: not to open as the consent itself
_ADD = text(
    """
    INSERT INTO idea_exposures (month, isco_code, gender, people)
    SELECT :month, code, :gender, 1 FROM unnest(CAST(:codes AS text[])) AS code ORDER BY code
    ON CONFLICT (month, isco_code, gender) DO UPDATE SET people = idea_exposures.people + 1
    """
)


def _finish(consent: ExposureConsent, row: Row[Any], _now: datetime) -> None:
    if row.withdrawn_at is not None:
        consent.withdraw_time.FromDatetime(row.withdrawn_at)


CONSENTS = Collection(exposure_consents, "exposureConsents", ExposureConsent, _finish)


def in_force(tx: Transaction, vault: Vault) -> ExposureConsent | None:
    """Returns the consent in force, locked until the end of the transaction; None: there is none."""
    statement = select(exposure_consents.c.id).where(
        exposure_consents.c.holder_id == vault.holder, exposure_consents.c.withdrawn_at.is_(None)
    )
    found = tx.execute(statement.with_for_update()).scalar_one_or_none()
    return CONSENTS.get(tx, vault, found) if found else None


def counted(tx: Transaction, vault: Vault) -> Counted:
    """Returns what the holder was counted for under the newest consent; NOTHING without one."""
    statement = (
        select(exposure_consents.c.id, exposure_consents.c.counted)
        .where(exposure_consents.c.holder_id == vault.holder)
        .order_by(exposure_consents.c.id.desc())
        .limit(1)
    )
    row = tx.execute(statement).one_or_none()
    if row is None:
        return NOTHING
    return Counted.decoded(vault.key.open(_COUNTED, row.id, row.counted))


def put_counted(tx: Transaction, vault: Vault, consent_id: str, value: Counted) -> None:
    """Keeps, sealed beside a consent, what the holder was counted for."""
    of_consent = (exposure_consents.c.holder_id == vault.holder) & (exposure_consents.c.id == consent_id)
    sealed = vault.key.seal(_COUNTED, consent_id, value.encoded())
    tx.execute(update(exposure_consents).where(of_consent).values(counted=sealed))


def add(tx: Transaction, month: date, gender: int, codes: Sequence[str]) -> None:
    """Counts one more person of a gender for each of the codes."""
    tx.execute(_ADD, {"month": month, "gender": gender, "codes": list(codes)})


def listing(month: date) -> Select[Any]:
    """Selects the counts of a month."""
    return select(idea_exposures).where(idea_exposures.c.month == month)
