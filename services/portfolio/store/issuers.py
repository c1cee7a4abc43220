"""Awarding bodies with their keys, and the issuers elsewhere that are trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import credential_issuer_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain.credentials import controllers, keys
from services.portfolio.domain.credentials.issuing import Issuer, Signer
from services.portfolio.domain.keys import KeyRing, WrappedKey
from services.portfolio.store.collection import Paged
from services.portfolio.store.credential_tables import credential_issuers, issuer_keys, trusted_issuers

OFFICE, OFFICE_NAME = "attestations", "Waymark attestations"


def create(tx: Transaction, ring: KeyRing, wanted: pb.CredentialIssuer) -> str:
    """Adds an awarding body with a first key and returns its id; raises Refusal(ALREADY_EXISTS)."""
    issuer_id = new_id()
    try:
        tx.execute(
            insert(credential_issuers).values(
                id=issuer_id,
                organisation=wanted.organisation,
                display_name=wanted.display_name,
                url=wanted.url,
                created_at=tx.now,
            )
        )
    except IntegrityError:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None
    _add_key(tx, ring, issuer_id)
    return issuer_id


def of_office(tx: Transaction, ring: KeyRing, origin: str) -> Issuer:
    """Returns the awarding body that signs attestations for this office; made when it is first needed."""
    values = {"id": OFFICE, "organisation": "", "display_name": OFFICE_NAME, "url": "", "created_at": tx.now}
    fresh = upsert(credential_issuers).values(**values).on_conflict_do_nothing()
    if tx.execute(fresh.returning(credential_issuers.c.id)).one_or_none():
        _add_key(tx, ring, OFFICE)
    return get(tx, origin, OFFICE)


def get(tx: Transaction, origin: str, issuer_id: str, *, lock: bool = False) -> Issuer:
    """Returns an awarding body, `lock`ed until the end of the transaction; raises Refusal(NOT_FOUND)."""
    query = select(credential_issuers).where(credential_issuers.c.id == issuer_id)
    row = tx.one(query.with_for_update() if lock else query)
    return Issuer(origin, row.id, row.display_name, row.url)


def organisation_of(connection: Any, issuer_id: str) -> str:
    """Returns whose staff issue for an awarding body, "" when there is none such."""
    query = select(credential_issuers.c.organisation).where(credential_issuers.c.id == issuer_id)
    return str(connection.execute(query).scalar_one_or_none() or "")


def shown(tx: Transaction, origin: str, issuer_id: str) -> pb.CredentialIssuer:
    """Returns an awarding body with all its keys; raises Refusal(NOT_FOUND)."""
    row = tx.one(select(credential_issuers).where(credential_issuers.c.id == issuer_id))
    return _shown(origin, row, keys_of(tx, issuer_id))


def listed(
    tx: Transaction, signer: PageTokenSigner, origin: str, request: pb.ListCredentialIssuersRequest
) -> Paged[pb.CredentialIssuer]:
    """Returns a page of awarding bodies, newest first, with their current keys."""
    query = select(credential_issuers)
    found = page(tx, signer, query, order_by=[credential_issuers.c.id.desc()], request=request)
    current = select(issuer_keys).where(
        issuer_keys.c.issuer_id.in_([row.id for row in found.rows]), issuer_keys.c.retired_at.is_(None)
    )
    by_issuer = {row.issuer_id: row for row in tx.execute(current)}
    made = [_shown(origin, row, [by_issuer[row.id]]) for row in found.rows]
    return Paged(made, found.next_page_token)


def keys_of(tx: Transaction, issuer_id: str) -> Sequence[Row[Any]]:
    """Returns the keys of an awarding body, the current one first, then the latest."""
    query = select(issuer_keys).where(issuer_keys.c.issuer_id == issuer_id)
    order = (issuer_keys.c.retired_at.desc().nulls_first(), issuer_keys.c.created_at.desc())
    return tx.execute(query.order_by(*order)).all()


def signer_of(tx: Transaction, ring: KeyRing, issuer: Issuer) -> Signer:
    """Returns the current key of an awarding body."""
    query = select(issuer_keys).where(
        issuer_keys.c.issuer_id == issuer.id, issuer_keys.c.retired_at.is_(None)
    )
    row = tx.execute(query).one()
    seed = ring.open(_place(issuer.id, row.multikey), WrappedKey(row.master_key_id, row.wrapped))
    return Signer(seed, issuer.method(row.multikey))


def rotate(tx: Transaction, ring: KeyRing, issuer_id: str) -> None:
    """Gives a locked awarding body a new key, and forgets the secret of the former one."""
    tx.execute(
        update(issuer_keys)
        .where(issuer_keys.c.issuer_id == issuer_id, issuer_keys.c.retired_at.is_(None))
        .values(retired_at=tx.now, wrapped=None, master_key_id=None)
    )
    _add_key(tx, ring, issuer_id)


def rewrap(tx: Transaction, ring: KeyRing, *, limit: int = 500) -> int:
    """Seals up to `limit` keys under the current master key that still are under another; returns how
    many."""
    rows = tx.execute(
        select(issuer_keys)
        .where(issuer_keys.c.master_key_id != ring.current_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        place = _place(row.issuer_id, row.multikey)
        seed = ring.open(place, WrappedKey(row.master_key_id, row.wrapped))
        same = (issuer_keys.c.issuer_id == row.issuer_id) & (issuer_keys.c.multikey == row.multikey)
        tx.execute(update(issuer_keys).where(same).values(**ring.seal(place, seed)._asdict()))
    return len(rows)


def is_trusted(tx: Transaction, origin: str, issuer: str) -> bool:
    """True for an issuer (a DID or address) that was entered, and for the awarding bodies here."""
    own = controllers.did_web(origin, "v1", "credentialIssuers", "")
    here = exists().where(credential_issuers.c.id == issuer.removeprefix(own))
    if not issuer.startswith(own):
        here = exists().where(trusted_issuers.c.issuer_id == issuer)
    return bool(tx.execute(select(here)).scalar_one())


def trust(tx: Transaction, wanted: pb.TrustedIssuer) -> pb.TrustedIssuer:
    """Enters a trusted issuer; raises Refusal(ALREADY_EXISTS)."""
    values = {
        "id": new_id(),
        "issuer_id": wanted.issuer_id,
        "display_name": wanted.display_name,
        "reason": wanted.reason,
        "created_at": tx.now,
    }
    try:
        row = tx.execute(insert(trusted_issuers).values(**values).returning(trusted_issuers)).one()
    except IntegrityError:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None
    return _trusted(row)


def trusted(
    tx: Transaction, signer: PageTokenSigner, request: pb.ListTrustedIssuersRequest
) -> Paged[pb.TrustedIssuer]:
    """Returns a page of trusted issuers, newest first."""
    query, order = select(trusted_issuers), [trusted_issuers.c.id.desc()]
    found = page(tx, signer, query, order_by=order, request=request)
    return Paged([_trusted(row) for row in found.rows], found.next_page_token)


def distrust(tx: Transaction, row_id: str) -> None:
    """Removes a trusted issuer; raises Refusal(NOT_FOUND)."""
    tx.one(delete(trusted_issuers).where(trusted_issuers.c.id == row_id).returning(trusted_issuers.c.id))


def _add_key(tx: Transaction, ring: KeyRing, issuer_id: str) -> None:
    seed = keys.new_seed()
    multikey = keys.multikey(seed)
    sealed = ring.seal(_place(issuer_id, multikey), seed)._asdict()
    values = {"issuer_id": issuer_id, "multikey": multikey, "created_at": func.clock_timestamp(), **sealed}
    tx.execute(insert(issuer_keys).values(**values))


def _place(issuer_id: str, multikey: str) -> str:
    return f"credentialIssuers/{issuer_id}#{multikey}"


def _shown(origin: str, row: Row[Any], held: Sequence[Row[Any]]) -> pb.CredentialIssuer:
    issuer = Issuer(origin, row.id, row.display_name, row.url)
    made = pb.CredentialIssuer(
        name=issuer.name,
        organisation=row.organisation,
        display_name=row.display_name,
        url=row.url,
        did=issuer.did,
    )
    made.create_time.FromDatetime(row.created_at)
    for each in held:
        method = issuer.method(each.multikey)
        key = made.keys.add(verification_method=method, public_key_multibase=each.multikey)
        key.create_time.FromDatetime(each.created_at)
        if each.retired_at:
            key.retire_time.FromDatetime(each.retired_at)
    return made


def _trusted(row: Row[Any]) -> pb.TrustedIssuer:
    made = pb.TrustedIssuer(
        name=f"trustedIssuers/{row.id}",
        issuer_id=row.issuer_id,
        display_name=row.display_name,
        reason=row.reason,
    )
    made.create_time.FromDatetime(row.created_at)
    return made
