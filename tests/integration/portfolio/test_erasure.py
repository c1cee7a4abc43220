"""Erasing a holder: what goes, what stays, and that nothing of the person can be read any more."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from minio import Minio
from sqlalchemy import select, text
from waymark.portfolio.v1 import access_log_pb2, entry_pb2, evidence_pb2, share_link_pb2
from waymark.portfolio.v1 import holder_pb2 as pb
from waymark.portfolio.v1.events_pb2 import SubjectErased

from services.platform.db.schema import outbox, request_ids
from services.platform.db.transaction import Transaction, transaction
from services.platform.edge.contract import Contract
from services.platform.events import looking
from services.platform.events.relay import Relay
from services.platform.events.topics import ensure_topics, topics_of
from services.platform.objects.store import Objects
from services.platform.seals import SealBrokenError
from services.portfolio import jobs
from services.portfolio.api import evidence as evidence_api
from services.portfolio.domain.keys import WrappedKey
from services.portfolio.store import evidence as evidence_store
from services.portfolio.store import holders, locking, rights_tables, tables
from tests.support.canary import CANARY, everything, live_a_life
from tests.support.databases import WAITING, sessions
from tests.support.events import running, test_settings
from tests.support.portfolio import PDF, Caller, Portfolio, entry, evidence_of, reason_of, share
from tests.support.uploads import put
from tests.support.waiting import eventually

SEALED = [table for table in tables.metadata.sorted_tables if "sealed" in table.c]


def erase_request(person: Caller, **fields: Any) -> pb.EraseHolderRequest:
    etag = person.GetHolder(pb.GetHolderRequest(name=person.holder)).etag
    return pb.EraseHolderRequest(**({"name": person.holder, "etag": etag} | fields))


def upload(person: Caller, body: bytes = PDF, **fields: Any) -> str:
    """Stores a file and returns its object key."""
    made = person.CreateEvidence(
        evidence_pb2.CreateEvidenceRequest(parent=person.holder, evidence=evidence_of(body, **fields))
    )
    put(made.ticket.url, made.ticket.headers, body).raise_for_status()
    person.FinalizeEvidence(evidence_pb2.FinalizeEvidenceRequest(name=made.evidence.name))
    return str(made.evidence.name.rpartition("/")[2])


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of the test's own."""
    name = f"waymark-portfolio-{uuid.uuid4().hex}"
    for module in (jobs, evidence_api, evidence_store):
        monkeypatch.setattr(module, "BUCKET", name)
    return name


def objects(s3: Any, bucket: str) -> Iterator[tuple[str, bytes]]:
    """Every object of a bucket with its bytes."""
    client = Minio(
        s3.endpoint.removeprefix("http://"), s3.access_key, s3.secret_key, secure=False, region="us-east-1"
    )
    for found in client.list_objects(bucket, recursive=True):
        answer = client.get_object(bucket, str(found.object_name))
        yield str(found.object_name), answer.read()
        answer.close()
        answer.release_conn()


class Copy(NamedTuple):
    """A ciphertext as a backup has it, with its place."""

    table: str
    row: str
    sealed: bytes


def backup(app: Any, holder: str) -> list[Copy]:
    """A copy of everything sealed for a holder, kept answers included."""
    copies = []
    requests = {rpc.path: rpc.request for rpc in Contract().rpcs}
    with transaction(app, read_only=True) as tx:
        for table in SEALED:
            owner = table.c.id if table is tables.holders else table.c.holder_id
            for row in tx.execute(select(table).where(owner == holder)):
                is_revision = table is tables.entry_revisions
                place = f"{row.entry_id}/{row.version}" if is_revision else getattr(row, "id", holder)
                is_kept = table is rights_tables.kept_contents  # sealed where it stood before
                of = (row.kind, row.row_id) if is_kept else (table.name, place)
                copies.append(Copy(*of, row.sealed))
        answers = select(request_ids.c.method, request_ids.c.answer).where(request_ids.c.principal == holder)
        for method, answer in tx.execute(answers):
            copies.append(Copy("request_ids", requests[method], answer))
    return copies


