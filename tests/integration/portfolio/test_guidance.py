"""Cases of guidance: tiers, asking for a human, contacts, notes, and who sees what of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from waymark.portfolio.v1 import access_log_pb2, entry_pb2, handover_pb2, pathway_pb2
from waymark.portfolio.v1 import contact_record_pb2 as contacts
from waymark.portfolio.v1 import guidance_case_pb2 as pb
from waymark.portfolio.v1 import guidance_note_pb2 as notes
from waymark.portfolio.v1 import mandate_pb2 as mandates

from services.platform.db.transaction import transaction
from services.portfolio.api import contact_records
from services.portfolio.domain import guidance, quotas
from services.portfolio.store import guidance_cases
from services.portfolio.store.vault import open_vault
from tests.support.databases import WAITING, sessions
from tests.support.portfolio import Caller, Portfolio, entry, pathway, reason_of, soon
from tests.support.waiting import eventually

CASE = mandates.MANDATE_PURPOSE_CASE
SHARED, PROFESSIONAL = (
    notes.GuidanceNote.VISIBILITY_SHARED,
    notes.GuidanceNote.VISIBILITY_PROFESSIONAL,
)
YOUTH, HOUSING = "organisations/youth-centre", "organisations/housing"


def case(caller: Caller, holder: str) -> pb.GuidanceCase:
    answer: pb.GuidanceCase = caller.GetGuidanceCase(pb.GetGuidanceCaseRequest(name=f"{holder}/guidanceCase"))
    return answer


def move(holder: str, tier: Any, **fields: Any) -> pb.MoveSupportTierRequest:
    return pb.MoveSupportTierRequest(
        **({"name": f"{holder}/guidanceCase", "tier": tier, "reason": "as agreed"} | fields)
    )


def met(counsellor: Caller, holder: str, channel: Any = pb.CONTACT_CHANNEL_PHONE, **fields: Any) -> Any:
    contact = contacts.ContactRecord(channel=channel, **fields)
    request = contacts.CreateContactRecordRequest(parent=holder, contact_record=contact)
    return counsellor.CreateContactRecord(request)


def note(counsellor: Caller, holder: str, visibility: Any, said: str) -> Any:
    made = notes.GuidanceNote(visibility=visibility, text=said)
    return counsellor.CreateGuidanceNote(notes.CreateGuidanceNoteRequest(parent=holder, guidance_note=made))


def noted(caller: Caller, holder: str) -> list[str]:
    answer = caller.ListGuidanceNotes(notes.ListGuidanceNotesRequest(parent=holder))
    return [each.text for each in answer.guidance_notes]


def test_a_partner_hands_its_part_over(portfolio: Portfolio) -> None:
    person = portfolio.person()
    youth = portfolio.mandated(person, CASE, YOUTH)
    (given,) = person.ListMandates(mandates.ListMandatesRequest(parent=person.holder)).mandates
    heir = portfolio.counsellor(YOUTH)
    wanted = handover_pb2.Handover(mandate=given.name, counsellor=heir.subject, organisation=YOUTH)
    offer = youth.CreateHandover(handover_pb2.CreateHandoverRequest(parent=person.holder, handover=wanted))
    person.AcceptHandover(handover_pb2.AcceptHandoverRequest(name=offer.name))
    assert [each.holder for each in caseload(heir).caseload] == [person.holder]
    assert not caseload(youth).caseload


def ask(person: Caller, **fields: Any) -> pb.GuidanceCase:
    request = pb.AskForHumanRequest(name=f"{person.holder}/guidanceCase", **fields)
    answer: pb.GuidanceCase = person.AskForHuman(request)
    return answer


def told(portfolio: Portfolio, holder: str) -> list[str]:
    """Types of the events about a case, in order."""
    rows = "SELECT type FROM outbox WHERE aggregateid = :name ORDER BY seq"
    with transaction(portfolio.app, read_only=True) as tx:
        found = tx.execute(text(rows), {"name": f"{holder}/guidanceCase"}).scalars()
        return [each.rpartition(".")[2] for each in found]


def test_tiers_move_with_a_reason_that_is_kept(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    begun = case(person, person.holder)
    assert (begun.tier, begun.HasField("create_time")) == (pb.SUPPORT_TIER_SELF_HELP, False)
    up = move(person.holder, pb.SUPPORT_TIER_INDIVIDUAL, reason="many changes at once", etag=begun.etag)
    moved = counsellor.MoveSupportTier(up)
    assert moved.tier == pb.SUPPORT_TIER_INDIVIDUAL
    assert reason_of(counsellor.MoveSupportTier, up) == "ETAG_STALE"
    up.etag = ""
    assert reason_of(counsellor.MoveSupportTier, up) == "INVALID_ARGUMENT"  # is there already
    assert reason_of(person.MoveSupportTier, up) == "PERMISSION_DENIED"
    counsellor.MoveSupportTier(move(person.holder, pb.SUPPORT_TIER_SELF_HELP, etag=moved.etag))
    kept = person.ListTierMoves(pb.ListTierMovesRequest(parent=person.holder)).tier_moves
    assert [(each.from_tier, each.to_tier, each.reason, each.subject) for each in kept] == [
        (3, 1, "as agreed", counsellor.subject),
        (1, 3, "many changes at once", counsellor.subject),
    ]
    assert told(portfolio, person.holder) == ["SupportTierMoved"] * 2


def test_asking_for_a_human_is_always_open_and_holds_until_one_is_met(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio.person()
    asked = ask(person, channel=pb.CONTACT_CHANNEL_HOME_VISIT)  # nobody guides them yet
    assert (asked.tier, asked.preferred_channel) == (
        pb.SUPPORT_TIER_STAFF_ASSISTED,
        pb.CONTACT_CHANNEL_HOME_VISIT,
    )
    assert ask(person).human_ask_time == asked.human_ask_time
    assert told(portfolio, person.holder) == ["SupportTierMoved", "HumanAsked"]
    counsellor = portfolio.mandated(person)
    down = move(person.holder, pb.SUPPORT_TIER_SELF_HELP)
    met(counsellor, person.holder, pb.CONTACT_CHANNEL_EMAIL)
    assert reason_of(counsellor.MoveSupportTier, down) == "HUMAN_ASKED"
    with monkeypatch.context() as patch:  # control: it is the kind of contact that answers, or does not
        patch.setattr(guidance, "BY_A_HUMAN", {pb.CONTACT_CHANNEL_EMAIL})
        met(counsellor, person.holder, pb.CONTACT_CHANNEL_EMAIL)
        assert not case(person, person.holder).HasField("human_ask_time")
    ask(person)
    met(counsellor, person.holder, pb.CONTACT_CHANNEL_PHONE)
    assert counsellor.MoveSupportTier(down).tier == pb.SUPPORT_TIER_SELF_HELP
    monkeypatch.setitem(quotas.LIMITS, "tier_moves", 0)  # no quota holds it up
    assert ask(person).tier == pb.SUPPORT_TIER_STAFF_ASSISTED


def test_the_case_learns_from_contacts(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    met(counsellor, person.holder, needs_found=[3, 1], preferred_channel=pb.CONTACT_CHANNEL_VIDEO)
    earlier = met(
        counsellor,
        person.holder,
        summary="A long talk",
        contact_time=soon(days=-3),
        needs_met=[1],
        next_contact_time=soon(days=3),
    )
    assert (earlier.counsellor, earlier.organisation) == (counsellor.subject, portfolio.organisation)
    found = case(person, person.holder)
    assert (list(found.needs), found.preferred_channel) == ([3], pb.CONTACT_CHANNEL_VIDEO)
    assert found.last_contact_time.seconds > earlier.contact_time.seconds  # the first was the later one
    log = person.ListContactRecords(contacts.ListContactRecordsRequest(parent=person.holder)).contact_records
    assert [each.summary for each in log] == ["A long talk", ""]
    for wrong in (
        {"contact_time": soon(days=1)},
        {"contact_time": soon(days=-400)},
        {"contact_time": soon(), "next_contact_time": soon(days=-1)},
        {"next_contact_time": soon(days=800)},
    ):
        contact = contacts.ContactRecord(channel=1, **wrong)  # type: ignore[arg-type]
        request = contacts.CreateContactRecordRequest(parent=person.holder, contact_record=contact)
        assert reason_of(counsellor.CreateContactRecord, request) == "INVALID_ARGUMENT", wrong
    for limit in ("OLDEST", "FURTHEST"):  # controls
        monkeypatch.setattr(contact_records, limit, timedelta(days=1000))
    met(counsellor, person.holder, contact_time=soon(days=-400), next_contact_time=soon(days=800))


class Shop:
    """A one-stop shop: the office guides a person, a youth centre and a housing service take part."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.person = portfolio.person(given_name="Ada")
        self.holder = self.person.holder
        self.job, self.way = entry(self.person), pathway(self.person)
        self.office = portfolio.mandated(self.person)
        self.youth = portfolio.mandated(self.person, CASE, YOUTH)
        self.housing = portfolio.mandated(self.person, CASE, HOUSING)
        for counsellor, who in ((self.office, "office"), (self.youth, "youth"), (self.housing, "housing")):
            met(counsellor, self.holder, summary=f"met at {who}")
            note(counsellor, self.holder, SHARED, f"{who} tells")
            note(counsellor, self.holder, PROFESSIONAL, f"{who} thinks")

    def contacts_of(self, caller: Caller) -> list[str]:
        listing = contacts.ListContactRecordsRequest(parent=self.holder)
        return [each.summary for each in caller.ListContactRecords(listing).contact_records]


