"""What is changed while the law asks for a portfolio to be kept is kept first; each time with a control that
shows it lost without the guard."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc
import pytest
from sqlalchemy import ColumnElement, Table, func, select, text, update
from waymark.portfolio.v1 import entry_pb2, goal_pb2, holder_pb2, idea_exposure_pb2, journal_entry_pb2
from waymark.portfolio.v1 import kept_content_pb2 as pb
from waymark.portfolio.v1 import legal_hold_pb2 as holds
from waymark.portfolio.v1.pathway_pb2 import ListPathwaysRequest
from waymark.portfolio.v1.questionnaire_pb2 import ListQuestionnairesRequest

from services.platform.db.transaction import transaction
from services.portfolio import jobs
from services.portfolio.api import legal_holds as api
from services.portfolio.store.columns import metadata
from services.portfolio.store.kept_contents import KINDS
from services.portfolio.store.rights_tables import kept_contents
from services.portfolio.store.vault import open_at_desk
from tests.integration.portfolio.test_erasure import erase_request, upload
from tests.integration.portfolio.test_export import data, export
from tests.integration.portfolio.test_legal_holds import everything_called, lifted
from tests.integration.portfolio.test_rights import held
from tests.support.canary import live_a_life
from tests.support.databases import WAITING, sessions
from tests.support.owned import Owned, entries_of, skills_of, wallet_of
from tests.support.portfolio import PDF, Caller, Portfolio, entry
from tests.support.waiting import eventually

NEVER_CHANGED = "never changed"
NOT_KEPT: Mapping[str, str] = {
    "contact_records": NEVER_CHANGED,
    "credential_files": NEVER_CHANGED,
    "document_imports": "changed only where keeping.require_none lets it",
    "entries": "what they said before is in entry_revisions",
    "entry_revisions": NEVER_CHANGED,
    "evidence_posters": "changed only where keeping.require_none lets it",
    "guidance_notes": NEVER_CHANGED,
    "kept_contents": NEVER_CHANGED,
    "page_invitations": NEVER_CHANGED,
    "pathway_words": NEVER_CHANGED,
    "remainders": NEVER_CHANGED,
    "share_links": NEVER_CHANGED,
    "submitted_pages": NEVER_CHANGED,
    "tier_moves": NEVER_CHANGED,
    "validation_snapshots": NEVER_CHANGED,
}


@pytest.fixture(scope="module")
def person(portfolio_with_files: Portfolio) -> Caller:
    """Somebody with something of each kind, on hold."""
    who = live_a_life(portfolio_with_files)
    for some in (skills_of, wallet_of, entries_of):
        some(who)
    upload(who, PDF)
    consent = idea_exposure_pb2.ExposureConsent(gender="GENDER_WOMAN", terms="idea-exposure-1")
    who.GiveExposureConsent(
        idea_exposure_pb2.GiveExposureConsentRequest(parent=who.holder, exposure_consent=consent)
    )
    held(portfolio_with_files, who)
    return who


def said(field: str) -> Any:
    """An empty message of what a field holds."""
    return pb.KeptContent.DESCRIPTOR.fields_by_name[field].message_type._concrete_class()


def of(who: Caller, table: Table) -> ColumnElement[bool]:
    """The condition of somebody's rows."""
    return (table.c.id if table.name == "holders" else table.c.holder_id) == who.subject


def kept(person: Caller) -> list[pb.KeptContent]:
    """Everything kept of somebody, the newest first."""
    request = pb.ListKeptContentsRequest(parent=person.holder, page_size=500)
    found: list[pb.KeptContent] = list(person.ListKeptContents(request).kept_contents)
    return found


def overwrite(app: Any, person: Caller, name: str) -> list[Any]:
    """Overwrites all that somebody has in a table, and returns what it said before."""
    table, kind = metadata.tables[name], KINDS[name]
    place = table.c.holder_id if name == "guidance_cases" else table.c.id
    with transaction(app) as tx:
        vault = open_at_desk(tx, app.keys, person.subject)
        rows = tx.execute(select(place, table.c.sealed).where(of(person, table), table.c.sealed != b"")).all()
        for row_id, _ in rows:
            other = vault.seal(table, row_id, said(kind.field))
            tx.execute(update(table).where(of(person, table), place == row_id).values(sealed=other))
        return [vault.open(table, row_id, sealed, type(said(kind.field))) for row_id, sealed in rows]


@contextlib.contextmanager
def unwatched(app: Any) -> Iterator[None]:
    """Takes the guard away: no trigger fires."""
    for step in ("DISABLE", "ENABLE"):
        with transaction(app) as tx:
            for name in KINDS:
                tx.execute(text(f"ALTER TABLE {name} {step} TRIGGER content_is_kept"))
        if step == "DISABLE":
            yield


