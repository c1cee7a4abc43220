"""Former versions of entries over the real server: kept, read, gone back to, and gone with entry and key."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2, entry_pb2, mandate_pb2
from waymark.portfolio.v1 import entry_revision_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio import jobs
from services.portfolio.domain import quotas
from services.portfolio.store import trash, vault
from tests.support.portfolio import Caller, Portfolio, entry, reason_of


def retitle(person: Caller, name: str, *titles: str) -> entry_pb2.Entry:
    """Changes the title again and again; returns the entry as it then stands."""
    for title in titles:
        request = entry_pb2.UpdateEntryRequest(entry=entry_pb2.Entry(name=name, title=title))
        changed: entry_pb2.Entry = person.UpdateEntry(request)
    return changed


def revisions(person: Caller, name: str, **page: object) -> pb.ListEntryRevisionsResponse:
    answer: pb.ListEntryRevisionsResponse = person.ListEntryRevisions(
        pb.ListEntryRevisionsRequest(parent=name, **page)  # type: ignore[arg-type]
    )
    return answer


def titles(person: Caller, name: str) -> list[str]:
    return [each.snapshot.title for each in revisions(person, name).entry_revisions]


def test_every_former_version_is_kept_as_it_was(portfolio: Portfolio) -> None:
    person = portfolio.person()
    first = entry(person, "first", description={"nl": "eerst"})
    assert titles(person, first.name) == []
    second = retitle(person, first.name, "second")
    retitle(person, first.name, "third")
    newest, oldest = revisions(person, first.name).entry_revisions
    assert (newest.snapshot, oldest.snapshot) == (second, first)
    assert (newest.create_time, oldest.create_time) == (second.update_time, first.create_time)
    assert person.GetEntryRevision(pb.GetEntryRevisionRequest(name=oldest.name)) == oldest
    assert oldest.name == f"{first.name}/revisions/1"


def test_listed_by_page(portfolio: Portfolio) -> None:
    person = portfolio.person()
    name = entry(person, "1").name
    retitle(person, name, "2", "3", "4")
    page = revisions(person, name, page_size=2)
    assert [each.snapshot.title for each in page.entry_revisions] == ["3", "2"]
    rest = revisions(person, name, page_size=2, page_token=page.next_page_token)
    assert [each.snapshot.title for each in rest.entry_revisions] == ["1"]
    assert not rest.next_page_token
    other = pb.ListEntryRevisionsRequest(
        parent=entry(person).name, page_size=2, page_token=page.next_page_token
    )
    assert reason_of(person.ListEntryRevisions, other) == "PAGE_TOKEN_INVALID"


def test_going_back_is_a_change_that_can_be_taken_back(portfolio: Portfolio) -> None:
    person = portfolio.person()
    first = entry(person, "first", place="Ghent")
    second = retitle(person, first.name, "second")
    back = pb.RollbackEntryRequest(
        name=first.name, revision_id="1", etag=second.etag, request_id=str(uuid.uuid4())
    )
    restored = person.RollbackEntry(back)
    assert (restored.title, restored.place, restored.create_time) == ("first", "Ghent", first.create_time)
    assert restored.etag not in {first.etag, second.etag}
    assert person.RollbackEntry(back) == restored  # the kept answer
    assert person.GetEntry(entry_pb2.GetEntryRequest(name=first.name)) == restored
    assert titles(person, first.name) == ["second", "first"]
    person.RollbackEntry(pb.RollbackEntryRequest(name=first.name, revision_id="2"))
    assert titles(person, first.name) == ["first", "second", "first"]


def test_what_cannot_be_gone_back_to_is_refused(portfolio: Portfolio) -> None:
    person = portfolio.person()
    first = entry(person, "first")
    retitle(person, first.name, "second")
    for revision_id, reason in [("2", "NOT_FOUND"), ("999999999", "NOT_FOUND"), ("0", "INVALID_ARGUMENT")]:
        request = pb.RollbackEntryRequest(name=first.name, revision_id=revision_id)
        assert reason_of(person.RollbackEntry, request) == reason
    stale = pb.RollbackEntryRequest(name=first.name, revision_id="1", etag=first.etag)
    assert reason_of(person.RollbackEntry, stale) == "ETAG_STALE"
    for name in ("2", "01", "1.0", "9" * 40, "x"):
        request = pb.GetEntryRevisionRequest(name=f"{first.name}/revisions/{name}")
        assert reason_of(person.GetEntryRevision, request) == "NOT_FOUND"
    nowhere = pb.ListEntryRevisionsRequest(parent=f"{person.holder}/entries/none")
    assert reason_of(person.ListEntryRevisions, nowhere) == "NOT_FOUND"


def test_the_oldest_are_forgotten(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    person = portfolio.person()
    name = entry(person, "1").name
    monkeypatch.setattr(quotas, "REVISIONS", 2)
    retitle(person, name, "2", "3", "4")
    assert titles(person, name) == ["3", "2"]
    monkeypatch.setattr(quotas, "REVISIONS", 100)  # control: it is the quota that forgets
    retitle(person, name, "5", "6")
    assert titles(person, name) == ["5", "4", "3", "2"]


def test_a_counsellor_reads_under_a_mandate_and_is_logged(portfolio: Portfolio) -> None:
    person = portfolio.person()
    name = entry(person, "first").name
    retitle(person, name, "second")
    counsellor = portfolio.mandated(person)
    assert titles(counsellor, name) == ["first"]
    counsellor.GetEntryRevision(pb.GetEntryRevisionRequest(name=f"{name}/revisions/1"))
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert [(each.action, each.resource) for each in log.access_records] == [
        ("GetEntryRevision", f"{name}/revisions/1"),
        ("ListEntryRevisions", name),
    ]
    back = pb.RollbackEntryRequest(name=name, revision_id="1")
    assert reason_of(counsellor.RollbackEntry, back) == "PERMISSION_DENIED"
    of_pathways = portfolio.mandated(person, mandate_pb2.MANDATE_PURPOSE_PATHWAY)
    assert reason_of(of_pathways.ListEntryRevisions, pb.ListEntryRevisionsRequest(parent=name)) == "NOT_FOUND"


def test_revisions_go_with_their_entry(lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    portfolio = lonely_portfolio
    person = portfolio.person()
    first = entry(person, "first")
    retitle(person, first.name, "second")
    person.DeleteEntry(entry_pb2.DeleteEntryRequest(name=first.name))
    monkeypatch.setattr(trash, "IN_TRASH", timedelta(seconds=-1))
    jobs.empty_trash(portfolio.app)
    request = pb.GetEntryRevisionRequest(name=f"{first.name}/revisions/1")
    assert reason_of(person.GetEntryRevision, request) == "NOT_FOUND"
    with transaction(portfolio.app, read_only=True) as tx:
        left = "SELECT count(*) FROM entry_revisions WHERE holder_id = :holder"
        assert tx.execute(text(left), {"holder": person.subject}).scalar_one() == 0


def test_without_the_key_revisions_are_unreadable_too(lonely_portfolio: Portfolio) -> None:
    person = lonely_portfolio.person()
    first = entry(person, "first")
    retitle(person, first.name, "second")
    request = pb.GetEntryRevisionRequest(name=f"{first.name}/revisions/1")
    assert person.GetEntryRevision(request).snapshot.title == "first"  # control: with the key they are read
    with transaction(lonely_portfolio.app) as tx:
        assert vault.erase_key(tx, person.subject)
    assert reason_of(person.GetEntryRevision, request) == "NOT_FOUND"
    assert titles_refused(person, first.name) == "NOT_FOUND"
    back = pb.RollbackEntryRequest(name=first.name, revision_id="1")
    assert reason_of(person.RollbackEntry, back) == "NOT_FOUND"


def titles_refused(person: Caller, name: str) -> str:
    return reason_of(person.ListEntryRevisions, pb.ListEntryRevisionsRequest(parent=name))


def test_a_revision_in_the_place_of_another_is_refused(lonely_portfolio: Portfolio) -> None:
    """Whoever can write to the database cannot make an entry say what it said at another time."""
    person = lonely_portfolio.person()
    name = entry(person, "1").name
    retitle(person, name, "2", "3")
    swap = (
        "UPDATE entry_revisions SET sealed = (SELECT o.sealed FROM entry_revisions o WHERE o.version = 2) "
        "WHERE version = 1"
    )
    with transaction(lonely_portfolio.app) as tx:
        assert tx.execute(text(swap)).rowcount == 1
    moved = pb.GetEntryRevisionRequest(name=f"{name}/revisions/1")
    assert reason_of(person.GetEntryRevision, moved) == "INTERNAL"
