"""While the law asks for a portfolio to be kept, nothing in it is destroyed for good; and each time a control
that shows it going without the guard."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from sqlalchemy import false, select
from waymark.portfolio.v1 import entry_pb2, goal_pb2, skill_claim_pb2
from waymark.portfolio.v1 import evidence_pb2 as files
from waymark.portfolio.v1 import legal_hold_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.objects.clamd import Clamd
from services.portfolio import jobs, scanning
from services.portfolio.api import evidence as evidence_api
from services.portfolio.api import legal_holds as api
from services.portfolio.domain import quotas
from services.portfolio.store import evidence as evidence_store
from services.portfolio.store import keeping, trash
from services.portfolio.store.columns import metadata
from tests.integration.portfolio.test_entry_revisions import retitle, titles
from tests.integration.portfolio.test_evidence import stored
from tests.integration.portfolio.test_evidence_deletion import JPEG, keys
from tests.integration.portfolio.test_rights import held
from tests.integration.portfolio.test_scans import INFECTED, download, gone, read
from tests.support.clamd import scanner
from tests.support.databases import WAITING, sessions
from tests.support.owned import METHODS, Owned
from tests.support.portfolio import Caller, Portfolio, entry, reason_of, skill
from tests.support.waiting import eventually

# What is about the clock, looks, or other services' facts, and says nothing that anybody wrote.
NO_CONTENT = {"people_seen", "reminders", "step_redemptions"}
DELETES = sorted(
    name
    for name, method in METHODS.items()
    if name.startswith("Delete")
    and method.output_type.name == "Empty"
    and name not in ("DeleteEvidence", "DeleteEntry")  # the latter goes into the trash
)


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the guard away: no hold is found in force."""
    return lambda: monkeypatch.setattr(keeping, "is_held", lambda _: false())


def lifted(portfolio: Portfolio, hold: pb.LegalHold) -> None:
    request = pb.LiftLegalHoldRequest(name=hold.name, reason="the claim was settled")
    portfolio.staff("supervisor").LiftLegalHold(request)


def rows_of(portfolio: Portfolio, person: Caller) -> set[tuple[Any, ...]]:
    """Table and key of each row of a person."""
    with transaction(portfolio.app, read_only=True) as tx:
        return {
            (table.name, *row)
            for table in metadata.sorted_tables
            if "holder_id" in table.c and table.name not in NO_CONTENT
            for row in tx.execute(
                select(*table.primary_key.columns).where(table.c.holder_id == person.subject)
            )
        }


def lost(portfolio: Portfolio) -> set[str]:
    """Tables of which rows go when the owner of something of each kind makes every call there is."""
    owned = Owned(portfolio)  # with a legal hold
    before = rows_of(portfolio, owned.person)
    everything_called(owned)
    return {table for table, *_ in before - rows_of(portfolio, owned.person)}


def everything_called(owned: Owned) -> None:
    """Has the owner make every call there is, deletions last."""
    for name in sorted(METHODS, key=lambda name: (name.startswith("Delete"), name)):
        with contextlib.suppress(grpc.RpcError):
            getattr(owned.person, name)(owned.requests[name])


def test_whatever_the_holder_calls_no_row_goes(portfolio: Portfolio, unguarded: Callable[[], None]) -> None:
    assert lost(portfolio) == set()
    unguarded()
    assert lost(portfolio) >= {
        "credentials",
        "cvs",
        "page_collections",
        "pages",
        "questionnaire_parts",
        "questionnaires",
        "skill_claims",
    }


@pytest.mark.parametrize("name", DELETES)
def test_each_deletion_is_refused_until_the_hold_is_lifted(portfolio: Portfolio, name: str) -> None:
    owned = Owned(portfolio)
    delete, request = getattr(owned.person, name), owned.requests[name]
    assert reason_of(delete, request) == "ERASURE_HELD"
    (hold,) = owned.person.ListLegalHolds(owned.requests["ListLegalHolds"]).legal_holds
    lifted(portfolio, hold)
    delete(request)


def test_a_file_stays_with_its_bytes_and_what_names_it(
    portfolio_with_files: Portfolio, unguarded: Callable[[], None]
) -> None:
    person = portfolio_with_files.person()
    file = stored(person)
    job = entry(person, evidence=[file.name])
    picture = files.SetEvidencePosterRequest(name=file.name, image=JPEG)
    held(portfolio_with_files, person)
    person.SetEvidencePoster(picture)  # destroys nothing: there was none
    for image in (b"", JPEG + b"another"):
        other = files.SetEvidencePosterRequest(name=file.name, image=image)
        assert reason_of(person.SetEvidencePoster, other) == "ERASURE_HELD"
    deleting = files.DeleteEvidenceRequest(name=file.name)
    assert reason_of(person.DeleteEvidence, deleting) == "ERASURE_HELD"
    assert keys(portfolio_with_files, file.name)
    assert person.GetEvidencePoster(files.GetEvidencePosterRequest(name=file.name)).data == JPEG
    assert person.GetEntry(entry_pb2.GetEntryRequest(name=job.name)) == job
    unguarded()
    person.SetEvidencePoster(files.SetEvidencePosterRequest(name=file.name))
    person.DeleteEvidence(deleting)
    assert not keys(portfolio_with_files, file.name)


