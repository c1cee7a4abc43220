"""Files in a Leap2A archive that is brought in: evidence like any other, and told where it cannot be."""

from __future__ import annotations

import io
import threading
import uuid
import zipfile
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import evidence_pb2

from services.platform.objects.clamd import Clamd
from services.portfolio import unpacking
from services.portfolio.domain import quotas
from services.portfolio.formats import leap2a
from services.portfolio.store.evidence import BUCKET
from tests.integration.portfolio.test_documents import LEAP, bring, export, titles, without_import
from tests.integration.portfolio.test_documents_planning import entries_of
from tests.support.clamd import EICAR, scanner
from tests.support.portfolio import PDF, Caller, Portfolio, refused

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
_HEAD = f'<feed xmlns="{leap2a.ATOM}" xmlns:rdf="{leap2a.RDF}" xmlns:leap2="{leap2a.LEAP}">'


def archive(files: Mapping[str, bytes], links: Collection[str] = ()) -> bytes:
    """An archive as others make it: a job, shown by each of these files, or by what stands at `links`."""
    made, places = io.BytesIO(), links or files
    shown = "".join(f'<link rel="leap2:has_evidence" href="f:{place}"/>' for place in map(quote, places))
    feed = _HEAD + _item("job", "activity", shown)
    for place in map(quote, places):
        feed += _item(f"f:{place}", "resource", f'<link rel="enclosure" type="image/x" href="{place}"/>')
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("all/leap2a.xml", feed + "</feed>")
        for place, content in files.items():
            packed.writestr(f"all/{place}", content)
    return made.getvalue()


def _item(id_: str, type_: str, more: str) -> str:
    head = f'<id>{id_}</id><title>{id_}</title><rdf:type rdf:resource="leap2:{type_}"/>'
    area = '<category term="Work" scheme="categories:life_area#"/>' if type_ == "activity" else ""
    return f"<entry>{head}{area}{more}</entry>"


def evidence(person: Caller) -> list[evidence_pb2.Evidence]:
    """The files of somebody, newest first."""
    return list(person.ListEvidence(evidence_pb2.ListEvidenceRequest(parent=person.holder)).evidence)


def said(person: Caller) -> list[tuple[str, str, str, str]]:
    return [(each.title, each.file_name, each.content_type, each.sha256) for each in evidence(person)]


def told(answer: pb.ImportDocumentResponse) -> dict[str, str]:
    """Why files are not here, by the fields that say so."""
    return {each.reason: each.field for each in answer.not_carried if each.reason}


def in_store(portfolio: Portfolio) -> set[str]:
    return set(portfolio.app.objects.keys(BUCKET, ""))


def test_files_come_in_once_and_go_out_as_they_came(portfolio_with_files: Portfolio) -> None:
    person, other = portfolio_with_files.person(), portfolio_with_files.person()
    content, before = archive({"a/paper.JPG": PDF, "a seam.png": PNG}), in_store(portfolio_with_files)
    dry = bring(person, content, LEAP, validate_only=True)
    assert (evidence(person), in_store(portfolio_with_files)) == ([], before)
    key = str(uuid.uuid4())
    first = bring(person, content, LEAP, request_id=key)
    assert bring(person, content, LEAP, request_id=key) == first
    assert without_import(first) == dry
    assert dry.evidence_titles == ["f:a/paper.JPG", "f:a%20seam.png"]
    assert not {each.field for each in dry.not_carried} & {"evidence", "evidence.file"}
    paper, seam = evidence(person)
    assert (paper.file_name, paper.content_type) == ("paper.JPG", "application/pdf")  # by its bytes
    assert {paper.state, seam.state} == {evidence_pb2.Evidence.STATE_STORED}
    (job,) = entries_of(person)
    assert list(job.evidence) == [paper.name, seam.name]
    with portfolio_with_files.app.objects.open(BUCKET, seam.name.rpartition("/")[2]) as stored:
        assert stored.read() == PNG
    again = bring(person, content, LEAP)
    assert (list(again.evidence_titles), again.duplicates, len(evidence(person))) == ([], 1, 2)
    bring(other, export(person, person, LEAP), LEAP)
    assert said(other) == said(person)
    assert len(entries_of(other)[0].evidence) == 2
    assert len(in_store(portfolio_with_files) - before) == 4


