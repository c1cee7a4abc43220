"""GoalService."""

from __future__ import annotations

from waymark.portfolio.v1 import goal_pb2 as pb
from waymark.portfolio.v1 import goal_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_own
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import deadlines, names
from services.portfolio.domain.dates import refuse
from services.portfolio.shelves import Shelf
from services.portfolio.store.planning import GOALS

OPEN = pb.Goal.STATE_OPEN


class GoalApi(goal_pb2_grpc.GoalServiceServicer):
    """Goals of a person, in their order."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app
        self._shelf = Shelf(app, GOALS, "goal", _prepare, deadlines.of_goal)

    @portfolio_call
    def CreateGoal(self, tx: Transaction, request: pb.CreateGoalRequest) -> pb.Goal:
        return self._shelf.create(tx, request)

    @portfolio_call
    def GetGoal(self, tx: Transaction, request: pb.GetGoalRequest) -> pb.Goal:
        return self._shelf.get(tx, request)

    @portfolio_call
    def ListGoals(self, tx: Transaction, request: pb.ListGoalsRequest) -> pb.ListGoalsResponse:
        page = self._shelf.page(tx, request)
        return pb.ListGoalsResponse(goals=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def UpdateGoal(self, tx: Transaction, request: pb.UpdateGoalRequest) -> pb.Goal:
        return self._shelf.update(tx, request)

    @portfolio_call
    def DeleteGoal(self, tx: Transaction, request: pb.DeleteGoalRequest) -> pb.Goal:
        return self._shelf.delete(tx, request)

    @portfolio_call
    def UndeleteGoal(self, tx: Transaction, request: pb.UndeleteGoalRequest) -> pb.Goal:
        return self._shelf.undelete(tx, request)

    @portfolio_call
    def UndoGoal(self, tx: Transaction, request: pb.UndoGoalRequest) -> pb.Goal:
        return self._shelf.undo(tx, request)

    @portfolio_call
    def ArrangeGoals(self, tx: Transaction, request: pb.ArrangeGoalsRequest) -> pb.ArrangeGoalsResponse:
        (holder,) = names.parse(request.parent, "holders")
        check_own(tx, holder, GOALS, {"names": request.names})
        GOALS.arrange(tx, holder, [names.last(each) for each in request.names])
        return pb.ArrangeGoalsResponse(names=request.names)


def _prepare(_tx: Transaction, _holder: str, goal: pb.Goal, _before: pb.Goal | None) -> None:
    """Opens a goal that has no state; raises Refusal(INVALID_ARGUMENT)."""
    goal.state = goal.state or OPEN
    violations = [] if goal.title else [Violation("goal.title", "must say what it is called")]
    if goal.HasField("deadline"):
        violations += deadlines.check("goal.deadline", goal.deadline)
    refuse(violations)
