"""A file that its holder deletes: gone with its bytes, named by nothing, unless somebody still needs it."""

from __future__ import annotations

import io
import threading
import uuid
import zipfile
from collections.abc import Set as AbstractSet
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.portfolio.v1 import entry_pb2, entry_revision_pb2, page_submission_pb2, skill_claim_pb2
from waymark.portfolio.v1 import evidence_pb2 as pb
from waymark.portfolio.v1 import holder_pb2 as holders
from waymark.portfolio.v1 import journal_entry_pb2 as journal
from waymark.portfolio.v1 import page_pb2 as pages
from waymark.portfolio.v1 import validation_pb2 as cases

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.objects.store import INCOMING
from services.portfolio import unlinking
from services.portfolio.domain import quotas
from services.portfolio.store.collection import Collection
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import BUCKET
from tests.integration.portfolio.test_evidence import announce, finalize, put, stored
from tests.support.pages import handing_in, page
from tests.support.portfolio import PDF, Caller, Portfolio, entry, reason_of, refused, skill
from tests.support.validations import NOT_SHOWN, SHOWN, Given, identified

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 40


def deleting(name: str, **fields: Any) -> pb.DeleteEvidenceRequest:
    return pb.DeleteEvidenceRequest(name=name, **fields)


def keys(portfolio: Portfolio, name: str) -> list[str]:
    id_ = name.rpartition("/")[2]
    objects = portfolio.app.objects
    return [*objects.keys(BUCKET, id_), *objects.keys(BUCKET, INCOMING + id_)]


def known(person: Caller, name: str) -> str:
    return reason_of(person.GetEvidence, pb.GetEvidenceRequest(name=name))


def exported(person: Caller) -> list[str]:
    parts = person.ExportHolder(holders.ExportHolderRequest(name=person.holder))
    return zipfile.ZipFile(io.BytesIO(b"".join(part.data for part in parts))).namelist()


