"""PlanService."""

from __future__ import annotations

from waymark.portfolio.v1 import plan_pb2 as pb
from waymark.portfolio.v1 import plan_pb2_grpc

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_one, check_own
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import deadlines, names
from services.portfolio.domain.dates import refuse
from services.portfolio.shelves import Shelf
from services.portfolio.store.planning import GOALS, PLANS

OPEN = pb.Task.STATE_OPEN


class PlanApi(plan_pb2_grpc.PlanServiceServicer):
    """Plans of a person, in their order."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app
        self._shelf = Shelf(app, PLANS, "plan", _prepare, deadlines.of_plan)

    @portfolio_call
    def CreatePlan(self, tx: Transaction, request: pb.CreatePlanRequest) -> pb.Plan:
        return self._shelf.create(tx, request)

    @portfolio_call
    def GetPlan(self, tx: Transaction, request: pb.GetPlanRequest) -> pb.Plan:
        return self._shelf.get(tx, request)

    @portfolio_call
    def ListPlans(self, tx: Transaction, request: pb.ListPlansRequest) -> pb.ListPlansResponse:
        page = self._shelf.page(tx, request)
        return pb.ListPlansResponse(plans=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def UpdatePlan(self, tx: Transaction, request: pb.UpdatePlanRequest) -> pb.Plan:
        return self._shelf.update(tx, request)

    @portfolio_call
    def DeletePlan(self, tx: Transaction, request: pb.DeletePlanRequest) -> pb.Plan:
        return self._shelf.delete(tx, request)

    @portfolio_call
    def UndeletePlan(self, tx: Transaction, request: pb.UndeletePlanRequest) -> pb.Plan:
        return self._shelf.undelete(tx, request)

    @portfolio_call
    def UndoPlan(self, tx: Transaction, request: pb.UndoPlanRequest) -> pb.Plan:
        return self._shelf.undo(tx, request)

    @portfolio_call
    def ArrangePlans(self, tx: Transaction, request: pb.ArrangePlansRequest) -> pb.ArrangePlansResponse:
        (holder,) = names.parse(request.parent, "holders")
        check_own(tx, holder, PLANS, {"names": request.names})
        PLANS.arrange(tx, holder, [names.last(each) for each in request.names])
        return pb.ArrangePlansResponse(names=request.names)


def _prepare(tx: Transaction, holder: str, plan: pb.Plan, before: pb.Plan | None) -> None:
    """Gives new tasks an id and a state; raises Refusal(INVALID_ARGUMENT)."""
    violations = [] if plan.title else [Violation("plan.title", "must say what it is called")]
    known = {task.id for task in before.tasks} if before else set()
    for index, task in enumerate(plan.tasks):
        field = f"plan.tasks[{index}]"
        if task.id and task.id not in known:
            violations.append(Violation(f"{field}.id", "is of no task of this plan, or comes twice"))
        known.discard(task.id)
        task.id = task.id or new_id()
        task.state = task.state or OPEN
        if task.HasField("deadline"):
            violations += deadlines.check(f"{field}.deadline", task.deadline)
    refuse(violations)
    if plan.goal:
        check_one(tx, holder, GOALS, "plan.goal", plan.goal)
