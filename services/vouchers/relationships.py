"""Relationships named in the contracts' policies: does the caller stand in it to what the request names?"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from waymark.options.v1 import options_pb2

from services.platform.db.wire import Call, sent_ahead
from services.platform.identity.principals import Principal
from services.platform.service import Relationship
from services.vouchers.parties import is_employer, is_observer
from services.vouchers.store import redemptions

_SESSION = text("""SELECT c.organisation FROM sessions s JOIN courses c ON c.name = s.course
WHERE s.name = :name""")
# Who reads the redemptions and sanctions of everybody, whatever else the caller may be.
STAFF = {options_pb2.ROLE_FINANCE, options_pb2.ROLE_CASEWORKER, options_pb2.ROLE_AUDITOR}
ACCOUNTANTS = {options_pb2.ROLE_FINANCE, options_pb2.ROLE_AUDITOR}
OWNERS = {
    "application.learner": text("SELECT learner FROM applications WHERE id = :id"),
    "inquiry.learner": text("""SELECT a.learner FROM inquiries i
JOIN applications a ON a.id = i.application_id WHERE i.id = :id"""),
    "voucher.learner": text("SELECT learner FROM vouchers WHERE id = :id"),
    "waiting_list_entry.learner": text("SELECT learner FROM waiting_list WHERE id = :id"),
    "complaint.learner": text("SELECT learner FROM complaints WHERE id = :id"),
    "sanction.provider": text("SELECT organisation FROM sanctions WHERE id = :id AND state BETWEEN 2 AND 5"),
    "receivable.provider": text("SELECT organisation FROM receivables WHERE id = :id"),
    "redemption.learner": text("SELECT learner FROM redemptions WHERE id = :id"),
    "redemption.provider": text("SELECT organisation FROM redemptions WHERE id = :id"),
}
_COLLECTIONS = {
    "application": "applications",
    "complaint": "complaints",
    "inquiry": "inquiries",
    "receivable": "receivables",
    "redemption": "redemptions",
    "sanction": "sanctions",
    "voucher": "vouchers",
    "waiting_list_entry": "waitingListEntries",
}
# The locks that calls send with BEGIN have read the owner already.
_LOCKS_OF_REDEMPTION = (
    lambda _, key: redemptions.LOCK(id=key),
    lambda _, key: redemptions.LOCK_WITH_MONEY(id=key),
)
_LOCKED: Mapping[str, tuple[str, Sequence[Callable[[Any, str], Call]]]] = {
    "voucher.learner": (
        "learner",
        [
            lambda request, key: redemptions.LOCK_BY_VOUCHER(
                voucher=key, session=getattr(request, "session", "")
            )
        ],
    ),
    "redemption.learner": ("learner", _LOCKS_OF_REDEMPTION),
    "redemption.provider": ("organisation", _LOCKS_OF_REDEMPTION),
}


def learner_of(principal: Principal) -> str:
    """Returns the resource name of the caller as a learner."""
    return f"learners/{principal.subject}"


def is_learner(principal: Principal, learner: str) -> bool:
    """True when the caller acts as this learner, `learners/{id}`."""
    return options_pb2.ROLE_LEARNER in principal.roles and learner == learner_of(principal)


def is_staff(principal: Principal) -> bool:
    """True when the caller has a role of STAFF."""
    return not principal.roles.isdisjoint(STAFF)


def is_accountant(principal: Principal) -> bool:
    """True for who reads the debts of everybody, whatever else the caller may be."""
    return not principal.roles.isdisjoint(ACCOUNTANTS)


def is_self(principal: Principal, request: Any, _: Connection) -> bool:
    """The request is about the caller."""
    fields = request.DESCRIPTOR.fields_by_name
    if "application" in fields:
        named = request.application.learner
    else:
        named = request.learner if "learner" in fields else request.parent
    return bool(named == learner_of(principal))


def owns_organisation(principal: Principal, request: Any, _: Connection) -> bool:
    """The request is about the caller's own organisation."""
    fields = request.DESCRIPTOR.fields_by_name
    named = next((getattr(request, f) for f in ("organisation", "parent", "name") if f in fields), "")
    return bool(principal.organisation) and "/".join(named.split("/")[:2]) == principal.organisation


def provides_session(principal: Principal, request: Any, connection: Connection) -> bool:
    """The session is one of the caller's organisation."""
    owner = connection.execute(_SESSION, {"name": request.session}).scalar()
    return bool(principal.organisation) and owner == principal.organisation


def _owner(connection: Connection, relationship: str, request: Any) -> str:
    """Returns who owns the resource of the relationship's kind that the request names, or of which it names a
    part; empty when there is none."""
    collection = _COLLECTIONS[relationship.partition(".")[0]]
    parts = _name(request).split("/")
    try:
        key = str(uuid.UUID(parts[parts.index(collection) + 1]))
    except (ValueError, IndexError):
        return ""
    column, locks = _LOCKED.get(relationship, ("", ()))
    for lock in locks:
        locked = sent_ahead(connection, lock(request, key))
        if locked is not None:
            return str(getattr(locked[0], column)) if locked else ""
    return connection.execute(OWNERS[relationship], {"id": key}).scalar() or ""


def _learner(relationship: str) -> Relationship:
    def holds(principal: Principal, request: Any, connection: Connection) -> bool:
        return _owner(connection, relationship, request) == learner_of(principal)

    return holds


def _provider(relationship: str) -> Relationship:
    def holds(principal: Principal, request: Any, connection: Connection) -> bool:
        owner = _owner(connection, relationship, request)
        return bool(owner) and owner == principal.organisation

    return holds


def _name(request: Any) -> str:
    fields = request.DESCRIPTOR.fields_by_name
    field = next(field for field in ("name", "parent", "voucher") if field in fields)
    return str(getattr(request, field))


RELATIONSHIPS: Mapping[str, Relationship] = {
    "self": is_self,
    "organisation.own": owns_organisation,
    "session.provider": provides_session,
    "application.learner": _learner("application.learner"),
    "inquiry.learner": _learner("inquiry.learner"),
    "voucher.learner": _learner("voucher.learner"),
    "waiting_list_entry.learner": _learner("waiting_list_entry.learner"),
    "redemption.learner": _learner("redemption.learner"),
    "redemption.provider": _provider("redemption.provider"),
    "receivable.provider": _provider("receivable.provider"),
    "complaint.learner": _learner("complaint.learner"),
    "sanction.provider": _provider("sanction.provider"),
    "employer.own": is_employer,
    "contract.observer": is_observer,
}