def readable(app: Any, holder: str, copies: list[Copy]) -> list[str]:
    """Tables of which a copy shows the name, to somebody with the master key and every data key there is."""
    with transaction(app, read_only=True) as tx:
        rows = tx.execute(select(tables.holder_keys)).all()
    keys = [app.keys.unwrap(row.holder_id, WrappedKey(row.master_key_id, row.wrapped)) for row in rows]
    shown = set()
    for key in keys:
        key.holder = holder
        for copy in copies:
            with suppress(SealBrokenError):
                if CANARY.encode() in key.open(copy.table, copy.row, copy.sealed):
                    shown.add(copy.table)
    return sorted(shown)


def rows_left(app: Any, holder: str) -> list[str]:
    """Tables that have a row of a holder."""
    with transaction(app, read_only=True) as tx:
        return [
            table.name
            for table in tables.metadata.sorted_tables
            if "holder_id" in table.c
            and tx.execute(select(table.c.holder_id).where(table.c.holder_id == holder).limit(1)).all()
        ]


def erased_life(portfolio: Portfolio) -> tuple[Caller, list[Copy]]:
    """Somebody whose every text and file is the canary, and who then left; with a backup from before."""
    person = live_a_life(portfolio)
    upload(person, PDF + CANARY.encode(), title=CANARY, file_name=f"{CANARY}.pdf")
    never_finalized = person.CreateEvidence(
        evidence_pb2.CreateEvidenceRequest(parent=person.holder, evidence=evidence_of(title=CANARY))
    )
    put(never_finalized.ticket.url, never_finalized.ticket.headers, PDF)
    copies = backup(portfolio.app, person.subject)
    everywhere = ["contact_records", "entries", "entry_revisions", "evidence", "guidance_notes", "holders"]
    everywhere += ["goals", "journal_entries", "plans"]
    everywhere += ["group_memberships", "mentoring_matches", "submitted_pages"]
    everywhere += ["page_collections", "page_comments", "page_invitations", "page_submissions", "pages"]
    everywhere += ["pathway_steps", "pathway_words", "pathways"]
    everywhere += [
        "document_imports",
        "questionnaire_parts",
        "remainders",
        "request_ids",
        "share_links",
        "skill_claims",
        "tier_moves",
    ]
    everywhere += ["break_glass_accesses", "legal_holds", "rights_requests"]
    everywhere += ["validation_cases", "validation_snapshots"]
    assert readable(portfolio.app, person.subject, copies) == sorted(everywhere)
    person.EraseHolder(erase_request(person))
    return person, copies


def test_nothing_of_the_person_can_be_read_or_found(
    portfolio_with_files: Portfolio, s3: Any, kafka: str, bucket: str, tmp_path: Path, capfd: Any
) -> None:
    app = portfolio_with_files.app
    person, copies = erased_life(portfolio_with_files)
    assert readable(app, person.subject, copies) == []
    assert rows_left(app, person.subject) == ["access_records", "break_glass_accesses", "rights_requests"]
    assert CANARY not in everything(app.engine)
    assert list(objects(s3, bucket)) == []
    told = topics_after_relay(portfolio_with_files, kafka, tmp_path)
    assert [each["event"]["holder"] for each in told if each["type"].endswith("SubjectErased")].count(
        person.holder
    ) == 1
    assert CANARY not in str(told)
    out, err = capfd.readouterr()
    assert CANARY not in out + err


def topics_after_relay(portfolio: Portfolio, kafka: str, folder: Path) -> list[dict[str, Any]]:
    """Every message on the portfolio's topics, once its outbox is empty."""
    url = portfolio.database.url
    settings = test_settings("portfolio", database_url=url, kafka_bootstrap=kafka, secrets_dir=folder)
    ensure_topics(settings, topics_of("portfolio"))
    with running(Relay(settings, portfolio.database.engine).run):
        eventually(lambda: not looking.waiting(portfolio.database.engine, 1))
    topics = looking.event_topics("portfolio")
    return list(looking.tail(settings, topics, from_beginning=True, follow=False))


