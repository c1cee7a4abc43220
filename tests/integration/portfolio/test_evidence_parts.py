"""Evidence in parts, over the real server and a real object store."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import evidence_pb2 as pb
from waymark.portfolio.v1 import holder_pb2

from services.platform.db.transaction import transaction
from services.platform.objects import parts
from services.platform.objects.clamd import Clamd
from services.platform.objects.tickets import INCOMING
from services.portfolio import checking, jobs
from services.portfolio.api import evidence as evidence_api
from services.portfolio.store import evidence as evidence_store
from services.portfolio.store.evidence import BUCKET
from tests.integration.portfolio.test_evidence import announce, finalize, put
from tests.support import uploads
from tests.support.portfolio import PDF, Caller, Portfolio, reason_of, refused

FILM = PDF + bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large is what is more than four parts of 2 KiB."""
    monkeypatch.setattr(parts, "PART_BYTES", 2048)
    monkeypatch.setattr(checking, "AT_ONCE", 8192)
    monkeypatch.setattr(evidence_api, "AT_ONCE", 8192)


def missing(person: Caller, name: str) -> list[pb.EvidencePart]:
    return list(person.GetEvidenceUpload(pb.GetEvidenceUploadRequest(name=name)).missing_parts)


def put_part(part: pb.EvidencePart, body: bytes = FILM) -> httpx.Response:
    return uploads.put(part.url, part.headers, body[part.offset :][: part.size_bytes])


def keys(portfolio: Portfolio, name: str) -> list[str]:
    id_ = name.rpartition("/")[2]
    objects = portfolio.app.objects
    return [*objects.keys(BUCKET, id_), *objects.keys(BUCKET, INCOMING + id_)]


def state(person: Caller, name: str) -> pb.Evidence:
    answer: pb.Evidence = person.GetEvidence(pb.GetEvidenceRequest(name=name))
    return answer


def test_in_parts_with_a_break_and_checked_afterwards(portfolio_with_files: Portfolio) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    made = announce(person, FILM)
    name = made.evidence.name
    assert not made.HasField("ticket")
    first = missing(person, name)
    assert [part.number for part in first] == [1, 2, 3, 4, 5, 6]
    for part in (first[3], first[0]):  # in any order, and then the line breaks
        put_part(part).raise_for_status()
    assert reason_of(person.FinalizeEvidence, finalize(name)) == "UPLOAD_MISSING"
    rest = missing(person, name)
    assert [part.number for part in rest] == [2, 3, 5, 6]
    put_part(rest[0]).raise_for_status()
    for part in rest[1:]:
        put_part(part).raise_for_status()
    assert missing(person, name) == []
    done = person.FinalizeEvidence(finalize(name))
    assert done.state == pb.Evidence.STATE_CHECKING
    download = pb.GetEvidenceDownloadRequest(name=name)
    assert refused(person.GetEvidenceDownload, download).metadata["state"] == "CHECKING"
    assert person.FinalizeEvidence(finalize(name)) == done
    checking.check_the_rest(app)
    stored = state(person, name)
    assert (stored.state, stored.scan_state) == (
        pb.Evidence.STATE_STORED,
        pb.Evidence.SCAN_STATE_NOT_SCANNED,
    )
    assert keys(portfolio_with_files, name) == [name.rpartition("/")[2]]  # nothing is left in quarantine
    got = httpx.get(person.GetEvidenceDownload(download).url).content
    assert hashlib.sha256(got).hexdigest() == stored.sha256
    ask = pb.GetEvidenceUploadRequest(name=name)
    assert refused(person.GetEvidenceUpload, ask).metadata["needed"] == "AWAITING_UPLOAD"
    assert reason_of(portfolio_with_files.person().GetEvidenceUpload, ask) == "NOT_FOUND"


