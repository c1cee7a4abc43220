"""Parts of questionnaires: states and links in the clear, who filled one and what was answered sealed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, insert, select, update
from waymark.portfolio.v1.instrument_pb2 import InstrumentPart
from waymark.portfolio.v1.questionnaire_pb2 import QuestionnairePart

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.domain.sharing import require_usable
from services.portfolio.store import locking
from services.portfolio.store.instrument_tables import questionnaire_parts
from services.portfolio.store.vault import Vault

COLLECTIONS = ("holders", "questionnaires", "parts")
State = QuestionnairePart.State
_TABLE = questionnaire_parts


class Link(NamedTuple):
    """The part that a link is for; `name`: `holders/{holder}/questionnaires/{questionnaire}/parts/{part}`."""

    holder: str
    questionnaire: str
    part: str
    expires_at: datetime

    @property
    def name(self) -> str:
        """Resource name of the part."""
        return _name(self.holder, self.questionnaire, self.part)


def open_all(tx: Transaction, vault: Vault, questionnaire_id: str, parts: Sequence[InstrumentPart]) -> None:
    """Opens the parts of a new questionnaire."""
    rows = [
        {
            "holder_id": vault.holder,
            "id": f"{questionnaire_id}.{part.id}",
            "questionnaire_id": questionnaire_id,
            "position": position,
            "filled_by": part.filled_by,
            "special_category": part.special_category,
            "state": State.STATE_OPEN,
            "sealed": vault.seal(_TABLE, f"{questionnaire_id}.{part.id}", QuestionnairePart()),
        }
        for position, part in enumerate(parts)
    ]
    tx.execute(insert(_TABLE), rows)


def states(
    tx: Transaction, holder: str, questionnaire_ids: Iterable[str]
) -> Mapping[str, list[QuestionnairePart]]:
    """Returns the parts of questionnaires in their order, by questionnaire id, without what was answered."""
    found: defaultdict[str, list[QuestionnairePart]] = defaultdict(list)
    ids = sorted(questionnaire_ids)
    query = select(_TABLE).where(_TABLE.c.holder_id == holder, _TABLE.c.questionnaire_id.in_(ids))
    ordered = query.order_by(_TABLE.c.questionnaire_id, _TABLE.c.position)
    for row in tx.execute(ordered).all() if ids else []:
        found[row.questionnaire_id].append(_shown(row, tx.now))
    return found


def get(tx: Transaction, vault: Vault, questionnaire_id: str, part_id: str) -> QuestionnairePart:
    """Returns a part with what was answered; raises Refusal(NOT_FOUND)."""
    row = tx.one(select(_TABLE).where(*_is(vault.holder, questionnaire_id, part_id)))
    return _opened(tx, vault, row)


def answered(tx: Transaction, vault: Vault, questionnaire_id: str) -> list[QuestionnairePart]:
    """Returns the filled parts that may be scored: none of special categories."""
    query = select(_TABLE).where(
        _TABLE.c.holder_id == vault.holder,
        _TABLE.c.questionnaire_id == questionnaire_id,
        _TABLE.c.state == State.STATE_FILLED,
        _TABLE.c.special_category.is_(False),
    )
    return [_opened(tx, vault, row) for row in tx.execute(query).all()]


def fill(
    tx: Transaction, vault: Vault, questionnaire_id: str, part_id: str, said: QuestionnairePart
) -> QuestionnairePart:
    """Writes giver and answers of a part whose questionnaire is locked."""
    row_id = f"{questionnaire_id}.{part_id}"
    kept = QuestionnairePart(giver=said.giver, answers=said.answers)
    sealed = vault.seal(_TABLE, row_id, kept)
    return _write(tx, vault, row_id, sealed=sealed, state=State.STATE_FILLED, filled_at=tx.now)


def ask(
    tx: Transaction, vault: Vault, questionnaire_id: str, part_id: str, token_hash: bytes, until: datetime
) -> QuestionnairePart:
    """Notes a link to a part whose questionnaire is locked; an earlier link is found no more."""
    columns = {"state": State.STATE_ASKED, "token_hash": token_hash, "expires_at": until}
    return _write(tx, vault, f"{questionnaire_id}.{part_id}", **columns)


def withdraw(tx: Transaction, vault: Vault, questionnaire_id: str, part_id: str) -> QuestionnairePart:
    """Forgets the link to a part whose questionnaire is locked."""
    columns = {"state": State.STATE_OPEN, "token_hash": None, "expires_at": None}
    return _write(tx, vault, f"{questionnaire_id}.{part_id}", **columns)


def linked(tx: Transaction, token_hash: bytes) -> Link:
    """Returns the part that a token opens; raises Refusal(NOT_FOUND, SHARE_LINK_ENDED)."""
    locking.enter_by(tx, _TABLE, token_hash)
    row = tx.one(select(_TABLE).where(_TABLE.c.token_hash == token_hash))
    require_usable(_state_of(row, tx.now), State.STATE_ASKED, State)
    part = row.id.removeprefix(f"{row.questionnaire_id}.")
    return Link(row.holder_id, row.questionnaire_id, part, row.expires_at)


def _write(tx: Transaction, vault: Vault, row_id: str, **columns: Any) -> QuestionnairePart:
    where = (_TABLE.c.holder_id == vault.holder, _TABLE.c.id == row_id)
    row = tx.execute(update(_TABLE).where(*where).values(columns).returning(_TABLE)).one()
    return _opened(tx, vault, row)


def _is(holder: str, questionnaire_id: str, part_id: str) -> tuple[Any, Any]:
    return _TABLE.c.holder_id == holder, _TABLE.c.id == f"{questionnaire_id}.{part_id}"


def _name(holder: str, questionnaire_id: str, part_id: str) -> str:
    return f"{names.child(holder, 'questionnaires', questionnaire_id)}/parts/{part_id}"


def _state_of(row: Row[Any], now: datetime) -> State.ValueType:
    over = row.state == State.STATE_ASKED and row.expires_at <= now
    return State.STATE_EXPIRED if over else State.ValueType(row.state)


def _opened(tx: Transaction, vault: Vault, row: Row[Any]) -> QuestionnairePart:
    part = vault.open(_TABLE, row.id, row.sealed, QuestionnairePart)
    part.MergeFrom(_shown(row, tx.now))
    return part


def _shown(row: Row[Any], now: datetime) -> QuestionnairePart:
    part = QuestionnairePart(
        name=_name(row.holder_id, row.questionnaire_id, row.id.removeprefix(f"{row.questionnaire_id}.")),
        filled_by=row.filled_by,
        special_category=row.special_category,
        state=_state_of(row, now),
    )
    if row.expires_at:
        part.expire_time.FromDatetime(row.expires_at)
    if row.filled_at:
        part.fill_time.FromDatetime(row.filled_at)
    return part
