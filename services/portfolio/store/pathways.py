"""Pathways with their steps and spells; where each stands is in the clear, what it says is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, insert, select, update
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.pathway_pb2 import ListPathwaysRequest, Pathway, Spell, Step

from services.platform.db.etags import check_etag
from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names, quotas
from services.portfolio.domain.pathways import Standing
from services.portfolio.store import step_courses
from services.portfolio.store.collection import Paged, check_room, fill
from services.portfolio.store.columns import is_row
from services.portfolio.store.step_courses import Told
from services.portfolio.store.tables import pathway_spells, pathway_steps, pathways
from services.portfolio.store.vault import Vault


class Loaded(NamedTuple):
    """A pathway as read: its id, the whole message, and where it stands."""

    id: str
    message: Pathway
    standing: Standing


def create(tx: Transaction, vault: Vault, pathway: Pathway, *, refusable: bool = True) -> Loaded:
    """Adds a draft; raises Refusal(QUOTA_EXCEEDED), where it is `refusable`."""
    if refusable:
        check_room(tx, pathways, vault.holder)
    row_id, standing = new_id(), Standing()
    row = tx.execute(
        insert(pathways)
        .values(
            holder_id=vault.holder,
            id=row_id,
            sealed=_sealed(vault, row_id, pathway),
            created_at=tx.now,
            updated_at=tx.now,
            **_columns(standing),
        )
        .returning(pathways)
    ).one()
    return _loaded(vault, row, [], [], {})


def load(tx: Transaction, vault: Vault, pathway_id: str, *, etag: str = "", lock: bool = False) -> Loaded:
    """Reads a pathway, `lock`ed until the end of the transaction; raises Refusal(NOT_FOUND, ETAG_STALE)."""
    query = select(pathways).where(is_row(pathways, vault.holder, pathway_id))
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    check_etag(etag, row.version)
    return _with_parts(tx, vault, [row])[0]


def save(tx: Transaction, vault: Vault, loaded: Loaded, standing: Standing) -> Loaded:
    """Writes a locked pathway with a new standing and reads it again with its steps and spells.

    It moves, and so counts as stalled no more; other than one that is active and has a step that needs
    another course, whatever else was changed.
    """
    row = tx.execute(
        update(pathways)
        .where(is_row(pathways, vault.holder, loaded.id))
        .values(
            sealed=_sealed(vault, loaded.id, loaded.message),
            version=pathways.c.version + 1,
            updated_at=tx.now,
            stalled_at=None,
            **_columns(standing),
        )
        .returning(pathways)
    ).one()
    saved = _with_parts(tx, vault, [row])[0]
    if standing.state == Pathway.STATE_ACTIVE and any(step.course_standing for step in saved.message.steps):
        stall = update(pathways).where(is_row(pathways, vault.holder, loaded.id))
        tx.execute(stall.values(stalled_at=tx.now))
        saved.message.stall_time.FromDatetime(tx.now)
    return saved


def listed(
    tx: Transaction, signer: PageTokenSigner, vault: Vault, request: ListPathwaysRequest
) -> Paged[Pathway]:
    """Returns a page of a holder's pathways, newest first, whole."""
    found = page(
        tx,
        signer,
        select(pathways).where(pathways.c.holder_id == vault.holder),
        order_by=[pathways.c.id.desc()],
        request=request,
        filters={"holder": vault.holder},
    )
    whole = _with_parts(tx, vault, found.rows)
    return Paged([loaded.message for loaded in whole], found.next_page_token)


def newest(tx: Transaction, vault: Vault, limit: int = 500) -> list[Pathway]:
    """Returns a holder's newest pathways, whole."""
    query = select(pathways).where(pathways.c.holder_id == vault.holder)
    rows = tx.execute(query.order_by(pathways.c.id.desc()).limit(limit)).all()
    return [loaded.message for loaded in _with_parts(tx, vault, rows)]


def add_spell(tx: Transaction, vault: Vault, loaded: Loaded, spell: Spell) -> None:
    """Adds a spell to a locked pathway; raises Refusal(QUOTA_EXCEEDED)."""
    quotas.check("pathway_spells", len(loaded.message.spells))
    row_id = new_id()
    tx.execute(
        insert(pathway_spells).values(
            holder_id=vault.holder,
            pathway_id=loaded.id,
            id=row_id,
            sealed=vault.seal(pathway_spells, row_id, spell),
        )
    )


def save_spell(tx: Transaction, vault: Vault, spell_id: str, spell: Spell) -> None:
    """Writes a spell of a locked pathway."""
    tx.execute(
        update(pathway_spells)
        .where(is_row(pathway_spells, vault.holder, spell_id))
        .values(sealed=vault.seal(pathway_spells, spell_id, spell))
    )


def _columns(standing: Standing) -> dict[str, int]:
    return {
        "state": standing.state,
        "revision": standing.revision,
        "holder_agreed": standing.holder_agreed,
        "counsellor_agreed": standing.counsellor_agreed,
    }


def _sealed(vault: Vault, pathway_id: str, pathway: Pathway) -> bytes:
    said = Pathway(title=pathway.title, target=pathway.target, ending=pathway.ending)
    return vault.seal(pathways, pathway_id, said)


def _with_parts(tx: Transaction, vault: Vault, rows: Sequence[Row[Any]]) -> list[Loaded]:
    """Reads the steps and spells of all these pathways in one statement each."""
    ids = [row.id for row in rows]
    parts: dict[str, tuple[list[Row[Any]], list[Row[Any]]]] = {row_id: ([], []) for row_id in ids}
    for index, table in enumerate((pathway_steps, pathway_spells)):
        query = select(table).where(table.c.holder_id == vault.holder, table.c.pathway_id.in_(ids))
        for row in tx.execute(query.order_by(table.c.id)):
            parts[row.pathway_id][index].append(row)
    told = step_courses.told(tx, [(vault.holder, row_id) for row_id in ids])
    return [_loaded(vault, row, *parts[row.id], told.get((vault.holder, row.id), {})) for row in rows]


def _loaded(
    vault: Vault,
    row: Row[Any],
    steps: Sequence[Row[Any]],
    spells: Sequence[Row[Any]],
    told: Mapping[str, Told],
) -> Loaded:
    message = vault.open(pathways, row.id, row.sealed, Pathway)
    name = names.child(vault.holder, "pathways", row.id)
    fill(message, name, row)
    standing = Standing(row.state, row.revision, row.holder_agreed, row.counsellor_agreed)
    message.state = standing.state
    if row.stalled_at:
        message.stall_time.FromDatetime(row.stalled_at)
    message.revision = standing.revision
    message.holder_agreed_revision = standing.holder_agreed
    message.counsellor_agreed_revision = standing.counsellor_agreed
    for part in steps:
        step = vault.open(pathway_steps, part.id, part.sealed, Step)
        step.name, step.course, step.state = f"{name}/steps/{part.id}", part.course, part.state
        if part.id in told:
            told[part.id].show(step)
        message.steps.append(step)
    opened = [(part.id, vault.open(pathway_spells, part.id, part.sealed, Spell)) for part in spells]
    for spell_id, spell in sorted(opened, key=lambda pair: _first_day(pair[1])):
        spell.name = f"{name}/spells/{spell_id}"
        message.spells.append(spell)
    return Loaded(row.id, message, standing)


def _first_day(spell: Spell) -> tuple[int, int, int]:
    return spell.start_date.year, spell.start_date.month, spell.start_date.day