def test_each_partner_sees_what_its_mandate_is_for(portfolio: Portfolio) -> None:
    shop = Shop(portfolio)
    told_by_all = ["housing tells", "youth tells", "office tells"]
    everything = [f"{who} {verb}" for who in ("housing", "youth", "office") for verb in ("thinks", "tells")]
    assert noted(shop.person, shop.holder) == told_by_all
    assert noted(shop.office, shop.holder) == everything
    assert noted(shop.youth, shop.holder) == ["housing tells", "youth thinks", "youth tells", "office tells"]
    disclosing = notes.DiscloseGuidanceNotesRequest(parent=shop.holder)
    by_law = shop.person.DiscloseGuidanceNotes(disclosing).guidance_notes
    assert [each.text for each in by_law] == everything
    assert reason_of(shop.office.DiscloseGuidanceNotes, disclosing) == "PERMISSION_DENIED"
    assert shop.contacts_of(shop.person) == ["met at housing", "met at youth", "met at office"]
    assert shop.contacts_of(shop.office) == shop.contacts_of(shop.person)
    assert shop.contacts_of(shop.youth) == ["", "met at youth", ""]
    shop.office.MoveSupportTier(move(shop.holder, pb.SUPPORT_TIER_INDIVIDUAL))
    moves = shop.youth.ListTierMoves(pb.ListTierMovesRequest(parent=shop.holder)).tier_moves
    assert [(each.to_tier, each.reason) for each in moves] == [(pb.SUPPORT_TIER_INDIVIDUAL, "")]
    # The portfolio stays closed to who takes part in the case alone, and the case to who works on pathways.
    look = entry_pb2.GetEntryRequest(name=shop.job.name)
    assert shop.office.GetEntry(look) == shop.job
    assert reason_of(shop.youth.GetEntry, look) == "NOT_FOUND"
    assert reason_of(shop.youth.MoveSupportTier, move(shop.holder, pb.SUPPORT_TIER_SELF_HELP)) == "NOT_FOUND"
    planner = portfolio.mandated(shop.person, mandates.MANDATE_PURPOSE_PATHWAY)
    for rpc, request in (
        ("GetGuidanceCase", pb.GetGuidanceCaseRequest(name=f"{shop.holder}/guidanceCase")),
        ("ListGuidanceNotes", notes.ListGuidanceNotesRequest(parent=shop.holder)),
        ("ListContactRecords", contacts.ListContactRecordsRequest(parent=shop.holder)),
    ):
        assert reason_of(getattr(planner, rpc), request) == "NOT_FOUND", rpc
    (given,) = (
        each
        for each in shop.person.ListMandates(mandates.ListMandatesRequest(parent=shop.holder)).mandates
        if each.counsellor == shop.youth.subject
    )
    shop.person.RevokeMandate(mandates.RevokeMandateRequest(name=given.name))
    listing = notes.ListGuidanceNotesRequest(parent=shop.holder)
    assert reason_of(shop.youth.ListGuidanceNotes, listing) == "NOT_FOUND"


