"""AssessmentService."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from waymark.catalogue.v1 import assessment_pb2 as pb
from waymark.catalogue.v1 import assessment_pb2_grpc
from waymark.catalogue.v1.market_change_pb2 import MarketChange

from services.catalogue.api.messages import last
from services.catalogue.api.occupation_names import occupation_of
from services.catalogue.app import CatalogueApp
from services.catalogue.domain import assessment as rules
from services.catalogue.store import assessments, market_changes, organisations
from services.catalogue.store.assessment_tables import assessments as table
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query


class AssessmentApi(assessment_pb2_grpc.AssessmentServiceServicer):
    """Officers' assessments."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @mutation
    def CreateAssessment(self, tx: Transaction, request: pb.CreateAssessmentRequest) -> pb.Assessment:
        given = request.assessment
        self._check_region(given.nuts_code, "assessment.nuts_code")
        occupation = occupation_of(tx, given.occupation)
        values = {
            "occupation": given.occupation,
            "isco_code": occupation.isco_code,
            "nuts_code": given.nuts_code,
            "severity": given.severity,
            "cause": given.cause,
            "evidence": given.evidence,
        }
        return assessment_message(assessments.add(tx, values))

    @mutation
    def VerifyAssessment(self, tx: Transaction, request: pb.VerifyAssessmentRequest) -> pb.Assessment:
        row = assessments.read(tx, last(request.name), lock=True)
        rules.check_verification(row.state, row.entered_by, tx.principal.subject)
        row = assessments.decide(tx, row, reject=request.reject)
        if not request.reject:
            _note(tx, MarketChange.KIND_ASSESSMENT_VERIFIED, row)
        return assessment_message(row)

    @query
    def GetAssessment(self, tx: Transaction, request: pb.GetAssessmentRequest) -> pb.Assessment:
        return _with_words(tx, [assessments.read(tx, last(request.name))])[0]

    @query
    def ListAssessments(
        self, tx: Transaction, request: pb.ListAssessmentsRequest
    ) -> pb.ListAssessmentsResponse:
        wanted: dict[str, str | int] = {
            "occupation": request.occupation,
            "nuts_code": request.nuts_code,
            "state": request.state,
        }
        found = page(
            tx,
            self.app.signer,
            assessments.listing(request.occupation, request.nuts_code, request.state),
            order_by=[table.c.id.desc()],
            request=request,
            filters=wanted,
        )
        return pb.ListAssessmentsResponse(
            assessments=_with_words(tx, found.rows), next_page_token=found.next_page_token
        )

    @query
    def RollUpAssessments(self, tx: Transaction, request: pb.RollUpAssessmentsRequest) -> pb.RollUp:
        self._check_region(request.nuts_code, "nuts_code")
        occupation_of(tx, request.occupation)
        return roll_ups(tx, request.occupation, [request.nuts_code])[0]

    def _check_region(self, nuts_code: str, field: str) -> None:
        book = self.app.shortages
        book.check_region(*book.view(), nuts_code, field)

    @mutation
    def AppointSectorCouncil(
        self, tx: Transaction, request: pb.AppointSectorCouncilRequest
    ) -> pb.SectorCouncil:
        organisation = organisations.read(tx.connection, last(request.organisation), lock=True).id
        codes = sorted(set(request.isco_codes))
        assessments.appoint(tx, organisation, codes)
        return pb.SectorCouncil(organisation=request.organisation, isco_codes=codes)

    @mutation
    def AttestAssessment(self, tx: Transaction, request: pb.AttestAssessmentRequest) -> pb.Assessment:
        row = assessments.read(tx, last(request.name), lock=True)
        rules.need_state(row.state, rules.VERIFIED)
        council = last(tx.principal.organisation)
        assessments.attest(tx, row.id, council, request.verdict, request.explanation)
        _note(tx, MarketChange.KIND_ASSESSMENT_ATTESTED, row)
        return _with_words(tx, [row])[0]


def _note(tx: Transaction, kind: int, row: Any) -> None:
    market_changes.note(tx, kind, f"assessments/{row.id}", row.occupation, row.nuts_code)


def roll_ups(tx: Transaction, occupation: str, regions: Sequence[str]) -> list[pb.RollUp]:
    """Returns what the verified assessments of an occupation (as it was assessed) come to in regions that lie
    in the first of them; in one read."""
    rows = assessments.verified(tx.connection, occupation, regions[0])
    found = [assessments.assessed(row) for row in rows]
    rolled = [(region, rules.roll_up(found, region)) for region in regions]
    counted = {each.key for _, what in rolled if what for each in what.made_of}
    shown = _with_words(tx, [row for row in rows if row.id in counted])
    by_key = {last(each.name): each for each in shown}
    return [_rolled(occupation, region, what, by_key) for region, what in rolled]


def _rolled(
    occupation: str, region: str, what: rules.Rolled | None, shown: Mapping[str, pb.Assessment]
) -> pb.RollUp:
    answer = pb.RollUp(occupation=occupation, nuts_code=region)
    if what is not None:
        answer.assessed, answer.method = True, rules.METHOD
        answer.severity = what.severity
        answer.cause = what.cause  # type: ignore[assignment]  # an enum's number
        answer.assessments.extend(shown[each.key] for each in what.made_of)
    return answer


def _with_words(tx: Transaction, rows: Iterable[Any]) -> list[pb.Assessment]:
    rows = list(rows)
    words = assessments.words(tx.connection, [row.id for row in rows])
    return [assessment_message(row, words[row.id]) for row in rows]


def assessment_message(row: Any, words: Iterable[Any] = ()) -> pb.Assessment:
    """Returns an assessment with what councils say of it; who entered and verified it stays inside."""
    answer = pb.Assessment(
        name=f"assessments/{row.id}",
        occupation=row.occupation,
        isco_code=row.isco_code,
        nuts_code=row.nuts_code,
        severity=row.severity,
        cause=row.cause,
        evidence=row.evidence,
        state=row.state,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.verify_time:
        answer.verify_time.FromDatetime(row.verify_time)
    for word in words:
        added = answer.attestations.add(
            organisation=f"organisations/{word.organisation_id}",
            verdict=word.verdict,
            explanation=word.explanation,
        )
        added.create_time.FromDatetime(word.create_time)
    return answer
