"""What is new since a token: each change once, also those that are written at the same time."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import true
from waymark.catalogue.v1 import assessment_pb2, assessment_pb2_grpc, market_change_pb2_grpc
from waymark.catalogue.v1 import market_change_pb2 as pb

from services.catalogue.store import market_changes
from services.platform.db.transaction import transaction
from tests.support.catalogue import Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.servers import token

OFFICER = token("caseworker", subject=str(uuid.uuid4()))
SECOND = token("caseworker", subject=str(uuid.uuid4()))
HEAD = b"measure,occupation,region,period,value,unit\n"
ROWS = b"occupation,region,severity,cause\n251,BE2,4,too_few_people\n"
KINDS = pb.MarketChange.Kind


@pytest.fixture
def lmi(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


def new(lmi: Catalogue, after: str = "", size: int = 0) -> pb.ListMarketChangesResponse:
    request = pb.ListMarketChangesRequest(token=after, page_size=size)
    stub = lmi.stub(market_change_pb2_grpc.MarketChangeServiceStub, OFFICER)
    answer: pb.ListMarketChangesResponse = stub.ListMarketChanges(request)
    return answer


def told(answer: pb.ListMarketChangesResponse) -> list[tuple[str, str, str]]:
    return [(KINDS.Name(c.kind).removeprefix("KIND_"), c.subject, c.nuts_code) for c in answer.market_changes]


def verify(lmi: Catalogue, *, reject: bool = False) -> str:
    entered, second = (lmi.stub(assessment_pb2_grpc.AssessmentServiceStub, who) for who in (OFFICER, SECOND))
    given = assessment_pb2.Assessment(occupation="2512", nuts_code="BE21", severity=4, cause=1)  # type: ignore[arg-type]
    name = entered.CreateAssessment(assessment_pb2.CreateAssessmentRequest(assessment=given)).name
    second.VerifyAssessment(assessment_pb2.VerifyAssessmentRequest(name=name, reject=reject))
    return str(name)


def attest(lmi: Catalogue, name: str) -> None:
    council = lmi.organisation("it-council")
    lmi.stub(assessment_pb2_grpc.AssessmentServiceStub).AppointSectorCouncil(
        assessment_pb2.AppointSectorCouncilRequest(organisation=council, isco_codes=["25"])
    )
    member = token("provider", subject=str(uuid.uuid4()), org=council)
    lmi.stub(assessment_pb2_grpc.AssessmentServiceStub, member).AttestAssessment(
        assessment_pb2.AttestAssessmentRequest(name=name, verdict=assessment_pb2.Attestation.VERDICT_AGREES)
    )


def test_figures_assessments_and_lists_since_a_token(lmi: Catalogue) -> None:
    before = new(lmi)
    assert told(before) == []
    source = lmi.observation_source("register")
    lmi.take_in(source, HEAD + b"vacancies,2512,BE2,2025,9,persons\nvacancies,2512,BE2,2026,9,persons\n")
    first = lmi.wait_for(lambda: (found := new(lmi)).market_changes and found)
    verify(lmi, reject=True)
    name = verify(lmi)
    attest(lmi, name)
    version = lmi.publish(lmi.draft(lmi.shortage_list(), ROWS, valid_from=day("2026-01-01")).name).name
    assert told(first) == [("OBSERVATIONS", "vacancies 2025", ""), ("OBSERVATIONS", "vacancies 2026", "")]
    assert {each.resource for each in first.market_changes} == {source}
    rest = lmi.wait_for(lambda: len((found := new(lmi, first.next_token)).market_changes) == 3 and found)
    assert told(rest) == [
        ("ASSESSMENT_VERIFIED", "2512", "BE21"),
        ("ASSESSMENT_ATTESTED", "2512", "BE21"),
        ("SHORTAGE_LIST_PUBLISHED", "", ""),
    ]
    assert [each.resource for each in rest.market_changes] == [name, name, version]
    assert told(new(lmi, rest.next_token)) == []
    assert new(lmi, rest.next_token).next_token == rest.next_token
    page = new(lmi, "", 2)
    assert (len(page.market_changes), page.more) == (2, True)
    assert [*page.market_changes, *new(lmi, page.next_token).market_changes] == list(new(lmi).market_changes)
    stub = lmi.stub(market_change_pb2_grpc.MarketChangeServiceStub, OFFICER)
    assert reason_of(stub.ListMarketChanges, pb.ListMarketChangesRequest(token="x")) == "INVALID_ARGUMENT"


def read_while_one_is_open(lmi: Catalogue) -> list[str]:
    """Reads by tokens while the earlier of two changes is not committed; returns all that was told."""
    seen: list[Any] = []
    with transaction(lmi.app) as earlier:
        market_changes.note(earlier, 2, "assessments/earlier")
        with transaction(lmi.app) as later:
            market_changes.note(later, 2, "assessments/later")
        answer = new(lmi)
        seen += answer.market_changes
    lmi.wait_for(lambda: len(new(lmi).market_changes) == 2)
    seen += new(lmi, answer.next_token).market_changes
    return [each.resource for each in seen]


def test_nothing_is_left_out_that_commits_late(lmi: Catalogue) -> None:
    assert read_while_one_is_open(lmi) == ["assessments/earlier", "assessments/later"]


def test_control_without_the_horizon_it_is_left_out(lmi: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_changes, "settled", lambda _: true())
    assert read_while_one_is_open(lmi) == ["assessments/later"]