def test_without_the_reader_a_partner_would_read_it_all(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: it is the reader's part in the case that keeps words back."""
    shop = Shop(portfolio)
    monkeypatch.setattr(guidance.Reader, "reads", lambda *_: True)
    assert shop.contacts_of(shop.youth) == ["met at housing", "met at youth", "met at office"]
    monkeypatch.setattr("services.portfolio.api.guidance_notes.notes_seen_by", lambda _: ())
    assert len(noted(shop.youth, shop.holder)) == len(noted(shop.person, shop.holder)) == 6


def test_a_look_is_logged_under_the_mandate_that_opens_it(portfolio: Portfolio) -> None:
    """Somebody with two mandates: each look names the one that it needs."""
    person = portfolio.person()
    counsellor = portfolio.mandated(person, mandates.MANDATE_PURPOSE_PATHWAY)
    way = pathway(person)
    (for_pathways,) = person.ListMandates(mandates.ListMandatesRequest(parent=person.holder)).mandates
    wanted = mandates.Mandate()
    wanted.CopyFrom(for_pathways)
    wanted.purpose = CASE
    for_case = person.CreateMandate(mandates.CreateMandateRequest(parent=person.holder, mandate=wanted))
    case(counsellor, person.holder)
    counsellor.GetPathway(pathway_pb2.GetPathwayRequest(name=way.name))
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert [(each.action, each.grant) for each in log.access_records] == [
        ("GetPathway", for_pathways.name),
        ("GetGuidanceCase", for_case.name),
    ]


def note_two_at_once(portfolio: Portfolio, begin: Callable[[], None] = lambda: None) -> list[int]:
    """A contact is written down while the case is being changed, which it has been before `begin`; returns
    the needs it then has."""
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    met(counsellor, person.holder, needs_found=[1])
    begin()
    with transaction(portfolio.app) as tx:
        vault = open_vault(tx, portfolio.app.keys, person.subject)
        found = guidance_cases.lock(tx, vault)
        writer = threading.Thread(target=met, args=(counsellor, person.holder), kwargs={"needs_found": [3]})
        writer.start()
        eventually(lambda: not writer.is_alive() or sessions(portfolio.app.engine, WAITING))
        found.needs.append(2)  # type: ignore[arg-type]
        guidance_cases.save(tx, vault, found)
    writer.join()
    return list(case(person, person.holder).needs)


def test_two_changes_of_a_case_at_once_both_stay(lonely_portfolio: Portfolio) -> None:
    assert note_two_at_once(lonely_portfolio) == [1, 2, 3]


def test_without_the_lock_one_would_be_lost(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""

    def read_alone() -> None:
        monkeypatch.setattr(guidance_cases, "lock", guidance_cases.read)

    assert note_two_at_once(lonely_portfolio, read_alone) == [1, 2]


def caseload(counsellor: Caller, **fields: Any) -> pb.ListCaseloadResponse:
    answer: pb.ListCaseloadResponse = counsellor.ListCaseload(pb.ListCaseloadRequest(**fields))
    return answer


def test_the_caseload_begins_with_whose_contact_is_due(portfolio: Portfolio) -> None:
    counsellor = portfolio.counsellor()
    people = [portfolio.person() for _ in range(3)]
    for person in people:
        request = mandates.CreateMandateRequest(
            parent=person.holder,
            mandate=mandates.Mandate(
                counsellor=counsellor.subject,
                organisation=portfolio.organisation,
                purpose=mandates.MANDATE_PURPOSE_GUIDANCE,
                expire_time=soon(days=7),
            ),
        )
        person.CreateMandate(request)
    first, second, third = people
    met(counsellor, first.holder)  # in 90 days
    met(counsellor, second.holder, next_contact_time=soon(days=5))
    assert [each.holder for each in caseload(counsellor).caseload] == [
        third.holder,
        second.holder,
        first.holder,
    ]
    ask(first)
    page = caseload(counsellor, page_size=2)
    rest = caseload(counsellor, page_size=2, page_token=page.next_page_token)
    shown = [*page.caseload, *rest.caseload]
    assert [each.holder for each in shown] == [third.holder, first.holder, second.holder]
    assert (shown[1].tier, shown[1].HasField("human_ask_time")) == (pb.SUPPORT_TIER_STAFF_ASSISTED, True)
    assert rest.next_page_token == ""
    for given in second.ListMandates(mandates.ListMandatesRequest(parent=second.holder)).mandates:
        second.RevokeMandate(mandates.RevokeMandateRequest(name=given.name))
    assert [each.holder for each in caseload(counsellor).caseload] == [third.holder, first.holder]
    log = third.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=third.holder))
    assert [each.action for each in log.access_records] == ["ListCaseload"] * 3
    assert reason_of(portfolio.counsellor().ListCaseload, pb.ListCaseloadRequest(page_token="x")) == (
        "PAGE_TOKEN_INVALID"
    )
    assert (
        not portfolio.mandated(first, mandates.MANDATE_PURPOSE_PATHWAY)
        .ListCaseload(pb.ListCaseloadRequest())
        .caseload
    )


