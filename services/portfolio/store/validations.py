"""Validation cases: where each stands is in the clear, what it says and what was frozen of it is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import Row, exists, insert, select
from waymark.portfolio.v1 import validation_pb2 as pb

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.portfolio.domain import names
from services.portfolio.domain.validation import HANDED_IN, PENDING, Standing
from services.portfolio.store.collection import Collection, Paged
from services.portfolio.store.columns import fixed, is_row
from services.portfolio.store.credential_tables import credential_issuers
from services.portfolio.store.guidance_tables import validation_cases, validation_snapshots
from services.portfolio.store.vault import Vault, is_restricted

_TABLE = validation_cases
COLLECTIONS = ("holders", "validationCases")
_FIRST, _LAST = fixed(min(HANDED_IN)), fixed(max(HANDED_IN))


class Opened(NamedTuple):
    """To whom of an awarding body a case is open: any of its staff, and the assessor."""

    name: str
    assessor: str


def _finish(case: pb.ValidationCase, row: Row[Any], _now: datetime) -> None:
    case.awarding_body = f"credentialIssuers/{row.issuer_id}"
    case.state, case.outcome = row.state, row.outcome
    case.assessor, case.former_assessor, case.concluder = row.assessor, row.former_assessor, row.concluder
    case.ClearField("appeal_end_time")
    if row.appeal_end:
        case.appeal_end_time.FromDatetime(row.appeal_end)


CASES = Collection(_TABLE, "validationCases", pb.ValidationCase, _finish)


def add(tx: Transaction, vault: Vault, issuer_id: str, case: pb.ValidationCase) -> pb.ValidationCase:
    """Opens a case; raises Refusal(QUOTA_EXCEEDED)."""
    return CASES.add(tx, vault, case, issuer_id=issuer_id, **_columns(Standing()))


def save(tx: Transaction, vault: Vault, case: pb.ValidationCase, standing: Standing) -> pb.ValidationCase:
    """Writes a locked case with where it now stands."""
    return CASES.replace(tx, vault, names.last(case.name), case, **_columns(standing))


def standing_of(case: pb.ValidationCase) -> Standing:
    """Returns where a case stands."""
    end = case.appeal_end_time.ToDatetime(UTC) if case.HasField("appeal_end_time") else None
    return Standing(case.state, case.outcome, case.assessor, case.former_assessor, case.concluder, end)


def freeze(tx: Transaction, vault: Vault, case_id: str, snapshot: pb.ValidationSnapshot) -> None:
    """Keeps what a locked case was handed in with; there is one for each case."""
    sealed = vault.seal(validation_snapshots, case_id, snapshot)
    tx.execute(insert(validation_snapshots).values(holder_id=vault.holder, id=case_id, sealed=sealed))


def frozen(tx: Transaction, vault: Vault, case_id: str) -> pb.ValidationSnapshot:
    """Returns what a case was handed in with; raises Refusal(NOT_FOUND)."""
    row = tx.one(
        select(validation_snapshots.c.sealed).where(is_row(validation_snapshots, vault.holder, case_id))
    )
    return vault.open(validation_snapshots, case_id, row.sealed, pb.ValidationSnapshot)


def undecided(tx: Transaction, vault: Vault) -> Iterator[pb.ValidationSnapshot]:
    """Yields what a holder's cases were handed in with by which something may still be decided."""
    pending = _TABLE.c.state.in_(sorted(PENDING)) | (_TABLE.c.appeal_end > tx.now)
    those = select(_TABLE.c.id).where(_TABLE.c.holder_id == vault.holder, pending)
    for case_id in tx.execute(those.order_by(_TABLE.c.id)).scalars().all():
        yield frozen(tx, vault, case_id)


def handed_in(
    tx: Transaction, signer: PageTokenSigner, issuer_id: str, request: pb.ListSubmittedCasesRequest
) -> Paged[pb.SubmittedCase]:
    """Returns a page of the cases that an awarding body was handed, newest first."""
    columns = (_TABLE.c.holder_id, _TABLE.c.id, _TABLE.c.state, _TABLE.c.assessor, _TABLE.c.updated_at)
    found = page(
        tx,
        signer,
        select(*columns).where(
            _TABLE.c.issuer_id == issuer_id,
            _TABLE.c.state.between(_FIRST, _LAST),
            ~exists().where(is_restricted(_TABLE.c.holder_id)),
        ),
        order_by=[_TABLE.c.id.desc()],
        request=request,
        filters={"issuer": issuer_id},
    )
    return Paged([_row(row) for row in found.rows], found.next_page_token)


def opened_to(connection: sqlalchemy.Connection, principal: Principal, name: str) -> Opened | None:
    """Returns the case `name` when it was handed in to an awarding body that the caller works for."""
    try:
        holder, case_id = names.parse(name, *COLLECTIONS)
    except Refusal:
        return None
    if not principal.organisation:
        return None
    row = connection.execute(
        select(_TABLE.c.assessor)
        .join(credential_issuers, credential_issuers.c.id == _TABLE.c.issuer_id)
        .where(
            _TABLE.c.holder_id == holder,
            _TABLE.c.id == case_id,
            _TABLE.c.state.in_(sorted(HANDED_IN)),
            credential_issuers.c.organisation == principal.organisation,
        )
    ).one_or_none()
    return None if row is None else Opened(name, row.assessor)


def _columns(standing: Standing) -> dict[str, Any]:
    return {
        "state": standing.state,
        "outcome": standing.outcome,
        "assessor": standing.assessor,
        "former_assessor": standing.former_assessor,
        "concluder": standing.concluder,
        "appeal_end": standing.appeal_end,
    }


def _row(row: Row[Any]) -> pb.SubmittedCase:
    name = names.child(row.holder_id, "validationCases", row.id)
    case = pb.SubmittedCase(validation_case=name, state=row.state, assessor=row.assessor)
    case.update_time.FromDatetime(row.updated_at)
    return case
