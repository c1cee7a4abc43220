"""GroupMembershipService."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import group_membership_pb2 as pb
from waymark.portfolio.v1 import group_membership_pb2_grpc
from waymark.portfolio.v1.events_pb2 import GroupMembershipMoved

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import groups, names
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import access_records, group_memberships, group_programmes
from services.portfolio.store.access_records import Look
from services.portfolio.store.group_memberships import COLLECTIONS, MEMBERSHIPS, State
from services.portfolio.store.vault import Vault, open_vault


class GroupMembershipApi(group_membership_pb2_grpc.GroupMembershipServiceServicer):
    """People in group programmes, by their consent."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateGroupMembership(
        self, tx: Transaction, request: pb.CreateGroupMembershipRequest
    ) -> pb.GroupMembership:
        (holder,) = names.parse(request.parent, "holders")
        vault, wanted = open_vault(tx, self.app.keys, holder), without_outputs(request.group_membership)
        try:
            # Locked, so that two people never take the last place.
            (programme_id,) = names.parse(wanted.group_programme, "groupProgrammes")
            programme = group_programmes.get(tx, programme_id, lock=True)
        except Refusal:
            violations = [Violation("group_membership.group_programme", "is no programme")]
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations) from None
        groups.require_under_way(programme, tx.today)
        if programme.members >= programme.size_limit:
            metadata = {"size_limit": str(programme.size_limit)}
            raise Refusal(reason_pb2.REASON_GROUP_FULL, metadata=metadata)
        return self._told(tx, group_memberships.add(tx, vault, wanted))

    @portfolio_call
    def GetGroupMembership(
        self, tx: Transaction, request: pb.GetGroupMembershipRequest
    ) -> pb.GroupMembership:
        holder, row_id = names.parse(request.name, *COLLECTIONS)
        return MEMBERSHIPS.get(tx, open_vault(tx, self.app.keys, holder), row_id)

    @portfolio_call
    def ListGroupMemberships(
        self, tx: Transaction, request: pb.ListGroupMembershipsRequest
    ) -> pb.ListGroupMembershipsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = MEMBERSHIPS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListGroupMembershipsResponse(
            group_memberships=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def RecordGroupProgress(
        self, tx: Transaction, request: pb.RecordGroupProgressRequest
    ) -> pb.GroupMembership:
        vault, membership = self._active(tx, request.name)
        programme = group_programmes.get(tx, names.last(membership.group_programme))
        for task in request.tasks:
            task.update_time.FromDatetime(tx.now)
        said = groups.recorded(membership, programme, request.tasks, request.ratings)
        return MEMBERSHIPS.replace(tx, vault, names.last(request.name), said)

    @portfolio_call
    def LeaveGroupProgramme(
        self, tx: Transaction, request: pb.LeaveGroupProgrammeRequest
    ) -> pb.GroupMembership:
        vault, membership = self._active(tx, request.name)
        row_id = names.last(request.name)
        return self._told(tx, MEMBERSHIPS.replace(tx, vault, row_id, membership, state=State.STATE_LEFT))

    @mutation  # of several portfolios: a record for each that is shown
    def ListMemberProgress(
        self, tx: Transaction, request: pb.ListMemberProgressRequest
    ) -> pb.ListMemberProgressResponse:
        (programme_id,) = names.parse(request.parent, "groupProgrammes")
        groups.require_under_way(group_programmes.get(tx, programme_id), tx.today)
        found = group_memberships.listed(tx, self.app.signer, self.app.keys, programme_id, request)
        access_records.write_all(
            tx,
            [
                Look(names.holder_in(each.name), "ListMemberProgress", each.name, each.name)
                for each in found.members
            ],
        )
        return pb.ListMemberProgressResponse(
            member_progress=[
                pb.MemberProgress(display_name=each.display_name, tasks=each.tasks, done=groups.done(each))
                for each in found.members
            ],
            next_page_token=found.next_page_token,
        )

    def _active(self, tx: Transaction, name: str) -> tuple[Vault, pb.GroupMembership]:
        """Locks a membership; raises Refusal(NOT_FOUND), WRONG_STATE for one who is not in it any more."""
        holder, row_id = names.parse(name, *COLLECTIONS)
        vault = open_vault(tx, self.app.keys, holder)
        membership = MEMBERSHIPS.get(tx, vault, row_id, lock=True)
        if membership.state != State.STATE_ACTIVE:
            raise wrong_state(groups.label(membership.state), "ACTIVE")
        return vault, membership

    def _told(self, tx: Transaction, membership: pb.GroupMembership) -> pb.GroupMembership:
        state = groups.label(membership.state)
        tx.publish(GroupMembershipMoved(group_membership=membership.name, to_state=state))
        return membership