HOLDERS = """
INSERT INTO holders (id, sealed, created_at, updated_at)
    SELECT 'h' || n, '', now(), now() FROM generate_series(1, :count) n;
INSERT INTO holder_keys (holder_id, master_key_id, wrapped, created_at)
    SELECT 'h' || n, '', '', now() FROM generate_series(1, :count) n;
INSERT INTO guidance_cases (holder_id, tier, sealed, created_at, updated_at)
    SELECT 'h' || n, 1, '', now(), now() FROM generate_series(1, :count) n;
INSERT INTO mandates
    (holder_id, id, counsellor, organisation, purpose, expires_at, created_at, next_contact_at)
    SELECT 'h' || n, 'm' || n, CASE WHEN n <= 1000 THEN :counsellor ELSE 'c' || n % 100 END, :organisation, 1,
        now() + interval '1 year', now(), now() + n * interval '1 minute' FROM generate_series(1, :count) n;
"""


def test_a_large_caseload_costs_no_more_than_its_page(lonely_portfolio: Portfolio) -> None:
    """1 000 holders of one counsellor among 20 000: one index, in order, a page and no more."""
    counsellor = lonely_portfolio.counsellor()
    engine = lonely_portfolio.database.engine
    with engine.begin() as connection:
        values = {
            "count": 20_000,
            "counsellor": counsellor.subject,
            "organisation": lonely_portfolio.organisation,
        }
        for statement in HOLDERS.strip().split(";\n"):
            connection.execute(text(statement.removesuffix(";")), values)
        connection.execute(text("ANALYZE"))
    statements: list[tuple[str, Any]] = []

    def note_statement(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    event.listen(lonely_portfolio.app.engine, "before_cursor_execute", note_statement)
    page = caseload(counsellor)
    event.remove(lonely_portfolio.app.engine, "before_cursor_execute", note_statement)
    assert [each.holder for each in page.caseload[:2]] == ["holders/h1", "holders/h2"]
    assert len(page.caseload) == 50
    assert len([each for each, _ in statements if "mandates" in each or "access_records" in each]) == 2
    (listing, bound) = next(each for each in statements if each[0].startswith("SELECT mandates"))
    with engine.connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN ANALYZE {listing}", bound).scalars())
    assert "mandates_due" in plan, plan
    assert "Sort" not in plan, plan
    assert "rows=51" in plan, plan
    began = time.perf_counter()
    token = page.next_page_token
    for _ in range(19):
        page = caseload(counsellor, page_token=token)
        token = page.next_page_token
    assert token == ""
    assert (time.perf_counter() - began) / 19 < 0.2  # seconds a page; some 6 ms where nothing else runs