def test_without_shredding_a_backup_could_be_read(
    portfolio_with_files: Portfolio, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: rows and files may go as they like, it is the key that makes copies of them worthless."""

    def rows_alone(tx: Transaction, holder: str) -> bool:
        for table in (tables.entries, tables.skill_claims, tables.share_links, tables.pathways):
            tx.execute(table.delete().where(table.c.holder_id == holder))
        return True

    monkeypatch.setattr(holders, "erase_key", rows_alone)
    person, copies = erased_life(portfolio_with_files)
    shown = readable(portfolio_with_files.app, person.subject, copies)
    assert {"entries", "holders", "pathways", "request_ids"} <= set(shown)


def test_validate_only_says_what_would_go_and_erases_nothing(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada")
    entry(person)
    entry(person)
    share(person, ["holder"])
    portfolio.mandated(person).GetHolder(pb.GetHolderRequest(name=person.holder))
    would = person.EraseHolder(erase_request(person, validate_only=True))
    assert (would.entries, would.share_links, would.mandates, would.access_records) == (2, 1, 1, 1)
    assert not would.HasField("erase_time")
    assert person.GetHolder(pb.GetHolderRequest(name=person.holder)).given_name == "Ada"
    assert person.EraseHolder(erase_request(person)).entries == 2


def test_nobody_erases_what_they_have_not_read(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada")
    stale = erase_request(person)
    change = pb.UpdateHolderRequest(holder=pb.Holder(name=person.holder, given_name="Eve"))
    person.UpdateHolder(change)
    assert reason_of(person.EraseHolder, stale) == "ETAG_STALE"
    for etag in ("", "*"):
        request = pb.EraseHolderRequest(name=person.holder, etag=etag)
        assert reason_of(person.EraseHolder, request) == "INVALID_ARGUMENT"
    assert person.GetHolder(pb.GetHolderRequest(name=person.holder)).given_name == "Eve"
    nobody = portfolio.learner()
    request = pb.EraseHolderRequest(name=nobody.holder, etag='"1"')
    assert reason_of(nobody.EraseHolder, request) == "NOT_FOUND"


def test_erasing_again_is_no_error_and_tells_nobody_twice(portfolio: Portfolio) -> None:
    person = portfolio.person()
    entry(person)
    request = erase_request(person, request_id=str(uuid.uuid4()))
    first = person.EraseHolder(request)
    assert person.EraseHolder(request) == first  # the kept answer, which needs no key
    again = person.EraseHolder(pb.EraseHolderRequest(name=person.holder, etag='"1"'))
    assert (again.entries, again.erase_time) == (0, first.erase_time)
    with transaction(portfolio.app, read_only=True) as tx:
        told = tx.execute(select(outbox.c.payload).where(outbox.c.aggregateid == person.holder)).scalars()
        assert [SubjectErased.FromString(payload) for payload in told] == [
            SubjectErased(holder=person.holder, erase_time=first.erase_time)
        ]


def test_a_repeat_takes_nothing_from_a_later_life(
    portfolio_with_files: Portfolio, s3: Any, bucket: str
) -> None:
    person = portfolio_with_files.person()
    upload(person)
    request = erase_request(person, request_id=str(uuid.uuid4()))
    first = person.EraseHolder(request)
    person.CreateHolder(pb.CreateHolderRequest(holder=pb.Holder()))
    key = upload(person)
    assert person.EraseHolder(request) == first
    assert [name for name, _ in objects(s3, bucket)] == [key]


def test_links_and_mandates_end_and_the_access_log_stays(portfolio: Portfolio) -> None:
    person, other = portfolio.person(), portfolio.person(given_name="Bob")
    counsellor, token = portfolio.mandated(person), share(person, ["holder"]).token
    look = pb.GetHolderRequest(name=person.holder)
    counsellor.GetHolder(look)
    assert person.EraseHolder(erase_request(person)).access_records == 1
    opening = share_link_pb2.OpenShareLinkRequest(token=token)
    assert reason_of(portfolio.anybody().OpenShareLink, opening) == "NOT_FOUND"
    assert reason_of(counsellor.GetHolder, look) == "NOT_FOUND"
    assert reason_of(person.GetHolder, look) == "NOT_FOUND"
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert [each.subject for each in log.access_records] == [counsellor.subject]
    assert other.GetHolder(pb.GetHolderRequest(name=other.holder)).given_name == "Bob"


def test_who_comes_back_begins_anew(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada")
    entry(person)
    before = erase_request(person)
    portfolio.mandated(person).GetHolder(pb.GetHolderRequest(name=person.holder))
    person.EraseHolder(before)
    made = person.CreateHolder(pb.CreateHolderRequest(holder=pb.Holder(given_name="Ada again")))
    assert reason_of(person.CreateHolder, pb.CreateHolderRequest(holder=pb.Holder())) == "ALREADY_EXISTS"
    assert person.GetHolder(pb.GetHolderRequest(name=person.holder)) == made
    assert not person.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder)).entries
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert len(log.access_records) == 1
    assert reason_of(person.EraseHolder, before) == "ETAG_STALE"  # what was asked before means the first life


def write_while_erased(portfolio: Portfolio, person: Caller) -> tuple[str, int]:
    """An entry is written by a call that found the key, while the key goes: its refusal, and rows left."""
    refusal: list[str] = []

    def write() -> None:
        request = entry_pb2.CreateEntryRequest(parent=person.holder, entry=entry_pb2.Entry(kind=2))
        try:
            person.CreateEntry(request)
        except grpc.RpcError as error:
            refusal.append(str(error.code().name))  # type: ignore[attr-defined]

    left = "SELECT count(*) FROM entries WHERE holder_id = :holder"
    with transaction(portfolio.app) as tx:
        holders.erase(tx, person.subject, "*")
        writer = threading.Thread(target=write)
        writer.start()
        eventually(lambda: not writer.is_alive() or sessions(portfolio.app.engine, WAITING))
    writer.join()
    with transaction(portfolio.app, read_only=True) as tx:
        rows = tx.execute(text(left), {"holder": person.subject}).scalar_one()
    return "".join(refusal), rows


def test_what_is_written_meanwhile_does_not_stay(lonely_portfolio: Portfolio) -> None:
    assert write_while_erased(lonely_portfolio, lonely_portfolio.person()) == ("NOT_FOUND", 0)


def test_without_the_foreign_key_it_would_stay(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control, for what does not keep to the order of locks."""
    monkeypatch.setattr(locking, "enter", lambda *_: None)
    assert write_while_erased(lonely_portfolio, lonely_portfolio.person()) == ("NOT_FOUND", 0)
    with transaction(lonely_portfolio.app) as tx:
        tx.execute(text("ALTER TABLE entries DROP CONSTRAINT entries_holder_id_fkey"))
    assert write_while_erased(lonely_portfolio, lonely_portfolio.person()) == ("", 1)


def test_a_file_out_of_reach_is_left_to_the_sweep(
    portfolio_with_files: Portfolio, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    key, reachable = upload(person), app.objects
    nowhere = test_settings(
        "portfolio", s3_endpoint="http://127.0.0.1:9", s3_public_endpoint="http://127.0.0.1:9"
    )
    monkeypatch.setattr(app, "objects", Objects(nowhere))
    assert person.EraseHolder(erase_request(person)).evidence == 1
    assert [name for name, _ in objects(s3, bucket)] == [key]
    monkeypatch.setattr(app, "objects", reachable)
    monkeypatch.setattr(jobs, "ORPHAN", timedelta(seconds=-60))
    jobs.sweep_evidence(app)
    assert list(objects(s3, bucket)) == []
