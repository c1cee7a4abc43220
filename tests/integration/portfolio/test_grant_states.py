"""What was given opens what it says while it is in force, and nothing once it is over: every call, by the
contract, in every state of the grant. Restricted portfolios: test_restriction; what strangers find:
test_strangers."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text, true
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import handover_pb2 as hand
from waymark.portfolio.v1 import mandate_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio.api import calls
from services.portfolio.store import mandates
from tests.integration.portfolio.test_evidence import stored
from tests.support.grants import KEPT, KINDS, Grant, grants_of
from tests.support.owned import CALLS, Owned, calling
from tests.support.portfolio import Portfolio, outcome

State = pb.Mandate.State
# Relationships that a mandate for each purpose makes hold; `mandate.behalf` where it says so besides.
OPENED_BY = {
    pb.MANDATE_PURPOSE_GUIDANCE: {
        "mandate.guidance",
        "mandate.pathway",
        "mandate.case",
        "mandate.any",
        "mandate.behalf",
    },
    pb.MANDATE_PURPOSE_PATHWAY: {"mandate.pathway", "mandate.any"},
    pb.MANDATE_PURPOSE_CASE: {"mandate.case", "mandate.any"},
    pb.MANDATE_PURPOSE_SPECIAL_CATEGORY: {"mandate.special"},
}
IN_FORCE = "revoked_at = NULL, expires_at = now() + interval '1 day', max_uses = 0, uses = 0, used_on = NULL"
OVER = {
    State.STATE_EXPIRED: "expires_at = now()",
    State.STATE_REVOKED: "revoked_at = now()",
    State.STATE_EXHAUSTED: "max_uses = 1, uses = 1, used_on = DATE '2020-01-01'",
}


def relations_of(name: str) -> set[str]:
    allows = CALLS[name].GetOptions().Extensions[options_pb2.policy].allow
    return {allow.relationship for allow in allows} - {"", "self"}


def taken_by(names: set[str]) -> set[str]:
    """The requests that calls take."""
    return {CALLS[name].input_type.name for name in names}


def opened_by(*purposes: int) -> set[str]:
    """The calls that a mandate for one of these purposes opens, by the contract."""
    return {
        name for name in CALLS if relations_of(name) & {each for of in purposes for each in OPENED_BY[of]}
    }


class Mandated:
    """Everything of somebody, and a counsellor with a mandate for each purpose."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio, self.owned = portfolio, Owned(portfolio, stored)
        person = self.owned.person
        asked = self.owned.requests["GetQuestionnaire"].name
        more: dict[int, dict[str, Any]] = {
            pb.MANDATE_PURPOSE_GUIDANCE: {"act_on_behalf": True},
            pb.MANDATE_PURPOSE_SPECIAL_CATEGORY: {"questionnaire": asked},
        }
        self.counsellors = {
            purpose: portfolio.mandated(person, purpose, **more.get(purpose, {})) for purpose in OPENED_BY
        }

    def change(self, change: str) -> None:
        """Changes every mandate in the database."""
        with transaction(self.portfolio.app) as tx:
            changing = text(f"UPDATE mandates SET {change} WHERE holder_id = :holder")
            tx.execute(changing, {"holder": self.owned.person.subject})

    def mandates(self) -> list[pb.Mandate]:
        """All of them."""
        listing = pb.ListMandatesRequest(parent=self.owned.person.holder, page_size=100)
        return list(self.owned.person.ListMandates(listing).mandates)

    def said(self, purpose: int, names: set[str]) -> set[str]:
        """What the calls of a counsellor end in."""
        caller, requests = self.counsellors[purpose], self.owned.requests
        return {outcome(calling(caller, name), requests[name]) for name in sorted(names)}


@pytest.fixture(scope="module")
def portfolio(portfolio_with_files: Portfolio) -> Portfolio:
    return portfolio_with_files


@pytest.fixture(scope="module")
def mandated(portfolio: Portfolio) -> Mandated:
    return Mandated(portfolio)


