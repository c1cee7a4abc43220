"""What a holder asks of the office by right, and what the office does about a portfolio, on a running stack,
to be asked for."""

from __future__ import annotations

from tests.support.traffic import Callers, Person


def fill(callers: Callers, learner: Person, holder: str) -> None:
    """Asks for something, holds the portfolio for a moment by law, in which it is changed, and looks at it
    without leave."""
    learner.surely("CreateRightsRequest", parent=holder, rights_request={"kind": "KIND_ACCESS", "text": "x"})
    desk = callers.person("caseworker")
    hold = desk.surely("CreateLegalHold", parent=holder, legal_hold={"legal_basis": "x"}).name
    plan = learner.surely("CreatePlan", parent=holder, plan={"title": "x"})
    learner.surely("UpdatePlan", plan={"name": plan.name, "title": "y", "etag": plan.etag})
    desk.surely("LiftLegalHold", name=hold, reason="x")
    look = {"ground": "GROUND_DANGER", "reason": "found unconscious"}
    desk.surely("CreateBreakGlassAccess", parent=holder, break_glass_access=look)
