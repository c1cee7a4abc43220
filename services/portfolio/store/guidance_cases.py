"""Cases of guidance, one for each holder who has had any, and the moves between support tiers."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from waymark.portfolio.v1.guidance_case_pb2 import SUPPORT_TIER_SELF_HELP, GuidanceCase, TierMove

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Collection
from services.portfolio.store.guidance_tables import guidance_cases as table
from services.portfolio.store.guidance_tables import tier_moves
from services.portfolio.store.vault import Vault


def _of(move: TierMove, row: Row[Any], _now: Any) -> None:
    move.from_tier, move.to_tier = row.from_tier, row.to_tier
    move.subject, move.organisation = row.subject, row.organisation


TIER_MOVES = Collection(tier_moves, "tierMoves", TierMove, _of)
# What a case says that no column does.
_SEALED = ("preferred_channel", "needs")


def read(tx: Transaction, vault: Vault) -> GuidanceCase:
    """Returns the case of a holder; one in which nothing has happened yet is in self-help."""
    row = tx.execute(select(table).where(table.c.holder_id == vault.holder)).one_or_none()
    if row is None:
        return GuidanceCase(name=name_of(vault.holder), tier=SUPPORT_TIER_SELF_HELP, etag=etag_of(0))
    return _shown(vault, row)


def lock(tx: Transaction, vault: Vault, etag: str = "") -> GuidanceCase:
    """Returns the case of a holder, locked and begun where there was none; raises Refusal(ETAG_STALE)."""
    begun = {
        "holder_id": vault.holder,
        "tier": SUPPORT_TIER_SELF_HELP,
        "version": 0,
        "sealed": _sealed(vault, GuidanceCase()),
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    tx.execute(insert(table).values(begun).on_conflict_do_nothing())
    row = tx.execute(select(table).where(table.c.holder_id == vault.holder).with_for_update()).one()
    check_etag(etag, row.version)
    return _shown(vault, row)


def save(tx: Transaction, vault: Vault, case: GuidanceCase) -> GuidanceCase:
    """Writes a new version of the locked case and returns it as it will be read."""

    asked = case.human_ask_time if case.HasField("human_ask_time") else None
    met = case.last_contact_time if case.HasField("last_contact_time") else None
    row = tx.execute(
        update(table)
        .where(table.c.holder_id == vault.holder)
        .values(
            tier=case.tier,
            human_asked_at=asked and asked.ToDatetime(tzinfo=UTC),
            last_contact_at=met and met.ToDatetime(tzinfo=UTC),
            version=table.c.version + 1,
            sealed=_sealed(vault, case),
            updated_at=tx.now,
        )
        .returning(table)
    ).one()
    return _shown(vault, row)


def name_of(holder: str) -> str:
    """Returns the name of a holder's case."""
    return f"{names.holder(holder)}/guidanceCase"


def _sealed(vault: Vault, case: GuidanceCase) -> bytes:
    said = GuidanceCase(**{field: getattr(case, field) for field in _SEALED})
    return vault.seal(table, vault.holder, said)


def _shown(vault: Vault, row: Row[Any]) -> GuidanceCase:
    case = vault.open(table, vault.holder, row.sealed, GuidanceCase)
    case.name, case.tier, case.etag = name_of(vault.holder), row.tier, etag_of(row.version)
    times = {
        "human_ask_time": row.human_asked_at,
        "last_contact_time": row.last_contact_at,
        "create_time": row.created_at,
        "update_time": row.updated_at,
    }
    for field, moment in times.items():
        if moment is not None:
            getattr(case, field).FromDatetime(moment)
    return case
