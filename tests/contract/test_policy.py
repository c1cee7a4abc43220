"""The policy of each RPC against the running service: every role, and every relation to the resource.

What the contract says is what is expected; nothing is listed here. `docs/policy.md` shows people the table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.platform.edge.contract import Rpc
from services.platform.identity.principals import ROLE_NAMES
from services.platform.rpc import pipeline
from services.platform.rpc.call import Call
from services.platform.service import SERVICES, load_service
from tests.contract.running import ANONYMOUS, OTHER, OWN, PASSED, REAL, Run, method_of, of_each
from tests.support.contract import CONTRACT
from tests.support.requests import smallest, violations

REFUSALS = {"UNAUTHENTICATED", "PERMISSION_DENIED"}


def relations_of(rpc: Rpc, role: str) -> set[str]:
    """Relationships of which one must hold for the role; empty when none would help or none is needed."""
    assert rpc.policy is not None
    return {allow.relationship for allow in rpc.policy.allow if ROLE_NAMES[allow.role] == role} - {""}


def expected(rpc: Rpc, role: str) -> str:
    """What the policy says about a caller who stands in no relationship to the resource."""
    assert rpc.policy is not None
    if rpc.policy.public or any(
        ROLE_NAMES[allow.role] == role and not allow.relationship for allow in rpc.policy.allow
    ):
        return PASSED
    if role == ANONYMOUS:
        return "UNAUTHENTICATED"
    return "NOT_FOUND" if relations_of(rpc, role) else "PERMISSION_DENIED"


ROLES = (ANONYMOUS, *ROLE_NAMES.values())


def related(rpc: Rpc, *, only: bool = False) -> list[str]:
    """Roles that a relationship may help; `only`: those that nothing else helps."""
    roles = [role for role in ROLES if relations_of(rpc, role)]
    return [role for role in roles if expected(rpc, role) != PASSED] if only else roles


def test_the_smallest_request_keeps_the_rules() -> None:
    for name in SERVICES:
        load_service(name)
    broken = {rpc.path: violations(smallest(method_of(rpc))) for rpc in CONTRACT.rpcs}
    assert {path: said for path, said in broken.items() if said} == {}


@of_each(CONTRACT.rpcs)
def test_a_stranger_gets_what_the_role_alone_allows(run: Run, rpcs: list[Rpc]) -> None:
    for rpc in rpcs:
        said = {role: run(rpc.service).reason(rpc, role, OTHER) for role in ROLES}
        due = {role: expected(rpc, role) for role in ROLES}
        passing = {role for role in ROLES if due[role] == PASSED}
        wrong = {role: said[role] for role in passing if said[role] in {*REFUSALS, "INTERNAL"}}
        wrong |= {role: said[role] for role in ROLES if role not in passing and said[role] != due[role]}
        assert wrong == {}, rpc.path


@of_each(filter(related, CONTRACT.rpcs))
def test_the_relationships_named_are_asked_and_suffice(run: Run, rpcs: list[Rpc]) -> None:
    for rpc in rpcs:
        running = run(rpc.service)
        for role in related(rpc):
            said = running.reason(rpc, role, OWN)
            if expected(rpc, role) != PASSED:
                assert running.relations.asked, (rpc.path, role)
                assert running.relations.asked <= relations_of(rpc, role), (rpc.path, role)
            assert said not in {*REFUSALS, "INTERNAL"}, (rpc.path, role)


@of_each(rpc for rpc in CONTRACT.rpcs if related(rpc, only=True))
def test_the_real_resolvers_know_nobody_of_an_empty_database(run: Run, rpcs: list[Rpc]) -> None:
    for rpc in rpcs:
        roles = related(rpc, only=True)
        said = {role: run(rpc.service).reason(rpc, role, REAL) for role in roles}
        assert said == dict.fromkeys(roles, "NOT_FOUND"), rpc.path


def test_every_relationship_of_the_contract_is_registered_and_every_registered_one_is_used() -> None:
    for name in SERVICES:
        policies = [rpc.policy for rpc in CONTRACT.rpcs if rpc.service == name and rpc.policy is not None]
        used = {allow.relationship for policy in policies for allow in policy.allow} - {""}
        assert used == set(load_service(name).relationships)


class TestControls:
    """With a guard off, the tests above see it."""

    GUARDED = next(rpc for rpc in CONTRACT.rpcs if rpc.path.endswith("HolderService/GetHolder"))

    def test_without_the_policy_a_wrong_role_passes(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pipeline, "policy", lambda call: None)
        said = run.begin("portfolio").reason(self.GUARDED, "finance", OTHER)
        assert said not in {"PERMISSION_DENIED", "UNAUTHENTICATED"}

    def test_without_relationships_a_stranger_reaches_the_handler(
        self, run: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Call, "resolve", lambda self, request, connection: None)
        running = run.begin("portfolio")
        running.reason(self.GUARDED, "learner", OTHER)
        assert running.relations.asked == set()


def test_the_committed_table_is_this_policy() -> None:
    from services.platform.edge.documents import policy

    root = Path(__file__).resolve().parents[2]
    assert (root / "docs" / "policy.md").read_text() == policy(CONTRACT)