@pytest.fixture
def let_in(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The requests that a grant opened something to, whatever became of them then."""
    passed: set[str] = set()
    log_access = calls.log_access

    def noted(tx: Any, request: Any, daily_people: int) -> str:
        grant = log_access(tx, request, daily_people)
        passed.update([request.DESCRIPTOR.name] if grant else [])
        return grant

    monkeypatch.setattr(calls, "log_access", noted)
    return passed


def test_every_relationship_of_the_contract_is_of_a_mandate_or_in_the_table(grants: dict[str, Grant]) -> None:
    known = set[str]().union(*OPENED_BY.values()) | KEPT | {kind.split()[0] for kind in KINDS} - {"link"}
    assert set[str]().union(*map(relations_of, CALLS)) == known
    assert grants.keys() == KINDS.keys()


def test_control_a_mandate_in_force_opens_what_its_purpose_says(mandated: Mandated, let_in: set[str]) -> None:
    mandated.change(IN_FORCE)
    for purpose in OPENED_BY:
        let_in.clear()
        mandated.said(purpose, opened_by(*OPENED_BY))
        assert let_in == taken_by(opened_by(purpose)), pb.MandatePurpose.Name(purpose)


@pytest.mark.parametrize("state", OVER, ids=State.Name)
def test_a_mandate_that_is_over_opens_nothing(mandated: Mandated, let_in: set[str], state: Any) -> None:
    mandated.change(IN_FORCE)
    mandated.change(OVER[state])
    assert {each.state for each in mandated.mandates()} == {state}
    for purpose in OPENED_BY:
        assert mandated.said(purpose, opened_by(purpose)) == {"NOT_FOUND"}, pb.MandatePurpose.Name(purpose)
    assert let_in == set()


def test_control_without_its_end_a_mandate_would_open(
    mandated: Mandated, let_in: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mandated.change(IN_FORCE)
    mandated.change(OVER[State.STATE_REVOKED])
    monkeypatch.setattr(mandates, "_IN_FORCE", true())
    mandated.said(pb.MANDATE_PURPOSE_CASE, opened_by(pb.MANDATE_PURPOSE_CASE))
    assert let_in == taken_by(opened_by(pb.MANDATE_PURPOSE_CASE))


def test_a_mandate_that_was_handed_over_opens_nothing_to_who_had_it(
    mandated: Mandated, let_in: set[str]
) -> None:
    """One for special categories goes with a questionnaire of its own: test_questionnaire_parts."""
    mandated.change(IN_FORCE)
    person, heir = mandated.owned.person, mandated.portfolio.counsellor()
    former = dict(mandated.counsellors)
    del former[pb.MANDATE_PURPOSE_SPECIAL_CATEGORY]
    for counsellor in former.values():
        (held,) = (each for each in mandated.mandates() if each.counsellor == counsellor.subject)
        offer = hand.Handover(mandate=held.name, counsellor=heir.subject, organisation=held.organisation)
        made = counsellor.CreateHandover(hand.CreateHandoverRequest(parent=person.holder, handover=offer))
        person.AcceptHandover(hand.AcceptHandoverRequest(name=made.name))
    let_in.clear()
    for purpose in former:
        assert mandated.said(purpose, opened_by(purpose)) == {"NOT_FOUND"}, pb.MandatePurpose.Name(purpose)
    assert let_in == set()


@pytest.fixture(scope="module")
def grants(portfolio: Portfolio) -> dict[str, Grant]:
    return grants_of(portfolio, stored)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_over_opens_nothing_and_as_a_control_opened_before(
    portfolio: Portfolio, grants: dict[str, Grant], let_in: set[str], kind: str
) -> None:
    grant = grants[kind]
    names = sorted(grant.requests, key=lambda name: (name.startswith(("Give", "Return", "End")), name))

    def change(change: str) -> None:
        with transaction(portfolio.app) as tx:
            changing = f"UPDATE {grant.table} SET {change} WHERE holder_id = :holder AND id = :row"
            assert tx.execute(text(changing), grant.row).rowcount == 1

    def outcomes() -> dict[str, str]:
        return {name: outcome(calling(grant.caller, name), grant.requests[name]) for name in names}

    for state, over in grant.over.items():
        change(over)
        refusal = "SHARE_LINK_LOCKED" if state == "LOCKED" else grant.refusal
        assert outcomes() == dict.fromkeys(names, refusal), state
        assert let_in == set(), state
        change(grant.in_force)
    said = outcomes()
    opened = {name for name in names if said[name] == "OK" or taken_by({name}) <= let_in}
    assert opened == set(names), said
