"""MentorService."""

from __future__ import annotations

from waymark.portfolio.v1 import mentor_pb2 as pb
from waymark.portfolio.v1 import mentor_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import refuse
from services.portfolio.store import mentors


class MentorApi(mentor_pb2_grpc.MentorServiceServicer):
    """Mentors that organisations offer."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mutation
    def CreateMentor(self, tx: Transaction, request: pb.CreateMentorRequest) -> pb.Mentor:
        mentor = without_outputs(request.mentor)
        mentor.organisation = tx.principal.organisation
        if not mentor.organisation:
            refuse([Violation("mentor.organisation", "needs a token that acts for an organisation")])
        _check(mentor)
        return mentors.create(tx, mentor)

    @query
    def GetMentor(self, tx: Transaction, request: pb.GetMentorRequest) -> pb.Mentor:
        return mentors.get(tx, *names.parse(request.name, "mentors"))

    @query
    def ListMentors(self, tx: Transaction, request: pb.ListMentorsRequest) -> pb.ListMentorsResponse:
        page = mentors.listed(tx, self.app.signer, tx.principal.organisation, request)
        return pb.ListMentorsResponse(mentors=page.messages, next_page_token=page.next_page_token)

    @mutation
    def UpdateMentor(self, tx: Transaction, request: pb.UpdateMentorRequest) -> pb.Mentor:
        (mentor_id,) = names.parse(request.mentor.name, "mentors")
        current = mentors.get(tx, mentor_id, etag=request.mentor.etag, lock=True)
        mentor = merged(current, request.mentor, request.update_mask, "mentor")
        _check(mentor)
        return mentors.replace(tx, mentor_id, mentor)

    @mutation
    def RetireMentor(self, tx: Transaction, request: pb.RetireMentorRequest) -> pb.Mentor:
        (mentor_id,) = names.parse(request.name, "mentors")
        mentors.get(tx, mentor_id, lock=True)
        return mentors.retire(tx, mentor_id)


def _check(mentor: pb.Mentor) -> None:
    """Here and not in the contract, because an update says only what it changes."""
    violations = [
        Violation(f"mentor.{field}", "must be given")
        for field in ("subject", "languages", "capacity")
        if not getattr(mentor, field)
    ]
    if not mentor.occupation_uris and not mentor.isco_codes:
        violations.append(Violation("mentor.occupation_uris", "or isco_codes must name an occupation"))
    refuse(violations)
