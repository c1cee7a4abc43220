"""Mentoring matches: where each stands and what the mentor may read is in the clear, what it is for is
sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, Row, and_, exists, func, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import mentoring_match_pb2 as pb

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.portfolio.domain import names
from services.portfolio.domain.mentoring import Standing
from services.portfolio.store.collection import Collection, Paged
from services.portfolio.store.columns import fixed
from services.portfolio.store.company_tables import mentoring_matches, mentors
from services.portfolio.store.vault import Vault, is_restricted

_TABLE = mentoring_matches
COLLECTIONS = ("holders", "mentoringMatches")
_LIVE = _TABLE.c.state.in_([fixed(pb.MentoringMatch.STATE_PROPOSED), fixed(pb.MentoringMatch.STATE_ACTIVE)])


def _finish(match: pb.MentoringMatch, row: Row[Any], now: datetime) -> None:
    standing = Standing(row.state, row.expires_at, row.holder_agreed, row.mentor_agreed).at(now)
    match.mentor = f"mentors/{row.mentor_id}"
    del match.fields[:]
    match.fields.extend(row.fields)
    match.state = standing.state
    match.expire_time.FromDatetime(row.expires_at)
    match.ClearField("holder_agree_time")
    match.ClearField("mentor_agree_time")
    if row.holder_agreed:
        match.holder_agree_time.FromDatetime(row.holder_agreed)
    if row.mentor_agreed:
        match.mentor_agree_time.FromDatetime(row.mentor_agreed)


MATCHES = Collection(_TABLE, "mentoringMatches", pb.MentoringMatch, _finish)


def add(tx: Transaction, vault: Vault, match: pb.MentoringMatch, standing: Standing) -> pb.MentoringMatch:
    """Adds a match; raises Refusal(QUOTA_EXCEEDED), ALREADY_EXISTS while another one with the same mentor is
    proposed or in force."""
    mentor_id = names.last(match.mentor)
    # One whose end no job has noted yet is no bar.
    over = and_(_TABLE.c.holder_id == vault.holder, _TABLE.c.mentor_id == mentor_id, _over())
    tx.execute(update(_TABLE).where(over).values(state=pb.MentoringMatch.STATE_EXPIRED))
    try:
        return MATCHES.add(tx, vault, match, mentor_id=mentor_id, **_columns(match, standing))
    except IntegrityError as error:
        if "mentoring_matches_once" in str(error.orig):
            raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None
        raise


def save(tx: Transaction, vault: Vault, match: pb.MentoringMatch, standing: Standing) -> pb.MentoringMatch:
    """Writes a locked match with where it now stands."""
    return MATCHES.replace(tx, vault, names.last(match.name), match, **_columns(match, standing))


def standing_of(match: pb.MentoringMatch) -> Standing:
    """Returns where a match stands."""
    holder = match.holder_agree_time.ToDatetime(UTC) if match.HasField("holder_agree_time") else None
    mentor = match.mentor_agree_time.ToDatetime(UTC) if match.HasField("mentor_agree_time") else None
    return Standing(match.state, match.expire_time.ToDatetime(UTC), holder, mentor)


def received(
    tx: Transaction, signer: PageTokenSigner, mentor_id: str, request: pb.ListReceivedMatchesRequest
) -> Paged[pb.ReceivedMatch]:
    """Returns a page of the live matches of a mentor to which the holder has agreed, newest first."""
    query = select(_TABLE.c.holder_id, _TABLE.c.id, _TABLE.c.state, _TABLE.c.expires_at).where(
        _TABLE.c.mentor_id == mentor_id,
        _reaching(),
        ~exists().where(is_restricted(_TABLE.c.holder_id)),
    )
    found = page(
        tx,
        signer,
        query,
        order_by=[_TABLE.c.id.desc(), _TABLE.c.holder_id],
        request=request,
        filters={"mentor": mentor_id},
    )
    return Paged([_row(row) for row in found.rows], found.next_page_token)


def reaches(connection: sqlalchemy.Connection, principal: Principal, name: str) -> bool:
    """True when the caller is the mentor of the match `name`, to which the holder has agreed and which has
    not ended."""
    try:
        holder, match_id = names.parse(name, *COLLECTIONS)
    except Refusal:
        return False
    query = (
        select(_TABLE.c.id)
        .join(mentors, mentors.c.id == _TABLE.c.mentor_id)
        .where(
            _TABLE.c.holder_id == holder,
            _TABLE.c.id == match_id,
            _reaching(),
            mentors.c.subject == principal.subject,
            mentors.c.organisation == principal.organisation,
        )
    )
    return principal.subject != "" and connection.execute(query).one_or_none() is not None


def expire(tx: Transaction, *, limit: int = 500) -> list[str]:
    """Notes the end of up to `limit` matches whose time is over; returns their names."""
    over = (
        select(_TABLE.c.holder_id, _TABLE.c.id)
        .where(_over())
        .order_by(_TABLE.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [(row.holder_id, row.id) for row in tx.execute(over)]
    if found:
        ended = {"state": pb.MentoringMatch.STATE_EXPIRED, "updated_at": tx.now}
        tx.execute(update(_TABLE).where(tuple_(_TABLE.c.holder_id, _TABLE.c.id).in_(found)).values(**ended))
    return [names.child(holder, COLLECTIONS[1], row_id) for holder, row_id in found]


def _reaching() -> ColumnElement[bool]:
    return and_(_LIVE, _TABLE.c.holder_agreed.is_not(None), _TABLE.c.expires_at > func.now())


def _over() -> ColumnElement[bool]:
    return and_(_LIVE, _TABLE.c.expires_at <= func.now())


def _columns(match: pb.MentoringMatch, standing: Standing) -> dict[str, Any]:
    return {
        "state": standing.state,
        "fields": list(match.fields),
        "holder_agreed": standing.holder_agreed,
        "mentor_agreed": standing.mentor_agreed,
        "expires_at": standing.expires_at,
    }


def _row(row: Row[Any]) -> pb.ReceivedMatch:
    name = names.child(row.holder_id, COLLECTIONS[1], row.id)
    match = pb.ReceivedMatch(mentoring_match=name, state=row.state)
    match.expire_time.FromDatetime(row.expires_at)
    return match