@pytest.mark.parametrize("large", [True, False])
def test_a_part_of_other_bytes_makes_the_whole_refused(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if not large:
        monkeypatch.setattr(checking, "AT_ONCE", len(FILM))
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    app.scanner = Clamd("127.0.0.1:1")
    name = announce(person, FILM).evidence.name
    wrong = FILM[:5000] + b"!" + FILM[5001:]
    for part in missing(person, name):
        put_part(part, wrong).raise_for_status()
    if large:
        person.FinalizeEvidence(finalize(name))
        checking.check_the_rest(app)
        assert state(person, name).upload_fault == "sha256"
    else:
        info = refused(person.FinalizeEvidence, finalize(name))
        assert (info.reason, info.metadata["field"]) == ("UPLOAD_MISMATCH", "sha256")
    assert state(person, name).state == pb.Evidence.STATE_AWAITING_UPLOAD
    assert keys(portfolio_with_files, name) == []
    for part in missing(person, name):
        put_part(part).raise_for_status()
    person.FinalizeEvidence(finalize(name))
    checking.check_the_rest(app)
    stored = state(person, name)
    app.scanner = None
    assert (stored.state, stored.upload_fault) == (pb.Evidence.STATE_STORED, "")
    assert stored.scan_state == pb.Evidence.SCAN_STATE_PENDING


def test_a_part_is_bound_to_its_size(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    name = announce(person, FILM).evidence.name
    part = missing(person, name)[0]
    headers = dict(part.headers) | {"Content-Length": str(part.size_bytes + 1)}
    assert uploads.put(part.url, headers, FILM[: part.size_bytes + 1]).status_code == 403
    assert len(missing(person, name)) == 6


def test_a_crash_between_moving_and_noting_loses_nothing(portfolio_with_files: Portfolio) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    name = announce(person, FILM).evidence.name
    for part in missing(person, name):
        put_part(part).raise_for_status()
    person.FinalizeEvidence(finalize(name))
    checking._verify(app, state(person, name))  # moved, and the process died
    checking.check_the_rest(app)
    assert state(person, name).state == pb.Evidence.STATE_STORED


@pytest.mark.parametrize("known", [True, False], ids=["known", "control"])
def test_parts_that_wait_for_their_check_are_not_swept(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """After a day without a consumer its first round has both to do, in any order."""
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    own = f"waymark-portfolio-{uuid.uuid4().hex}"  # the sweep must not meet other tests' files
    for module in (jobs, evidence_api, evidence_store):
        monkeypatch.setattr(module, "BUCKET", own)
    monkeypatch.setattr(jobs, "ORPHAN", timedelta(seconds=-60))
    if not known:
        monkeypatch.setattr(evidence_store, "key_of", lambda _: "")
    given_up, finalized = (announce(person, FILM).evidence.name for _ in range(2))
    put_part(missing(person, given_up)[0]).raise_for_status()
    for part in missing(person, finalized):
        put_part(part).raise_for_status()
    person.FinalizeEvidence(finalize(finalized))
    jobs.sweep_evidence(app)
    assert [part.number for part in missing(person, given_up)] == [1, 2, 3, 4, 5, 6]
    checking.check_the_rest(app)
    done = state(person, finalized)
    assert (done.state, done.upload_fault) == (
        (pb.Evidence.STATE_STORED, "") if known else (pb.Evidence.STATE_AWAITING_UPLOAD, "missing")
    )


def test_erasing_takes_parts_along(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    name = announce(person, FILM).evidence.name
    for part in missing(person, name)[:3]:
        put_part(part).raise_for_status()
    assert len(keys(portfolio_with_files, name)) == 3
    etag = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder)).etag
    person.EraseHolder(holder_pb2.EraseHolderRequest(name=person.holder, etag=etag))
    assert keys(portfolio_with_files, name) == []


def test_a_small_file_still_goes_at_once(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    made = announce(person)
    put(made).raise_for_status()
    assert person.FinalizeEvidence(finalize(made.evidence.name)).state == pb.Evidence.STATE_STORED


def test_one_that_cannot_be_opened_holds_no_other_up(portfolio_with_files: Portfolio) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    announced = [announce(person, FILM).evidence.name for _ in range(2)]
    for name in announced:
        for part in missing(person, name):
            put_part(part).raise_for_status()
        person.FinalizeEvidence(finalize(name))
    spoil = text("UPDATE evidence SET sealed = 'x' WHERE id = :id")
    with transaction(app) as tx:
        tx.execute(spoil, {"id": announced[0].rpartition("/")[2]})
    checking.check_the_rest(app)
    assert state(person, announced[1]).state == pb.Evidence.STATE_STORED
    with transaction(app) as tx:  # so that no later test meets it
        tx.execute(text("DELETE FROM evidence WHERE holder_id = :id"), {"id": person.subject})
