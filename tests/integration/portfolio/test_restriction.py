"""A restricted portfolio: nobody but its holder reads it, by whichever way."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import (
    attestation_pb2,
    guidance_case_pb2,
    pathway_pb2,
    share_link_pb2,
)
from waymark.portfolio.v1 import group_membership_pb2 as members_pb
from waymark.portfolio.v1 import holder_pb2 as holders
from waymark.portfolio.v1 import mentoring_match_pb2 as matches_pb
from waymark.portfolio.v1 import page_submission_pb2 as pages_pb
from waymark.portfolio.v1 import rights_request_pb2 as pb
from waymark.portfolio.v1 import validation_pb2 as validation

from services.portfolio.api import rights_requests as api
from tests.integration.portfolio.test_rights import asked, delivered, prepared
from tests.integration.portfolio.test_strangers import GUARDED
from tests.support.groups import joining, programme
from tests.support.mentoring import matched, offered
from tests.support.owned import CALLS, Owned, calling
from tests.support.pages import handing_in, page
from tests.support.portfolio import Caller, Portfolio, reason_of, share, skill, soon
from tests.support.validations import submitted

Kind = pb.RightsRequest
# What the mandate for guidance opens that the counsellor of `Owned` has.
BY_MANDATE = {"mandate.guidance", "mandate.pathway", "mandate.case", "mandate.any"}


def ways_of_counsellors(name: str) -> set[str]:
    """Relationships by which a counsellor may make a call."""
    policy = CALLS[name].GetOptions().Extensions[options_pb2.policy]
    return {allow.relationship for allow in policy.allow if allow.role == options_pb2.ROLE_COUNSELLOR}


def attestation_of(person: Caller) -> str:
    """Asks for a skill to be attested; returns the token."""
    wanted = attestation_pb2.AttestationRequest(skill_claim=skill(person, "x").name, expire_time=soon(days=1))
    request = attestation_pb2.CreateAttestationRequestRequest(
        parent=person.holder, attestation_request=wanted
    )
    return str(person.CreateAttestationRequest(request).token)


def outcome(call: Any, request: Any) -> str:
    """Returns the reason of a refusal, else that it was read."""
    try:
        call(request)
    except Exception:
        return reason_of(call, request)
    return "read"


@pytest.mark.parametrize("restricting", [True, False], ids=["restricted", "control"])
def test_nobody_but_the_holder_reads_what_is_restricted(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, restricting: bool
) -> None:
    """Every call of a counsellor, links, staff of an awarding body; the control restricts nothing."""
    if not restricting:
        monkeypatch.setattr(api, "restrict", lambda *_: None)
    owned = Owned(portfolio)
    person, token = owned.person, share(owned.person, ["holder"]).token
    attested = attestation_of(person)
    way = pathway_pb2.Pathway(target={"occupation_uri": "http://a/b"})
    kept = pathway_pb2.CreatePathwayRequest(parent=person.holder, pathway=way, request_id=str(uuid.uuid4()))
    owned.counsellor.CreatePathway(kept)
    given = submitted(portfolio)
    for each in (person, given.person):
        delivered(portfolio, each, Kind.KIND_RESTRICTION)

    by_counsellor = {name for name in GUARDED if ways_of_counsellors(name) & BY_MANDATE}
    calls = {name: (calling(owned.counsellor, name), owned.requests[name]) for name in sorted(by_counsellor)}
    calls["kept answer"] = (owned.counsellor.CreatePathway, kept)
    calls["link"] = (portfolio.anybody().OpenShareLink, share_link_pb2.OpenShareLinkRequest(token=token))
    calls["attestation"] = (
        portfolio.anybody().OpenAttestationRequest,
        attestation_pb2.OpenAttestationRequestRequest(token=attested),
    )
    calls["case"] = (given.head.GetValidationCase, validation.GetValidationCaseRequest(name=given.name))
    outcomes = {name: outcome(*call) for name, call in calls.items()}
    assert len(outcomes) > 20
    refused_ = {name for name, found in outcomes.items() if found == "PROCESSING_RESTRICTED"}
    assert refused_ == (set(outcomes) if restricting else set())
    cases = given.head.ListSubmittedCases(validation.ListSubmittedCasesRequest(parent=given.body))
    assert bool(cases.submitted_cases) != restricting
    caseload = owned.counsellor.ListCaseload(guidance_case_pb2.ListCaseloadRequest()).caseload
    assert bool(caseload) != restricting
    read = person.GetHolder(holders.GetHolderRequest(name=person.holder))
    assert read.HasField("restrict_time") == restricting
    if restricting:
        # The office can still answer, and the holder ends it.
        prepared(portfolio.staff("caseworker"), asked(person, Kind.KIND_ACCESS))
        lifted = person.LiftRestriction(holders.LiftRestrictionRequest(name=person.holder))
        assert not lifted.HasField("restrict_time")
        assert owned.counsellor.CreatePathway(kept).name


@pytest.mark.parametrize("restricting", [True, False], ids=["restricted", "control"])
def test_nobody_in_company_reads_what_is_restricted(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, restricting: bool
) -> None:
    """A mentor, the leader of a group, and who pages were handed in to; the control restricts nothing."""
    if not restricting:
        monkeypatch.setattr(api, "restrict", lambda *_: None)
    person, mentor, group = portfolio.person(), offered(portfolio), programme(portfolio)
    match = matched(person, mentor).name
    person.CreateGroupMembership(joining(person, group.name))
    reader = portfolio.counsellor()
    handing = handing_in(person, page(person).name, reader, portfolio.organisation)
    handed_in = person.CreatePageSubmission(handing).name

    def listed() -> list[bool]:
        matches = mentor.caller.ListReceivedMatches(matches_pb.ListReceivedMatchesRequest(parent=mentor.name))
        progress = group.leader.ListMemberProgress(members_pb.ListMemberProgressRequest(parent=group.name))
        pages = reader.ListReceivedSubmissions(pages_pb.ListReceivedSubmissionsRequest())
        return [
            bool(matches.received_matches),
            bool(progress.member_progress),
            bool(pages.received_submissions),
        ]

    assert listed() == [True] * 3
    delivered(portfolio, person, Kind.KIND_RESTRICTION)
    assert listed() == [not restricting] * 3
    for call, request in (
        (mentor.caller.GetMentoredPortfolio, matches_pb.GetMentoredPortfolioRequest(name=match)),
        (reader.GetSubmittedPages, pages_pb.GetSubmittedPagesRequest(name=handed_in)),
    ):
        if restricting:
            assert reason_of(call, request) == "PROCESSING_RESTRICTED"
        else:
            call(request)
