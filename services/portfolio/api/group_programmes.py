"""GroupProgrammeService."""

from __future__ import annotations

from waymark.portfolio.v1 import group_programme_pb2 as pb
from waymark.portfolio.v1 import group_programme_pb2_grpc
from waymark.portfolio.v1.events_pb2 import GroupMembershipMoved

from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import without_outputs
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import groups, names
from services.portfolio.domain.dates import check_period, refuse
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import group_memberships, group_programmes


class GroupProgrammeApi(group_programme_pb2_grpc.GroupProgrammeServiceServicer):
    """Programmes for groups."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mutation
    def CreateGroupProgramme(
        self, tx: Transaction, request: pb.CreateGroupProgrammeRequest
    ) -> pb.GroupProgramme:
        programme = without_outputs(request.group_programme)
        programme.organisation = tx.principal.organisation
        if not programme.organisation:
            where = "group_programme.organisation"
            refuse([Violation(where, "needs a token that acts for an organisation")])
        start, end = (
            (f"group_programme.{field}", getattr(programme, field)) for field in ("start_date", "end_date")
        )
        check_period(start, end, partial=False)
        groups.check_plan(programme)
        programme.leader = programme.leader or tx.principal.subject
        return group_programmes.create(tx, programme)

    @query
    def GetGroupProgramme(self, tx: Transaction, request: pb.GetGroupProgrammeRequest) -> pb.GroupProgramme:
        return group_programmes.get(tx, *names.parse(request.name, "groupProgrammes"))

    @query
    def ListGroupProgrammes(
        self, tx: Transaction, request: pb.ListGroupProgrammesRequest
    ) -> pb.ListGroupProgrammesResponse:
        page = group_programmes.listed(tx, self.app.signer, request)
        return pb.ListGroupProgrammesResponse(
            group_programmes=page.messages, next_page_token=page.next_page_token
        )

    @mutation
    def CompleteGroupProgramme(
        self, tx: Transaction, request: pb.CompleteGroupProgrammeRequest
    ) -> pb.GroupProgramme:
        (programme_id,) = names.parse(request.name, "groupProgrammes")
        programme = group_programmes.get(tx, programme_id, lock=True)
        if programme.state != pb.GroupProgramme.STATE_OPEN:
            raise wrong_state("COMPLETED", "OPEN")
        members = group_memberships.lock_all(tx, self.app.keys, programme_id)
        states = {member.name: groups.outcome(member, programme) for member in members}
        group_memberships.move(tx, states)
        for name, state in states.items():
            tx.publish(GroupMembershipMoved(group_membership=name, to_state=groups.label(state)))
        drawn = groups.employability_map(programme, members)
        group_programmes.complete(tx, programme_id, len(members), drawn)
        return group_programmes.get(tx, programme_id)

    @query
    def GetEmployabilityMap(
        self, tx: Transaction, request: pb.GetEmployabilityMapRequest
    ) -> pb.EmployabilityMap:
        return group_programmes.map_of(tx, *names.parse(request.name, "groupProgrammes"))