def test_a_file_goes_with_its_bytes_and_gives_its_room_back(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio_with_files.person()
    monkeypatch.setattr(quotas, "EVIDENCE_BYTES", len(PDF))
    file = stored(person)
    person.SetEvidencePoster(pb.SetEvidencePosterRequest(name=file.name, image=JPEG))
    assert keys(portfolio_with_files, file.name) == [file.name[-36:]]
    another = pb.CreateEvidenceRequest(parent=person.holder, evidence=pb.Evidence())
    another.evidence.CopyFrom(file)
    assert reason_of(person.CreateEvidence, another) == "QUOTA_EXCEEDED"
    assert [name for name in exported(person) if name.startswith(("evidence/", "posters/"))]
    request = deleting(file.name, etag=file.etag, request_id=str(uuid.uuid4()))
    person.DeleteEvidence(request)
    assert keys(portfolio_with_files, file.name) == []
    assert known(person, file.name) == "NOT_FOUND"
    assert not [name for name in exported(person) if name.startswith(("evidence/", "posters/"))]
    with transaction(portfolio_with_files.app) as tx:
        count = text("SELECT count(*) FROM evidence_posters WHERE holder_id = :holder")
        assert tx.execute(count, {"holder": person.subject}).scalar_one() == 0
    person.DeleteEvidence(request)  # the kept answer
    assert reason_of(person.DeleteEvidence, deleting(file.name)) == "NOT_FOUND"
    assert stored(person).size_bytes == len(PDF)  # control: there is room again


def test_an_upload_under_way_goes_too(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    made = announce(person)
    put(made).raise_for_status()
    assert keys(portfolio_with_files, made.evidence.name) == [INCOMING + made.evidence.name[-36:]]
    person.DeleteEvidence(deleting(made.evidence.name))
    assert keys(portfolio_with_files, made.evidence.name) == []
    assert reason_of(person.FinalizeEvidence, finalize(made.evidence.name)) == "NOT_FOUND"


def test_only_the_holder_deletes_and_only_what_was_read(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    made = announce(person)
    put(made).raise_for_status()
    file = person.FinalizeEvidence(finalize(made.evidence.name))
    helper = portfolio_with_files.mandated(person, act_on_behalf=True)
    assert reason_of(helper.DeleteEvidence, deleting(file.name)) == "PERMISSION_DENIED"
    assert reason_of(portfolio_with_files.person().DeleteEvidence, deleting(file.name)) == "NOT_FOUND"
    stale = refused(person.DeleteEvidence, deleting(file.name, etag=made.evidence.etag))
    assert (stale.reason, stale.metadata["etag"]) == ("ETAG_STALE", file.etag)
    assert keys(portfolio_with_files, file.name)
    person.DeleteEvidence(deleting(file.name, etag=file.etag))


def test_nothing_of_the_holders_names_it_any_more(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    file, other = stored(person), stored(person, PDF + b"other")
    both = [file.name, other.name]
    job, untouched = entry(person, evidence=both), entry(person, evidence=[other.name])
    claim = skill(person, evidence=both)
    wanted = journal.JournalEntry(title="Day", text="Welded", evidence=both)
    day = person.CreateJournalEntry(
        journal.CreateJournalEntryRequest(parent=person.holder, journal_entry=wanted)
    )
    day.text = "Welded a lot"
    person.UpdateJournalEntry(journal.UpdateJournalEntryRequest(journal_entry=day))
    shown = page(person, pages.PageBlock(evidence=file.name), pages.PageBlock(text="Me"))
    person.DeleteEvidence(deleting(file.name))

    now = person.GetEntry(entry_pb2.GetEntryRequest(name=job.name))
    assert (list(now.evidence), now.etag != job.etag) == ([other.name], True)
    assert person.GetEntry(entry_pb2.GetEntryRequest(name=untouched.name)) == untouched
    got = person.GetSkillClaim(skill_claim_pb2.GetSkillClaimRequest(name=claim.name))
    assert (list(got.evidence), got.concept_uri) == ([other.name], claim.concept_uri)
    day = person.GetJournalEntry(journal.GetJournalEntryRequest(name=day.name))
    assert (list(day.evidence), day.text) == ([other.name], "Welded a lot")
    rendered = person.RenderPage(pages.RenderPageRequest(name=shown.name, format=pages.PAGE_FORMAT_HTML))
    assert b"certificate.pdf" not in b"".join(part.data for part in rendered)
    # What was said before comes back, without what is gone.
    back = person.RollbackEntry(entry_revision_pb2.RollbackEntryRequest(name=job.name, revision_id="1"))
    assert list(back.evidence) == [other.name]
    undone = person.UndoJournalEntry(journal.UndoJournalEntryRequest(name=day.name))
    assert (list(undone.evidence), undone.text) == ([other.name], "Welded")


def test_what_is_named_by_what_comes_in_at_the_same_moment_does_not_go_unnoticed(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio_with_files.person()

    def race() -> tuple[bool, entry_pb2.Entry]:
        """Adds an entry that was checked before, and is written half a second after, the file is deleted."""
        file, checked, gone, add = stored(person), threading.Event(), threading.Event(), ENTRIES.add

        def slowly(*args: Any, **columns: Any) -> Any:
            checked.set()
            gone.wait(0.5)
            return add(*args, **columns)

        def delete() -> None:
            checked.wait(10)
            person.DeleteEvidence(deleting(file.name))
            gone.set()

        deletes = threading.Thread(target=delete)
        deletes.start()
        with monkeypatch.context() as patch:
            patch.setattr(ENTRIES, "add", slowly)
            made = entry(person, evidence=[file.name])
            first = gone.is_set()
        deletes.join()
        return first, person.GetEntry(entry_pb2.GetEntryRequest(name=made.name))

    first, found = race()
    assert not first
    assert not found.evidence

    def carelessly(self: Collection[Any], tx: Any, holder: str, row_ids: set[str]) -> AbstractSet[str]:
        there = select(self.table.c.id).where(self.table.c.id.in_(row_ids))
        return row_ids - set(tx.execute(there).scalars())

    monkeypatch.setattr(Collection, "missing", carelessly)  # control
    first, found = race()
    assert first
    assert found.evidence


def test_pages_handed_in_keep_their_files_while_they_can_be_read(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, recipient = portfolio_with_files.person(), portfolio_with_files.counsellor()
    files = [stored(person, PDF + each) for each in (b"a", b"b", b"c")]
    org = portfolio_with_files.organisation

    def hand_in(file: pb.Evidence) -> str:
        made = page(person, pages.PageBlock(evidence=file.name))
        return str(person.CreatePageSubmission(handing_in(person, made.name, recipient, org)).name)

    first, second, third = map(hand_in, files)
    for file, name in zip(files, (first, second, third), strict=True):
        found = refused(person.DeleteEvidence, deleting(file.name))
        assert (found.reason, found.metadata["resource"]) == ("EVIDENCE_HANDED_IN", name)
        assert keys(portfolio_with_files, file.name)
    person.WithdrawPageSubmission(page_submission_pb2.WithdrawPageSubmissionRequest(name=first))
    person.DeleteEvidence(deleting(files[0].name))
    with transaction(portfolio_with_files.app) as tx:
        past = text("UPDATE page_submissions SET expires_at = now() - interval '1 s' WHERE id = :id")
        tx.execute(past, {"id": second[-36:]})
    person.DeleteEvidence(deleting(files[1].name))
    monkeypatch.setattr(unlinking, "require_unneeded", lambda *_: None)  # control
    person.DeleteEvidence(deleting(files[2].name))


def test_a_case_keeps_its_files_until_nothing_is_to_be_decided(portfolio_with_files: Portfolio) -> None:
    given, name = submitted_with_file(portfolio_with_files)
    person, case = given.person, given.name
    found = refused(person.DeleteEvidence, deleting(name))
    assert (found.reason, found.metadata["resource"]) == ("EVIDENCE_HANDED_IN", case)
    given.concluded(SHOWN, NOT_SHOWN)  # in part, with thirty days to appeal
    assert reason_of(person.DeleteEvidence, deleting(name)) == "EVIDENCE_HANDED_IN"
    with transaction(portfolio_with_files.app) as tx:
        past = text("UPDATE validation_cases SET appeal_end = now() - interval '1 s' WHERE id = :id")
        tx.execute(past, {"id": case[-36:]})
    person.DeleteEvidence(deleting(name))
    snapshot = person.GetValidationSnapshot(cases.GetValidationSnapshotRequest(name=case))
    assert [each.name for each in snapshot.evidence] == [name]  # says what there was, with its hash


def test_a_withdrawn_or_certified_case_lets_them_go(portfolio_with_files: Portfolio) -> None:
    given, name = submitted_with_file(portfolio_with_files)
    given.person.WithdrawValidationCase(cases.WithdrawValidationCaseRequest(name=given.name))
    given.person.DeleteEvidence(deleting(name))
    given, name = submitted_with_file(portfolio_with_files)
    given.concluded(SHOWN, SHOWN)
    given.person.DeleteEvidence(deleting(name))


def test_bytes_that_cannot_be_reached_are_left_to_the_sweep(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio_with_files.person()
    file = stored(person)

    def away(*_: Any) -> None:
        raise Refusal(1)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(portfolio_with_files.app.objects, "delete", away)
        person.DeleteEvidence(deleting(file.name))
    assert known(person, file.name) == "NOT_FOUND"
    assert keys(portfolio_with_files, file.name)  # and no row knows it: see the test of the sweep


def submitted_with_file(portfolio: Portfolio) -> tuple[Given, str]:
    """A case that was handed in with a file, and the file's name."""
    given = identified(portfolio)
    name = stored(given.person).name
    documents = [
        cases.ElementDocument(element=element, rating=SHOWN, evidence=[name]) for element in ("arc", "gas")
    ]
    given.person.DocumentElements(cases.DocumentElementsRequest(name=given.name, documents=documents))
    given.person.SubmitValidationCase(cases.SubmitValidationCaseRequest(name=given.name))
    return given, name
