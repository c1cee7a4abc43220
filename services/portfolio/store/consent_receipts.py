"""Receipts of what holders let others see or do, read from the permissions themselves: nothing is kept of its
own, so that a receipt says what the next look will be held to."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    Row,
    Select,
    SmallInteger,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from waymark.portfolio.v1 import (
    attestation_pb2,
    group_membership_pb2,
    mentoring_match_pb2,
    page_submission_pb2,
)
from waymark.portfolio.v1.consent_receipt_pb2 import ConsentReceipt, ListConsentReceiptsRequest
from waymark.portfolio.v1.mandate_pb2 import MANDATE_LEGAL_BASIS_CONSENT, Mandate

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.domain.secrets import PIN_TRIES
from services.portfolio.store import share_links as links
from services.portfolio.store.collection import Paged
from services.portfolio.store.company_tables import group_memberships, mentoring_matches
from services.portfolio.store.exposure_tables import exposure_consents
from services.portfolio.store.mandates import STATE
from services.portfolio.store.page_tables import page_invitations, page_submissions
from services.portfolio.store.tables import attestation_requests, mandates, share_links
from services.portfolio.store.vault import Vault

_COLUMNS: tuple[Column[Any], ...] = (
    Column("kind", SmallInteger),
    Column("id", Text),
    Column("recipient", Text),
    Column("organisation", Text),
    Column("purpose", SmallInteger),
    Column("legal_basis", SmallInteger),
    Column("fields", ARRAY(Text)),
    Column("parts", ARRAY(SmallInteger)),
    Column("max_uses", Integer),
    Column("uses", Integer),
    Column("sealed", LargeBinary),
    Column("given_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("in_force", Boolean),
)


class Permission(NamedTuple):
    """Where the permissions of a kind are. `end`: service and method that ends one."""

    segment: str
    end: str
    rows: Select[Any]


def _ended(table: Any, *states: int) -> ColumnElement[Any]:
    """The moment from which a row has been in one of its last states, which nothing changes any more."""
    return case((table.c.state.in_(states), table.c.updated_at), else_=null())


def _rows(kind: ConsentReceipt.Kind.ValueType, table: Any, **said: Any) -> Select[Any]:
    """Selects the receipts of the permissions in a table; what is not said is empty, or consent."""
    usual = {
        "kind": literal(kind),
        "id": table.c.id,
        "recipient": literal(""),
        "organisation": literal(""),
        "purpose": literal(0),
        "legal_basis": literal(MANDATE_LEGAL_BASIS_CONSENT),
        "fields": literal([], ARRAY(Text)),
        "parts": literal([], ARRAY(SmallInteger)),
        "max_uses": literal(0),
        "uses": literal(0),
        "sealed": null(),
        "given_at": table.c.created_at,
        "expires_at": null(),
    }
    values = {**usual, **said}
    columns = (cast(values[column.name], column.type).label(column.name) for column in _COLUMNS)
    return select(table.c.holder_id, *columns)


def _open(table: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(table.c.expires_at > func.now(), *conditions)


_MANDATE = _rows(
    ConsentReceipt.KIND_MANDATE,
    mandates,
    recipient=mandates.c.counsellor,
    organisation=mandates.c.organisation,
    purpose=mandates.c.purpose,
    legal_basis=mandates.c.legal_basis,
    parts=mandates.c.parts,
    max_uses=mandates.c.max_uses,
    uses=mandates.c.uses,
    expires_at=mandates.c.expires_at,
    ended_at=mandates.c.revoked_at,
    in_force=STATE == Mandate.STATE_ACTIVE,
)
_SHARE_LINK = _rows(
    ConsentReceipt.KIND_SHARE_LINK,
    share_links,
    fields=share_links.c.fields,
    max_uses=share_links.c.max_uses,
    uses=share_links.c.uses,
    sealed=share_links.c.sealed,
    expires_at=share_links.c.expires_at,
    ended_at=share_links.c.revoked_at,
    in_force=_open(
        share_links,
        share_links.c.revoked_at.is_(None),
        share_links.c.uses < share_links.c.max_uses,
        share_links.c.pin_failures < PIN_TRIES,
    ),
)
_Match, _Submission = mentoring_match_pb2.MentoringMatch, page_submission_pb2.PageSubmission
_Request, _Membership = attestation_pb2.AttestationRequest, group_membership_pb2.GroupMembership
_MENTORING = _rows(
    ConsentReceipt.KIND_MENTORING,
    mentoring_matches,
    recipient=literal("mentors/") + mentoring_matches.c.mentor_id,
    fields=mentoring_matches.c.fields,
    given_at=mentoring_matches.c.holder_agreed,
    expires_at=mentoring_matches.c.expires_at,
    ended_at=_ended(mentoring_matches, _Match.STATE_DECLINED, _Match.STATE_ENDED),
    in_force=_open(
        mentoring_matches, mentoring_matches.c.state.in_([_Match.STATE_PROPOSED, _Match.STATE_ACTIVE])
    ),
).where(mentoring_matches.c.holder_agreed.is_not(None))
_PAGE_SUBMISSION = _rows(
    ConsentReceipt.KIND_PAGE_SUBMISSION,
    page_submissions,
    recipient=page_submissions.c.recipient,
    organisation=page_submissions.c.organisation,
    expires_at=page_submissions.c.expires_at,
    ended_at=_ended(page_submissions, _Submission.STATE_WITHDRAWN),
    in_force=_open(
        page_submissions,
        page_submissions.c.state.in_([_Submission.STATE_SUBMITTED, _Submission.STATE_RETURNED]),
    ),
)
_PAGE_INVITATION = _rows(
    ConsentReceipt.KIND_PAGE_INVITATION,
    page_invitations,
    max_uses=page_invitations.c.max_comments,
    uses=page_invitations.c.comments,
    expires_at=page_invitations.c.expires_at,
    ended_at=page_invitations.c.withdrawn_at,
    in_force=_open(
        page_invitations,
        page_invitations.c.withdrawn_at.is_(None),
        page_invitations.c.comments < page_invitations.c.max_comments,
    ),
)
_ATTESTATION = _rows(
    ConsentReceipt.KIND_ATTESTATION,
    attestation_requests,
    max_uses=literal(1),
    uses=case((attestation_requests.c.state == _Request.STATE_GIVEN, 1), else_=0),
    expires_at=attestation_requests.c.expires_at,
    ended_at=_ended(attestation_requests, _Request.STATE_WITHDRAWN),
    in_force=_open(attestation_requests, attestation_requests.c.state == _Request.STATE_OPEN),
)
_GROUP_PROGRAMME = _rows(
    ConsentReceipt.KIND_GROUP_PROGRAMME,
    group_memberships,
    recipient=literal("groupProgrammes/") + group_memberships.c.programme_id,
    ended_at=_ended(
        group_memberships, _Membership.STATE_LEFT, _Membership.STATE_COMPLETED, _Membership.STATE_ENDED
    ),
    in_force=group_memberships.c.state == _Membership.STATE_ACTIVE,
)
_EXPOSURE = _rows(
    ConsentReceipt.KIND_EXPOSURE,
    exposure_consents,
    ended_at=exposure_consents.c.withdrawn_at,
    in_force=exposure_consents.c.withdrawn_at.is_(None),
)
PERMISSIONS: dict[int, Permission] = {
    ConsentReceipt.KIND_MANDATE: Permission("mandates", "MandateService/RevokeMandate", _MANDATE),
    ConsentReceipt.KIND_SHARE_LINK: Permission("shareLinks", "ShareLinkService/RevokeShareLink", _SHARE_LINK),
    ConsentReceipt.KIND_MENTORING: Permission(
        "mentoringMatches", "MentoringService/EndMentoringMatch", _MENTORING
    ),
    ConsentReceipt.KIND_PAGE_SUBMISSION: Permission(
        "pageSubmissions", "PageSubmissionService/WithdrawPageSubmission", _PAGE_SUBMISSION
    ),
    ConsentReceipt.KIND_PAGE_INVITATION: Permission(
        "pageInvitations", "PageCommentService/WithdrawPageInvitation", _PAGE_INVITATION
    ),
    ConsentReceipt.KIND_ATTESTATION: Permission(
        "attestationRequests", "AttestationService/WithdrawAttestationRequest", _ATTESTATION
    ),
    ConsentReceipt.KIND_GROUP_PROGRAMME: Permission(
        "groupMemberships", "GroupMembershipService/LeaveGroupProgramme", _GROUP_PROGRAMME
    ),
    ConsentReceipt.KIND_EXPOSURE: Permission(
        "exposureConsents", "IdeaExposureService/WithdrawExposureConsent", _EXPOSURE
    ),
}


def listed(
    tx: Transaction, signer: PageTokenSigner, vault: Vault, request: ListConsentReceiptsRequest
) -> Paged[ConsentReceipt]:
    """Returns a page of a holder's receipts, newest first."""
    every = union_all(
        *(
            each.rows.where(each.rows.selected_columns.holder_id == vault.holder)
            for each in PERMISSIONS.values()
        )
    ).subquery("receipts")
    query = select(every)
    if request.in_force:
        query = query.where(every.c.in_force)
    found = page(
        tx,
        signer,
        query,
        order_by=[every.c.id.desc()],
        request=request,
        filters={"holder": vault.holder, "in_force": request.in_force},
    )
    return Paged([_shown(vault, row) for row in found.rows], found.next_page_token)


def _shown(vault: Vault, row: Row[Any]) -> ConsentReceipt:
    permission = PERMISSIONS[row.kind]
    receipt = ConsentReceipt(
        name=names.child(row.holder_id, "consentReceipts", row.id),
        kind=row.kind,
        permission=names.child(row.holder_id, permission.segment, row.id),
        recipient=row.recipient,
        organisation=row.organisation,
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        fields=row.fields,
        parts=row.parts,
        max_uses=row.max_uses,
        uses=row.uses,
        in_force=row.in_force,
        end_method=f"waymark.portfolio.v1.{permission.end}",
    )
    if row.sealed is not None:
        receipt.stated_purpose = links.purpose_of(vault, row.id, row.sealed)
    receipt.give_time.FromDatetime(row.given_at)
    if row.expires_at is not None:
        receipt.expire_time.FromDatetime(row.expires_at)
    if row.ended_at is not None:
        receipt.end_time.FromDatetime(row.ended_at)
    return receipt
