"""All that a person let others see or do is in one list, as it is held to, and says how it is ended."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass
from sqlalchemy import text
from waymark.portfolio.v1 import attestation_pb2, idea_exposure_pb2, mandate_pb2
from waymark.portfolio.v1 import consent_receipt_pb2 as pb
from waymark.portfolio.v1.mentoring_match_pb2 import AgreeMentoringMatchRequest
from waymark.portfolio.v1.share_link_pb2 import OpenShareLinkRequest

from services.platform.db.transaction import transaction
from services.portfolio.domain import exposure
from services.portfolio.store import consent_receipts
from tests.support.groups import joining, programme
from tests.support.mentoring import FIELDS, asking, offered
from tests.support.pages import handing_in, inviting, page
from tests.support.portfolio import Caller, Portfolio, mandate, reason_of, share, skill, soon

Kind = pb.ConsentReceipt.Kind


def receipts(person: Caller, **asked: Any) -> list[pb.ConsentReceipt]:
    request = pb.ListConsentReceiptsRequest(parent=person.holder, **asked)
    return list(person.ListConsentReceipts(request).consent_receipts)


def permitted(portfolio: Portfolio) -> tuple[Caller, dict[int, tuple[str, str]]]:
    """Somebody who gave one permission of each kind, and the name and recipient of each."""
    person, counsellor = portfolio.person(), portfolio.counsellor()
    to = (counsellor, portfolio.organisation)
    mentor, group = offered(portfolio), programme(portfolio)
    shown = page(person).name
    asks = attestation_pb2.AttestationRequest(skill_claim=skill(person).name, expire_time=soon(days=7))
    counted = idea_exposure_pb2.ExposureConsent(gender=idea_exposure_pb2.GENDER_WOMAN, terms=exposure.TERMS)
    given = {
        Kind.KIND_MANDATE: person.CreateMandate(mandate(person, *to, mandate_pb2.MANDATE_PURPOSE_GUIDANCE)),
        Kind.KIND_SHARE_LINK: share(person, ["entries.title"], purpose="To be invited").share_link,
        Kind.KIND_MENTORING: person.CreateMentoringMatch(asking(person, mentor.name, fields=FIELDS)),
        Kind.KIND_PAGE_SUBMISSION: person.CreatePageSubmission(handing_in(person, shown, *to)),
        Kind.KIND_PAGE_INVITATION: person.CreatePageInvitation(inviting(person, shown)).page_invitation,
        Kind.KIND_ATTESTATION: person.CreateAttestationRequest(
            attestation_pb2.CreateAttestationRequestRequest(parent=person.holder, attestation_request=asks)
        ).attestation_request,
        Kind.KIND_GROUP_PROGRAMME: person.CreateGroupMembership(joining(person, group.name)),
        Kind.KIND_EXPOSURE: person.GiveExposureConsent(
            idea_exposure_pb2.GiveExposureConsentRequest(parent=person.holder, exposure_consent=counted)
        ),
    }
    recipients = {
        Kind.KIND_MANDATE: counsellor.subject,
        Kind.KIND_PAGE_SUBMISSION: counsellor.subject,
        Kind.KIND_MENTORING: mentor.name,
        Kind.KIND_GROUP_PROGRAMME: group.name,
    }
    return person, {kind: (made.name, recipients.get(kind, "")) for kind, made in given.items()}


def end(person: Caller, receipt: pb.ConsentReceipt) -> None:
    """Ends a permission by the call that its receipt names."""
    service, method = receipt.end_method.split("/")
    described = Default().FindServiceByName(service).methods_by_name[method]
    request = GetMessageClass(described.input_type)
    getattr(person, method)(request(name=receipt.permission))


def test_each_permission_has_a_receipt_that_ends_it(portfolio: Portfolio) -> None:
    person, given = permitted(portfolio)
    found = receipts(person, in_force=True)
    assert {each.kind: (each.permission, each.recipient) for each in found} == given
    assert len(found) == len(Kind.keys()) - 1 == len(consent_receipts.PERMISSIONS)
    for each in found:
        dated = each.kind not in (Kind.KIND_GROUP_PROGRAMME, Kind.KIND_EXPOSURE)
        assert (each.HasField("give_time"), each.HasField("expire_time")) == (True, dated)
        assert each.in_force
        assert not each.HasField("end_time")
        end(person, each)
    assert receipts(person, in_force=True) == []
    ended = receipts(person)
    assert [(each.name, each.HasField("end_time"), each.in_force) for each in ended] == [
        (each.name, True, False) for each in found
    ]


def test_it_says_what_for_by_which_ground_and_which_data(portfolio: Portfolio) -> None:
    person, _ = permitted(portfolio)
    found = {each.kind: each for each in receipts(person)}
    held = found[Kind.KIND_MANDATE]
    assert (held.purpose, held.legal_basis, held.organisation) == (
        mandate_pb2.MANDATE_PURPOSE_GUIDANCE,
        mandate_pb2.MANDATE_LEGAL_BASIS_CONSENT,
        portfolio.organisation,
    )
    link = found[Kind.KIND_SHARE_LINK]
    assert (list(link.fields), link.stated_purpose, link.max_uses) == (["entries.title"], "To be invited", 10)
    assert {each.legal_basis for each in found.values()} == {mandate_pb2.MANDATE_LEGAL_BASIS_CONSENT}
    once = {Kind.KIND_SHARE_LINK, Kind.KIND_PAGE_INVITATION, Kind.KIND_ATTESTATION}
    assert {kind for kind, each in found.items() if each.max_uses} == once
    assert list(found[Kind.KIND_MENTORING].fields) == FIELDS


@pytest.mark.parametrize("size", [1, 3])
def test_pages_hold_each_once_newest_first(portfolio: Portfolio, size: int) -> None:
    person, given = permitted(portfolio)
    names: list[str] = []
    request = pb.ListConsentReceiptsRequest(parent=person.holder, page_size=size)
    while True:
        answer = person.ListConsentReceipts(request)
        names += [each.permission for each in answer.consent_receipts]
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    assert sorted(names) == sorted(name for name, _ in given.values())
    ids = [name.rpartition("/")[2] for name in names]
    assert ids == sorted(ids, reverse=True)
    request.page_token = person.ListConsentReceipts(request).next_page_token
    request.in_force = True
    assert reason_of(person.ListConsentReceipts, request) == "PAGE_TOKEN_INVALID"


def test_used_up_is_not_in_force_and_not_ended(portfolio: Portfolio) -> None:
    person, anybody = portfolio.person(), portfolio.anybody()
    token = share(person, ["entries.title"], max_uses=1).token
    assert [each.in_force for each in receipts(person)] == [True]
    anybody.OpenShareLink(OpenShareLinkRequest(token=token))
    (used,) = receipts(person)
    assert (used.in_force, used.HasField("end_time"), used.uses) == (False, False, 1)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("mandates SET expires_at = now()", {Kind.KIND_MANDATE}),
        ("mandates SET max_uses = 1, uses = 1, used_on = CURRENT_DATE - 2", {Kind.KIND_MANDATE}),
        ("share_links SET expires_at = now()", {Kind.KIND_SHARE_LINK}),
        ("share_links SET pin_failures = 5", {Kind.KIND_SHARE_LINK}),
        ("mentoring_matches SET expires_at = now()", {Kind.KIND_MENTORING}),
        ("page_submissions SET expires_at = now()", {Kind.KIND_PAGE_SUBMISSION}),
        ("page_invitations SET expires_at = now()", {Kind.KIND_PAGE_INVITATION}),
        ("page_invitations SET comments = max_comments", {Kind.KIND_PAGE_INVITATION}),
        ("attestation_requests SET expires_at = now()", {Kind.KIND_ATTESTATION}),
    ],
)
def test_what_is_over_by_itself_is_not_in_force(portfolio: Portfolio, change: str, kinds: set[int]) -> None:
    person, given = permitted(portfolio)
    with transaction(portfolio.app) as tx:
        tx.execute(text(f"UPDATE {change} WHERE holder_id = :holder"), {"holder": person.subject})
    assert {each.kind for each in receipts(person, in_force=True)} == given.keys() - kinds
    (over,) = (each for each in receipts(person) if not each.in_force)
    assert not over.HasField("end_time")


def test_what_was_not_agreed_to_has_none_and_nobody_else_reads_them(portfolio: Portfolio) -> None:
    person, mentor = portfolio.person(), offered(portfolio)
    counsellor = portfolio.mandated(person)
    offer = counsellor.CreateMentoringMatch(asking(person, mentor.name))
    assert [each.kind for each in receipts(person)] == [Kind.KIND_MANDATE]
    person.AgreeMentoringMatch(AgreeMentoringMatchRequest(name=offer.name, fields=FIELDS))
    assert {each.kind for each in receipts(person)} == {Kind.KIND_MANDATE, Kind.KIND_MENTORING}
    request = pb.ListConsentReceiptsRequest(parent=person.holder)
    for stranger in (counsellor, portfolio.person()):
        assert reason_of(stranger.ListConsentReceipts, request) in ("NOT_FOUND", "PERMISSION_DENIED")
