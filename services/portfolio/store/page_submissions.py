"""Pages handed in: to whom and until when is in the clear, what was said and frozen is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, Row, and_, exists, func, insert, select
from waymark.portfolio.v1 import page_submission_pb2 as pb

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.portfolio.domain import names
from services.portfolio.store.collection import Collection, Paged
from services.portfolio.store.columns import fixed, is_row
from services.portfolio.store.page_tables import page_submissions, submitted_pages
from services.portfolio.store.vault import Vault, is_restricted

State = pb.PageSubmission.State
COLLECTIONS = ("holders", "pageSubmissions")
_TABLE = page_submissions
_OPEN = _TABLE.c.state.in_([fixed(State.STATE_SUBMITTED), fixed(State.STATE_RETURNED)])


def state_of(row: Row[Any], now: datetime) -> State.ValueType:
    """Returns the state of a submission at `now` (UTC, the database's clock)."""
    over = row.state != State.STATE_WITHDRAWN and row.expires_at <= now
    return State.STATE_EXPIRED if over else State.ValueType(row.state)


def _finish(submission: pb.PageSubmission, row: Row[Any], now: datetime) -> None:
    submission.recipient, submission.organisation = row.recipient, row.organisation
    submission.state = state_of(row, now)
    submission.expire_time.FromDatetime(row.expires_at)


SUBMISSIONS = Collection(_TABLE, COLLECTIONS[1], pb.PageSubmission, _finish)


def add(
    tx: Transaction, vault: Vault, submission: pb.PageSubmission, frozen: pb.SubmittedPages
) -> pb.PageSubmission:
    """Adds a submission with what it freezes; raises Refusal(QUOTA_EXCEEDED)."""
    made = SUBMISSIONS.add(
        tx,
        vault,
        submission,
        recipient=submission.recipient,
        organisation=submission.organisation,
        state=State.STATE_SUBMITTED,
        expires_at=submission.expire_time.ToDatetime(tx.now.tzinfo),
    )
    row_id = names.last(made.name)
    sealed = vault.seal(submitted_pages, row_id, frozen)
    tx.execute(insert(submitted_pages).values(holder_id=vault.holder, id=row_id, sealed=sealed))
    return made


def frozen(tx: Transaction, vault: Vault, submission_id: str) -> pb.SubmittedPages:
    """Returns what was handed in, as it was then; raises Refusal(NOT_FOUND)."""
    row = tx.one(select(submitted_pages.c.sealed).where(is_row(submitted_pages, vault.holder, submission_id)))
    found = vault.open(submitted_pages, submission_id, row.sealed, pb.SubmittedPages)
    found.page_submission = names.child(vault.holder, COLLECTIONS[1], submission_id)
    return found


def readable(tx: Transaction, vault: Vault) -> Iterator[pb.SubmittedPages]:
    """Yields what a holder has handed in and whom it was handed to can still read."""
    those = (_TABLE.c.holder_id == vault.holder, _OPEN, _TABLE.c.expires_at > tx.now)
    for row_id in tx.execute(select(_TABLE.c.id).where(*those).order_by(_TABLE.c.id)).scalars().all():
        yield frozen(tx, vault, row_id)


def received(
    tx: Transaction, signer: PageTokenSigner, request: pb.ListReceivedSubmissionsRequest
) -> Paged[pb.ReceivedSubmission]:
    """Returns a page of what was handed in to the caller and can still be read, newest first."""
    columns = (_TABLE.c.holder_id, _TABLE.c.id, _TABLE.c.state, _TABLE.c.expires_at, _TABLE.c.created_at)
    found = page(
        tx,
        signer,
        select(*columns).where(_read_by(tx.principal), ~exists().where(is_restricted(_TABLE.c.holder_id))),
        order_by=[_TABLE.c.id.desc(), _TABLE.c.holder_id],
        request=request,
    )
    return Paged([_row(row) for row in found.rows], found.next_page_token)


def opened_to(connection: sqlalchemy.Connection, principal: Principal, name: str) -> bool:
    """True when the submission `name` was handed in to the caller and can still be read."""
    try:
        holder, submission_id = names.parse(name, *COLLECTIONS)
    except Refusal:
        return False
    here = and_(is_row(_TABLE, holder, submission_id), _read_by(principal))
    return principal.subject != "" and bool(connection.execute(select(_TABLE.c.id).where(here)).all())


def _read_by(principal: Principal) -> ColumnElement[bool]:
    return and_(
        _TABLE.c.recipient == principal.subject,
        _TABLE.c.organisation == principal.organisation,
        _OPEN,
        _TABLE.c.expires_at > func.now(),
    )


def _row(row: Row[Any]) -> pb.ReceivedSubmission:
    name = names.child(row.holder_id, COLLECTIONS[1], row.id)
    found = pb.ReceivedSubmission(page_submission=name, state=row.state)
    found.create_time.FromDatetime(row.created_at)
    found.expire_time.FromDatetime(row.expires_at)
    return found