def test_the_trash_takes_and_gives_back_but_is_not_emptied(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, other = lonely_portfolio.person(), lonely_portfolio.person()
    hold = held(lonely_portfolio, person)

    def trashed(of: Caller) -> str:
        wanted = goal_pb2.CreateGoalRequest(parent=of.holder, goal=goal_pb2.Goal(title="Weld"))
        name: str = of.CreateGoal(wanted).name
        of.DeleteGoal(goal_pb2.DeleteGoalRequest(name=name))
        return name

    kept, purged = trashed(person), trashed(other)
    monkeypatch.setattr(trash, "IN_TRASH", timedelta(seconds=-1))
    jobs.empty_trash(lonely_portfolio.app)
    assert reason_of(other.GetGoal, goal_pb2.GetGoalRequest(name=purged)) == "NOT_FOUND"
    assert person.UndeleteGoal(goal_pb2.UndeleteGoalRequest(name=kept)).title == "Weld"
    person.DeleteGoal(goal_pb2.DeleteGoalRequest(name=kept))
    jobs.empty_trash(lonely_portfolio.app)
    assert person.GetGoal(goal_pb2.GetGoalRequest(name=kept)).title == "Weld"
    lifted(lonely_portfolio, hold)
    jobs.empty_trash(lonely_portfolio.app)
    assert reason_of(person.GetGoal, goal_pb2.GetGoalRequest(name=kept)) == "NOT_FOUND"


def test_no_version_of_an_entry_is_forgotten(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "REVISIONS", 2)
    person = portfolio.person()
    name = entry(person, "1").name
    hold = held(portfolio, person)
    retitle(person, name, "2", "3", "4", "5")
    assert titles(person, name) == ["4", "3", "2", "1"]
    lifted(portfolio, hold)
    retitle(person, name, "6")
    assert titles(person, name) == ["5", "4"]


def test_malware_is_kept_from_everybody_until_the_hold_is_lifted(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "waymark-portfolio-held"  # the sweep must not meet other tests' files
    for module in (jobs, evidence_api, evidence_store):
        monkeypatch.setattr(module, "BUCKET", own)
    monkeypatch.setattr(jobs, "ORPHAN", timedelta(seconds=-60))
    app, person = portfolio_with_files.app, portfolio_with_files.person()
    hold, bad = held(portfolio_with_files, person), stored(person, INFECTED)
    free = stored(portfolio_with_files.person(), INFECTED)
    with scanner() as there:
        app.scanner = Clamd(there.address)
        scanning.scan_the_rest(app)
        app.scanner = None
    jobs.sweep_evidence(app)
    assert read(person, bad).scan_state == files.Evidence.SCAN_STATE_INFECTED
    assert download(person, bad) == "EVIDENCE_INFECTED"
    assert [gone(portfolio_with_files, each) for each in (bad, free)] == [False, True]
    lifted(portfolio_with_files, hold)
    jobs.sweep_evidence(app)
    assert gone(portfolio_with_files, bad)


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_a_hold_that_is_being_set_counts(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """A deletion that comes while a hold is written waits for it, and is refused."""
    person, add = lonely_portfolio.person(), api.LEGAL_HOLDS.add
    name, outcome = skill(person).name, list[str]()
    if not locked:
        monkeypatch.setattr(keeping, "settle", lambda *_: None)

    def delete() -> None:
        with contextlib.suppress(grpc.RpcError):
            person.DeleteSkillClaim(skill_claim_pb2.DeleteSkillClaimRequest(name=name))
            outcome.append("gone")
            return
        outcome.append("refused")

    def added_while_somebody_deletes(*given: Any, **columns: Any) -> Any:
        made = add(*given, **columns)
        threading.Thread(target=delete).start()
        eventually(lambda: outcome or sessions(lonely_portfolio.app.engine, WAITING))
        return made

    monkeypatch.setattr(api.LEGAL_HOLDS, "add", added_while_somebody_deletes)
    held(lonely_portfolio, person)
    eventually(lambda: outcome)
    assert outcome == ["refused" if locked else "gone"]


def test_a_deletion_under_way_goes_before_a_hold(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold waits for a deletion that found none, so that it never stands beside what then goes."""
    person, order = lonely_portfolio.person(), list[str]()
    name, require_none = skill(person).name, keeping.require_none

    def hold() -> None:
        held(lonely_portfolio, person)
        order.append("held")

    def checked_while_somebody_holds(tx: Any, holder: str) -> None:
        require_none(tx, holder)
        threading.Thread(target=hold).start()
        eventually(lambda: order or sessions(lonely_portfolio.app.engine, WAITING))
        order.append("deleted")

    monkeypatch.setattr(keeping, "require_none", checked_while_somebody_holds)
    person.DeleteSkillClaim(skill_claim_pb2.DeleteSkillClaimRequest(name=name))
    eventually(lambda: "held" in order)
    assert order == ["deleted", "held"]
    reading = skill_claim_pb2.GetSkillClaimRequest(name=name)
    assert reason_of(person.GetSkillClaim, reading) == "NOT_FOUND"
