"""Mentors: what they offer, and how many they have."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import mentor_pb2 as pb
from waymark.portfolio.v1.mentoring_match_pb2 import MentoringMatch

from services.platform.db.etags import check_etag
from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import mentoring
from services.portfolio.domain.mentoring import Offer, Wish
from services.portfolio.store.collection import Paged, fill
from services.portfolio.store.columns import fixed
from services.portfolio.store.company_tables import mentoring_matches, mentors

MOST_LOOKED_AT = 500  # mentors of a suggestion, the newest
_LIVE = mentoring_matches.c.state.in_(
    [fixed(MentoringMatch.STATE_PROPOSED), fixed(MentoringMatch.STATE_ACTIVE)]
)
_ACTIVE = (
    select(func.count())
    .select_from(mentoring_matches)
    .where(
        mentoring_matches.c.mentor_id == mentors.c.id,
        _LIVE,
        mentoring_matches.c.state == int(MentoringMatch.STATE_ACTIVE),
        mentoring_matches.c.expires_at > func.now(),
    )
    .scalar_subquery()
)
_READ = select(mentors, _ACTIVE.label("active"))


def create(tx: Transaction, mentor: pb.Mentor) -> pb.Mentor:
    """Adds a mentor; raises Refusal(ALREADY_EXISTS) for somebody who is one of this organisation."""
    row_id = new_id()
    fixed = {"id": row_id, "organisation": mentor.organisation, "subject": mentor.subject}
    times = {"created_at": tx.now, "updated_at": tx.now}
    try:
        tx.execute(insert(mentors).values(**fixed, **times, **_offered(mentor)))
    except IntegrityError:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None
    return get(tx, row_id)


def get(tx: Transaction, mentor_id: str, *, etag: str = "", lock: bool = False) -> pb.Mentor:
    """Returns a mentor, `lock`ed until the end of the transaction; raises Refusal(NOT_FOUND, ETAG_STALE).

    The number of active matches is counted after the lock is there, so that it stays right.
    """
    if lock:
        tx.one(select(mentors.c.id).where(mentors.c.id == mentor_id).with_for_update())
    row = tx.one(_READ.where(mentors.c.id == mentor_id))
    check_etag(etag, row.version)
    return _shown(row)


def listed(
    tx: Transaction, signer: PageTokenSigner, organisation: str, request: pb.ListMentorsRequest
) -> Paged[pb.Mentor]:
    """Returns a page of the mentors of an organisation, newest first."""
    found = page(
        tx,
        signer,
        _READ.where(mentors.c.organisation == organisation),
        order_by=[mentors.c.id.desc()],
        request=request,
        filters={"organisation": organisation},
    )
    return Paged([_shown(row) for row in found.rows], found.next_page_token)


def replace(tx: Transaction, mentor_id: str, mentor: pb.Mentor) -> pb.Mentor:
    """Writes what a locked mentor now offers."""
    return _update(tx, mentor_id, **_offered(mentor))


def retire(tx: Transaction, mentor_id: str) -> pb.Mentor:
    """The mentor takes nobody new; one retired before keeps the time. Raises Refusal(NOT_FOUND)."""
    return _update(tx, mentor_id, retired_at=func.coalesce(mentors.c.retired_at, tx.now))


def offers(tx: Transaction, wish: Wish, holder: str) -> list[Offer]:
    """Returns the mentors with room who might fit by occupation and language, never the holder."""
    groups = mentoring.groups_of([wish.isco_code])
    query = (
        select(mentors)
        .where(
            or_(
                mentors.c.occupation_uris.contains([wish.occupation_uri]),
                mentors.c.isco_groups.overlap(groups),
            ),
            mentors.c.languages.overlap(list(wish.languages)),
            mentors.c.subject != holder,
            mentors.c.retired_at.is_(None),
            mentors.c.capacity > _ACTIVE,
        )
        .order_by(mentors.c.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    return [offer_of(_shown(row)) for row in tx.execute(query)]


def offer_of(mentor: pb.Mentor) -> Offer:
    """Returns what a mentor offers."""
    return Offer(
        mentor.name, mentor.organisation, mentor.occupation_uris, mentor.isco_codes, mentor.languages
    )


def people_of(connection: sqlalchemy.Connection, mentor_id: str) -> tuple[str, str]:
    """Returns organisation and subject of a mentor, both "" when there is none such."""
    query = select(mentors.c.organisation, mentors.c.subject).where(mentors.c.id == mentor_id)
    row = connection.execute(query).one_or_none()
    return (row.organisation, row.subject) if row else ("", "")


def _update(tx: Transaction, mentor_id: str, **values: Any) -> pb.Mentor:
    changed = {"version": mentors.c.version + 1, "updated_at": tx.now, **values}
    tx.execute(update(mentors).where(mentors.c.id == mentor_id).values(**changed))
    return get(tx, mentor_id)


def _offered(mentor: pb.Mentor) -> dict[str, Any]:
    return {
        "occupation_uris": list(mentor.occupation_uris),
        "isco_codes": list(mentor.isco_codes),
        "isco_groups": mentoring.groups_of(mentor.isco_codes),
        "languages": list(mentor.languages),
        "capacity": mentor.capacity,
    }


def _shown(row: Row[Any]) -> pb.Mentor:
    mentor = pb.Mentor(
        organisation=row.organisation,
        subject=row.subject,
        occupation_uris=row.occupation_uris,
        isco_codes=row.isco_codes,
        languages=row.languages,
        capacity=row.capacity,
        active=getattr(row, "active", 0),
    )
    fill(mentor, f"mentors/{row.id}", row)
    if row.retired_at:
        mentor.retire_time.FromDatetime(row.retired_at)
    return mentor