def test_what_is_refused_is_told_and_keeps_nothing_else_out(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, before = portfolio_with_files.person(), in_store(portfolio_with_files)
    files = {"paper.pdf": PDF, "notes.txt": b"no type that evidence has", "bad.pdf": PDF + EICAR}
    with scanner() as there:
        monkeypatch.setattr(portfolio_with_files.app, "scanner", Clamd(there.address))
        answer = bring(person, archive(files), LEAP)
    assert told(answer) == dict.fromkeys(("INVALID_ARGUMENT", "EVIDENCE_INFECTED"), "evidence.file")
    assert [each.file_name for each in evidence(person)] == ["paper.pdf"]
    assert [len(each.evidence) for each in entries_of(person)] == [1]
    assert len(in_store(portfolio_with_files) - before) == 1
    monkeypatch.setattr(portfolio_with_files.app, "scanner", None)  # control
    assert list(bring(person, archive(files), LEAP).evidence_titles) == ["f:bad.pdf"]


def test_files_without_room_wait_for_it(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, content = portfolio_with_files.person(), archive({"one.pdf": PDF, "two.pdf": PDF + b"two"})
    limits: tuple[tuple[Any, str, Any, str], ...] = (
        (quotas, "EVIDENCE_BYTES", len(PDF) - 1, "QUOTA_EXCEEDED"),
        (unpacking, "MOST", 0, "QUOTA_EXCEEDED"),
        (unpacking, "MARGIN", 600.0, "DEADLINE_EXCEEDED"),
    )
    for where, what, most, reason in limits:
        with monkeypatch.context() as patch:
            patch.setattr(where, what, most)
            assert told(bring(person, content, LEAP)) == {reason: "evidence.file"}
        assert not evidence(person)
    assert titles(person) == ["job"]
    monkeypatch.setattr(unpacking, "MOST", 1)
    assert list(bring(person, content, LEAP).evidence_titles) == ["f:two.pdf"]
    assert list(bring(person, content, LEAP).evidence_titles) == ["f:one.pdf"]
    assert [each.title for each in evidence(person)] == ["f:one.pdf", "f:two.pdf"]


def test_an_import_that_is_refused_leaves_no_files(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, before = portfolio_with_files.person(), in_store(portfolio_with_files)
    request = pb.ImportDocumentRequest(
        parent=person.holder, format=LEAP, content=archive({"one.pdf": PDF, "seam.png": PNG})
    )
    monkeypatch.setitem(quotas.LIMITS, "entries", 0)
    assert refused(person.ImportDocument, request).metadata["what"] == "entries"
    assert (evidence(person), in_store(portfolio_with_files)) == ([], before)
    monkeypatch.setattr(unpacking, "_let_go", lambda *_: None)  # control
    refused(person.ImportDocument, request)
    assert len(in_store(portfolio_with_files) - before) == 2


@pytest.mark.parametrize("looked", [True, False], ids=["looked", "control"])
def test_two_imports_at_once_add_a_file_once(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch, looked: bool
) -> None:
    """Each has stored the file before the other makes a row of its own."""
    person, before = portfolio_with_files.person(), in_store(portfolio_with_files)
    content, both, store = archive({"one.pdf": PDF}), threading.Barrier(2), unpacking._store

    def together(*arguments: Any) -> None:
        store(*arguments)
        both.wait(20)
        if not looked:
            monkeypatch.setattr(unpacking, "hashes", lambda *_: {})

    monkeypatch.setattr(unpacking, "_store", together)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: bring(person, content, LEAP), range(2)))
    found = len(evidence(person)), len(in_store(portfolio_with_files) - before)
    assert found == ((1, 1) if looked else (2, 2))


def test_a_link_leads_to_nothing_but_a_file_of_the_archive(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    links = ("../leap2a.xml", "/etc/passwd", "file:///etc/passwd", "", ".", "one.pdf")
    answer = bring(person, archive({"one.pdf": PDF}, links), LEAP)
    assert list(answer.evidence_titles) == ["f:one.pdf"]
    assert [each.file_name for each in evidence(person)] == ["one.pdf"]
