"""Films as evidence, and small pictures of files."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import evidence_pb2 as pb
from waymark.portfolio.v1 import holder_pb2

from services.platform.db.transaction import transaction
from services.platform.objects import parts
from services.platform.objects.clamd import Clamd
from services.portfolio import checking
from services.portfolio.domain import films
from tests.integration.portfolio.test_evidence import announce, finalize, put, stored
from tests.integration.portfolio.test_evidence_parts import missing, put_part, state
from tests.support.clamd import EICAR, scanner
from tests.support.films import mp4, webm
from tests.support.portfolio import Caller, Portfolio, reason_of, refused

MP4: dict[str, Any] = {"file_name": "film.mp4", "content_type": "video/mp4"}
WEBM: dict[str, Any] = {"file_name": "film.webm", "content_type": "video/webm"}
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(50)


def refusal(person: Caller, film: bytes, **fields: Any) -> Any:
    made = announce(person, film, **fields)
    put(made, film).raise_for_status()
    return refused(person.FinalizeEvidence, finalize(made.evidence.name))


def test_the_length_of_a_film_is_read_and_bounded(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio_with_files.person()
    told = [
        stored(person, mp4(95.5), **MP4),
        stored(person, webm(7), **WEBM),
        stored(person, webm(None), **WEBM),
    ]
    assert [each.duration.ToMilliseconds() for each in told] == [95_500, 7_000, 0]
    assert not told[2].HasField("duration")
    info = refusal(person, mp4(3601), **MP4)
    assert (info.reason, info.metadata["seconds"]) == ("EVIDENCE_TOO_LONG", "3601")
    broken = mp4().replace(b"mvhd", b"none")
    assert refusal(person, broken, **MP4).metadata["field"] == "content_type"
    monkeypatch.setattr(films, "LONGEST", 4000)  # control: the bound is what refused it
    assert stored(person, mp4(3601), **MP4).duration.seconds == 3601
    monkeypatch.undo()
    monkeypatch.setattr(parts, "PART_BYTES", 4096)
    monkeypatch.setattr(checking, "AT_ONCE", 100)
    film = mp4(3602)
    name = announce(person, film, **MP4).evidence.name
    for part in missing(person, name):
        put_part(part, film).raise_for_status()
    person.FinalizeEvidence(finalize(name))
    checking.check_the_rest(portfolio_with_files.app)
    assert state(person, name).upload_fault == "duration"


def test_a_small_picture_is_sealed_logged_and_erased(portfolio_with_files: Portfolio) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    film = stored(person, mp4(), **MP4)
    ask = pb.GetEvidencePosterRequest(name=film.name)
    assert reason_of(person.GetEvidencePoster, ask) == "NOT_FOUND"
    request = pb.SetEvidencePosterRequest(name=film.name, image=JPEG)
    changed = person.SetEvidencePoster(request)
    assert changed.has_poster
    changed.has_poster = False
    assert changed == film  # and nothing else of it changed
    answer = person.GetEvidencePoster(ask)
    assert (answer.content_type, answer.data) == ("image/jpeg", JPEG)
    counsellor = portfolio_with_files.mandated(person)
    assert counsellor.GetEvidencePoster(ask).data == JPEG
    (record,) = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert (record.action, record.resource) == ("GetEvidencePoster", film.name)
    assert reason_of(portfolio_with_files.person().GetEvidencePoster, ask) == "NOT_FOUND"
    request.image = b"<svg onload=alert(1)>"
    assert refused(person.SetEvidencePoster, request).metadata["field"] == "content_type"
    request.image = JPEG + bytes(100_000)
    assert reason_of(person.SetEvidencePoster, request) == "INVALID_ARGUMENT"
    with scanner() as there:
        app.scanner = Clamd(there.address)
        request.image = JPEG + EICAR
        assert reason_of(person.SetEvidencePoster, request) == "EVIDENCE_INFECTED"
        there.held.clear()
        app.scanner = Clamd("127.0.0.1:1")
        request.image = JPEG
        assert reason_of(person.SetEvidencePoster, request) == "UNAVAILABLE"
        app.scanner = None
    kept = text("SELECT sealed FROM evidence_posters WHERE holder_id = :id")
    with transaction(app) as tx:
        (sealed,) = tx.execute(kept, {"id": person.subject}).scalars()
    assert b"JFIF" not in bytes(sealed)
    request.image = b""
    assert not person.SetEvidencePoster(request).has_poster
    assert reason_of(person.GetEvidencePoster, ask) == "NOT_FOUND"
    person.SetEvidencePoster(pb.SetEvidencePosterRequest(name=film.name, image=JPEG))
    etag = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder)).etag
    person.EraseHolder(holder_pb2.EraseHolderRequest(name=person.holder, etag=etag))
    with transaction(app) as tx:
        assert tx.execute(kept, {"id": person.subject}).all() == []