def test_each_table_is_watched_or_says_why_not(portfolio: Portfolio) -> None:
    query = text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'content_is_kept'")
    with transaction(portfolio.app, read_only=True) as tx:
        watched = set(tx.execute(query).scalars())
    sealed = {table.name for table in metadata.sorted_tables if "sealed" in table.c}
    fields = {field.name for field in pb.KeptContent.DESCRIPTOR.oneofs_by_name["content"].fields}
    assert watched == set(KINDS)
    assert sealed - set(KINDS) == set(NOT_KEPT)
    assert fields == {kind.field for kind in KINDS.values()}


def test_what_is_not_watched_never_changes(portfolio: Portfolio) -> None:
    owned, never = Owned(portfolio), sorted(name for name in NOT_KEPT if NOT_KEPT[name] == NEVER_CHANGED)
    before, holders = (sealed_rows(portfolio, owned.person, names) for names in (never, ["holders"]))
    assert {name for name, _ in before} >= {
        "contact_records",
        "entry_revisions",
        "guidance_notes",
        "share_links",
    }
    everything_called(owned)
    assert before <= sealed_rows(portfolio, owned.person, never)
    assert not holders <= sealed_rows(portfolio, owned.person, ["holders"])  # control


def sealed_rows(portfolio: Portfolio, person: Caller, names: Sequence[str]) -> set[tuple[str, bytes]]:
    """Table and content of each row of somebody."""
    with transaction(portfolio.app, read_only=True) as tx:
        return {
            (name, sealed)
            for name in names
            for sealed in tx.execute(
                select(metadata.tables[name].c.sealed).where(of(person, metadata.tables[name]))
            ).scalars()
        }


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_a_change_overwrites_is_kept_of_each_kind(
    portfolio_with_files: Portfolio, person: Caller, name: str
) -> None:
    app = portfolio_with_files.app
    before = overwrite(app, person, name)
    assert before
    newest = kept(person)[: len(before)]
    field = KINDS[name].field
    assert [each.WhichOneof("content") for each in newest] == [field] * len(before)
    assert [getattr(each, field) for each in reversed(newest)] == before
    assert all(each.resource.startswith(person.holder) for each in newest)
    assert any(before)  # not of nothing but empty messages
    with unwatched(app):
        overwrite(app, person, name)
    assert kept(person)[: len(before)] == newest  # control


def test_the_holder_reads_it_under_the_name_of_what_said_it(
    portfolio_with_files: Portfolio, person: Caller
) -> None:
    listed = person.ListQuestionnaires(ListQuestionnairesRequest(parent=person.holder)).questionnaires
    parts = {part.name for each in listed for part in each.parts}
    ways = person.ListPathways(ListPathwaysRequest(parent=person.holder)).pathways
    steps = {step.name for way in ways for step in way.steps}
    for name, expected in (("questionnaire_parts", parts), ("pathway_steps", steps)):
        count = len(overwrite(portfolio_with_files.app, person, name))
        assert {each.resource for each in kept(person)[:count]} == expected


def rewritten(person: Caller) -> None:
    """Says three things in turn in the journal, and two about oneself."""
    request = journal_entry_pb2.CreateJournalEntryRequest(
        parent=person.holder, journal_entry=journal_entry_pb2.JournalEntry(text="1")
    )
    name = person.CreateJournalEntry(request).name
    for word in "23":
        change = journal_entry_pb2.JournalEntry(name=name, text=word)
        person.UpdateJournalEntry(journal_entry_pb2.UpdateJournalEntryRequest(journal_entry=change))
    eve = holder_pb2.Holder(name=person.holder, given_name="Eve")
    person.UpdateHolder(holder_pb2.UpdateHolderRequest(holder=eve))


