"""Grants and credentials through any order of what can happen to them, each against a model of its own; and
controls that go red when a rule is off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import grpc
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from waymark.portfolio.v1 import credential_pb2, entry_pb2, mandate_pb2
from waymark.portfolio.v1 import issued_credential_pb2 as issued
from waymark.portfolio.v1 import share_link_pb2 as links

from services.platform.db.transaction import transaction
from services.portfolio.domain import sharing
from services.portfolio.domain.secrets import PIN_TRIES
from services.portfolio.store import issued_credentials, mandates
from tests.integration.portfolio.test_credentials import body_of, file_of, findings, issuing_to, verify
from tests.integration.portfolio.test_share_links import link_of, opening
from tests.support.portfolio import Portfolio, entry, mandate, reason_of, share

Link, Issued = links.ShareLink, issued.IssuedCredential
PIN, USES = "2468", 2
LIVES = settings(
    max_examples=10, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)


class Links(RuleBasedStateMachine):
    """A link opens while it is in force and by its PIN alone, and says itself what became of it."""

    portfolio: ClassVar[Portfolio]

    def __init__(self) -> None:
        super().__init__()
        self.person = self.portfolio.person()
        entry(self.person, "Welder")
        self.token = share(self.person, ["entries.title"], pin=PIN, max_uses=USES).token
        self.uses = self.wrong = 0
        self.revoked = self.over = False

    def state(self) -> Any:
        """What the words of the contract make of what happened."""
        if self.revoked:
            return Link.STATE_REVOKED
        if self.over:
            return Link.STATE_EXPIRED
        if self.uses == USES:
            return Link.STATE_EXHAUSTED
        return Link.STATE_LOCKED if self.wrong == PIN_TRIES else Link.STATE_ACTIVE

    @rule()
    def open(self) -> None:
        if self.state() != Link.STATE_ACTIVE:
            self.refused(PIN)
            return
        shown = self.portfolio.anybody().OpenShareLink(opening(self.token, PIN))
        assert [each.title for each in shown.portfolio.entries] == ["Welder"]
        self.uses, self.wrong = self.uses + 1, 0

    @rule(times=st.sampled_from([1, PIN_TRIES]))
    def guess(self, times: int) -> None:
        for _ in range(times):
            self.refused("1357")

    def refused(self, pin: str) -> None:
        words = {Link.STATE_ACTIVE: "PIN_WRONG", Link.STATE_LOCKED: "LOCKED"}
        said = reason_of(self.portfolio.anybody().OpenShareLink, opening(self.token, pin))
        assert said == f"SHARE_LINK_{words.get(self.state(), 'ENDED')}"
        self.wrong += self.state() == Link.STATE_ACTIVE

    @rule()
    def revoke(self) -> None:
        self.person.RevokeShareLink(links.RevokeShareLinkRequest(name=link_of(self.person).name))
        self.revoked = True

    @precondition(lambda self: self.uses)
    @rule()
    def time_passes(self) -> None:
        with transaction(self.portfolio.app) as tx:
            ended = text("UPDATE share_links SET expires_at = now() WHERE holder_id = :holder")
            tx.execute(ended, {"holder": self.person.subject})
        self.over = True

    @invariant()
    def says_what_became_of_it(self) -> None:
        shown = link_of(self.person)
        assert (shown.state, shown.uses) == (self.state(), self.uses)


class Mandates(RuleBasedStateMachine):
    """A counsellor reads as long as one mandate is in force, whatever became of others."""

    portfolio: ClassVar[Portfolio]

    def __init__(self) -> None:
        super().__init__()
        self.person, self.counsellor = self.portfolio.person(), self.portfolio.counsellor()
        self.in_force: list[str] = []

    @rule()
    def give(self) -> None:
        purpose = mandate_pb2.MANDATE_PURPOSE_GUIDANCE
        request = mandate(self.person, self.counsellor, self.portfolio.organisation, purpose)
        self.in_force.append(self.person.CreateMandate(request).name)

    @precondition(lambda self: self.in_force)
    @rule(newest=st.booleans())
    def revoke(self, newest: bool) -> None:
        name = self.in_force.pop(-1 if newest else 0)
        self.person.RevokeMandate(mandate_pb2.RevokeMandateRequest(name=name))

    @precondition(lambda self: self.in_force)
    @rule()
    def time_passes(self) -> None:
        with transaction(self.portfolio.app) as tx:
            ended = text("UPDATE mandates SET expires_at = now() WHERE id = :id")
            tx.execute(ended, {"id": self.in_force.pop(0).rpartition("/")[2]})

    @invariant()
    def reads_as_long_as_one_is_in_force(self) -> None:
        request = entry_pb2.ListEntriesRequest(parent=self.person.holder)
        if self.in_force:
            self.counsellor.ListEntries(request)
        else:
            assert reason_of(self.counsellor.ListEntries, request) == "NOT_FOUND"


class Credentials(RuleBasedStateMachine):
    """What was issued is in force, suspended or revoked for good, for whoever looks at it in whatever way."""

    portfolio: ClassVar[Portfolio]
    of: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.person, (self.staff, issuer) = self.portfolio.person(), self.of
        made = self.staff.IssueCredential(issuing_to(self.person, issuer.name))
        self.name, self.at = made.name, Issued.STATE_ACTIVE
        self.content = file_of(self.person, made.credential)

    @rule(verb=st.sampled_from(["Suspend", "Reinstate", "Revoke"]))
    def try_to(self, verb: str) -> None:
        request = getattr(issued, f"{verb}IssuedCredentialRequest")(name=self.name)
        active, suspended, revoked = Issued.STATE_ACTIVE, Issued.STATE_SUSPENDED, Issued.STATE_REVOKED
        target = {"Suspend": suspended, "Reinstate": active, "Revoke": revoked}[verb]
        call = getattr(self.staff, f"{verb}IssuedCredential")
        if self.at == revoked != target:
            assert reason_of(call, request) == "WRONG_STATE"
        else:
            assert call(request).state == target
            self.at = target

    @invariant()
    def everybody_sees_the_same(self) -> None:
        request = issued.GetVerificationPageRequest(name=self.name)
        page = self.portfolio.anybody().GetVerificationPage(request)
        assert (page.state, page.valid) == (self.at, self.at == Issued.STATE_ACTIVE)
        told = {credential_pb2.CHECK_FINDING_REVOKED, credential_pb2.CHECK_FINDING_SUSPENDED}
        expected = {
            Issued.STATE_REVOKED: {credential_pb2.CHECK_FINDING_REVOKED},
            Issued.STATE_SUSPENDED: {credential_pb2.CHECK_FINDING_SUSPENDED},
        }.get(self.at, set())
        assert findings(verify(self.portfolio, self.content)) & told == expected


MACHINES = (Links, Mandates, Credentials)


def live(portfolio: Portfolio, machine: Any, lives: settings = LIVES) -> None:
    """Goes through many lives; raises what does not hold."""
    machine.portfolio = portfolio
    if machine is Credentials:
        machine.of = body_of(portfolio)
    run_state_machine_as_test(machine, settings=lives)


@pytest.mark.parametrize("machine", MACHINES)
def test_any_life(portfolio: Portfolio, machine: Any) -> None:
    live(portfolio, machine)


def locks_late(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sharing, "PIN_TRIES", PIN_TRIES + 1)


def never_ends(patch: pytest.MonkeyPatch) -> None:
    state_of = sharing.state_of
    patch.setattr(sharing, "state_of", lambda **seen: state_of(**seen | {"revoked_at": None}))


def comes_back(patch: pytest.MonkeyPatch) -> None:
    move = issued_credentials.move
    every = [state for state in Issued.State.values() if state]
    patch.setattr(
        issued_credentials, "move", lambda tx, issuer, row, target, _: move(tx, issuer, row, target, every)
    )


def lasts(patch: pytest.MonkeyPatch) -> None:
    once: set[tuple[str, str]] = set()
    in_force = mandates.in_force

    def remembered(connection: Any, principal: Any, holder: str, *asked: Any, **more: Any) -> Any:
        found = in_force(connection, principal, holder, *asked, **more)
        if found:
            once.add((principal.subject, holder))
        return found or (mandates.Held("once", used=True) if (principal.subject, holder) in once else None)

    patch.setattr(mandates, "in_force", remembered)


# It need not be made short, and must be met each time.
FIRST_FAILURE = settings(LIVES, phases=[Phase.generate], derandomize=True, max_examples=50)
CONTROLS = [(Mandates, lasts), (Links, locks_late), (Links, never_ends), (Credentials, comes_back)]


@pytest.mark.parametrize(("machine", "careless"), CONTROLS)
def test_control_without_a_rule_a_life_goes_wrong(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, machine: Any, careless: Callable[[Any], None]
) -> None:
    careless(monkeypatch)
    with pytest.raises((AssertionError, grpc.RpcError, pytest.fail.Exception, ExceptionGroup)):
        live(portfolio, machine, FIRST_FAILURE)