def test_changes_go_on_and_leave_nothing_behind_without_a_hold(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada")
    rewritten(person)
    assert kept(person) == []
    held(portfolio, person)
    rewritten(person)
    words = [(each.journal_entry.text, each.holder.given_name) for each in kept(person)]
    assert words == [("", "Eve"), ("2", ""), ("1", "")]
    (first, *_) = data(export(person), "kept-contents")
    assert first["holder"]["givenName"] == "Eve"
    assert first["resource"] == person.holder


def test_what_an_undo_would_bring_back_is_kept_as_well(portfolio: Portfolio) -> None:
    """What stood there when the hold was set: with the first change under it, once."""
    person = portfolio.person()
    request = goal_pb2.CreateGoalRequest(parent=person.holder, goal=goal_pb2.Goal(title="1"))
    name = person.CreateGoal(request).name

    def retitle(title: str) -> None:
        person.UpdateGoal(goal_pb2.UpdateGoalRequest(goal=goal_pb2.Goal(name=name, title=title)))

    retitle("2")
    held(portfolio, person)
    person.DeleteGoal(goal_pb2.DeleteGoalRequest(name=name))
    person.UndeleteGoal(goal_pb2.UndeleteGoalRequest(name=name))
    retitle("3")
    assert [(each.goal.title, each.resource) for each in kept(person)] == [("2", name), ("1", name)]
    retitle("4")
    person.UndoGoal(goal_pb2.UndoGoalRequest(name=name))
    assert [each.goal.title for each in kept(person)] == ["4", "3", "2", "1"]


def test_entries_are_kept_once_by_their_own_versions(portfolio: Portfolio) -> None:
    person = portfolio.person()
    job = entry(person)
    held(portfolio, person)
    change = entry_pb2.Entry(name=job.name, title="another")
    person.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=change))
    assert kept(person) == []


def rows_written(portfolio: Portfolio, person: Caller, table: Table) -> int:
    """How many rows of all tables the change of one row writes."""
    counted = text("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::int FROM pg_stat_xact_user_tables")
    with transaction(portfolio.app) as tx:
        before = tx.execute(counted).scalar_one()
        tx.execute(update(table).where(of(person, table)).values(sealed=b"x"))
        written: int = tx.execute(counted).scalar_one() - before
    return written


def test_a_change_without_a_hold_writes_nothing_more(portfolio: Portfolio) -> None:
    person, table = portfolio.person(), metadata.tables["holders"]
    assert rows_written(portfolio, person, table) == 1
    person = portfolio.person()
    held(portfolio, person)
    assert rows_written(portfolio, person, table) == 2  # control


def test_it_goes_once_no_hold_is_in_force(lonely_portfolio: Portfolio) -> None:
    person, other, gone = (lonely_portfolio.person() for _ in range(3))
    hold, _, last = (held(lonely_portfolio, each) for each in (person, other, gone))
    second = held(lonely_portfolio, person)
    for each in (person, other, gone):
        rewritten(each)
    lifted(lonely_portfolio, hold)
    jobs.empty_trash(lonely_portfolio.app)
    # Of the hold that was lifted first, what it said before is kept too.
    assert (len(kept(person)), len(kept(other))) == (4, 3)
    lifted(lonely_portfolio, second)
    lifted(lonely_portfolio, last)
    gone.EraseHolder(erase_request(gone))
    assert count(lonely_portfolio, gone) == 0
    jobs.empty_trash(lonely_portfolio.app)
    assert [count(lonely_portfolio, each) for each in (person, other)] == [0, 3]


def count(portfolio: Portfolio, person: Caller) -> int:
    query = select(func.count()).where(kept_contents.c.holder_id == person.subject)
    with transaction(portfolio.app, read_only=True) as tx:
        found: int = tx.execute(query).scalar_one()
    return found


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_a_hold_that_is_being_set_counts(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """A change that comes while a hold is written waits for it, and is kept."""
    person, add, outcome = lonely_portfolio.person(), api.LEGAL_HOLDS.add, list[str]()
    goal = goal_pb2.CreateGoalRequest(parent=person.holder, goal=goal_pb2.Goal(title="Weld"))
    name = person.CreateGoal(goal).name
    if not locked:
        unlock(lonely_portfolio)

    def change() -> None:
        with contextlib.suppress(grpc.RpcError):
            other = goal_pb2.Goal(name=name, title="Sing")
            person.UpdateGoal(goal_pb2.UpdateGoalRequest(goal=other))
            outcome.append("changed")

    def added_while_somebody_changes(*given: Any, **columns: Any) -> holds.LegalHold:
        made: holds.LegalHold = add(*given, **columns)
        threading.Thread(target=change).start()
        eventually(lambda: outcome or sessions(lonely_portfolio.app.engine, WAITING))
        return made

    monkeypatch.setattr(api.LEGAL_HOLDS, "add", added_while_somebody_changes)
    held(lonely_portfolio, person)
    eventually(lambda: outcome)
    assert [each.goal.title for each in kept(person)] == (["Weld"] if locked else [])


def unlock(portfolio: Portfolio) -> None:
    """Takes the lock out of what the triggers do."""
    with transaction(portfolio.app) as tx:
        body = tx.execute(text("SELECT pg_get_functiondef('keep_content'::regproc)")).scalar_one()
        assert " FOR SHARE" in body
        tx.connection.exec_driver_sql(body.replace(" FOR SHARE", ""))
