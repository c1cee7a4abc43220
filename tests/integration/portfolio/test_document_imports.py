"""An import is undone: what it brought goes, and what somebody changed since or still needs stays."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from waymark.portfolio.v1 import attestation_pb2, entry_pb2, goal_pb2, holder_pb2
from waymark.portfolio.v1 import document_import_pb2 as pb
from waymark.portfolio.v1 import page_pb2 as pages
from waymark.portfolio.v1.skill_claim_pb2 import ListSkillClaimsRequest

from services.portfolio import taking_back
from services.portfolio.domain import quotas
from tests.integration.portfolio.test_archives import archive, evidence, in_store
from tests.integration.portfolio.test_documents import LEAP, RESUME, bring, export, titles
from tests.integration.portfolio.test_documents_planning import (
    MAHARA,
    busy,
    entries_of,
    goal,
    planned,
    reminders,
    shown,
    written,
)
from tests.integration.portfolio.test_remainders import CANDIDATE, kept
from tests.integration.portfolio.test_rights import held
from tests.support.candidates import RICH
from tests.support.pages import collection
from tests.support.portfolio import PDF, Caller, Portfolio, entry, outcome, reason_of, refused, soon
from tests.support.portfolio import skill as claimed
from tests.support.real_data import real_data

Outcome = pb.ImportedThing
SKILLS = b'{"basics": {"name": "Ada Byron"}, "skills": [{"name": "Riveting"}, {"name": "Brazing"}]}'


def imports(person: Caller) -> list[pb.DocumentImport]:
    """The history, the last one first."""
    request = pb.ListDocumentImportsRequest(parent=person.holder)
    return list(person.ListDocumentImports(request).document_imports)


def undo(person: Caller, name: str, **fields: Any) -> pb.DocumentImport:
    answer: pb.DocumentImport = person.UndoDocumentImport(pb.UndoDocumentImportRequest(name=name, **fields))
    return answer


def outcomes(made: pb.DocumentImport) -> Counter[str]:
    return Counter(Outcome.Outcome.Name(each.outcome).removeprefix("OUTCOME_") for each in made.things)


def everything(person: Caller) -> list[Any]:
    """All that a document can bring, without times and versions."""
    found: list[Message] = [person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))]
    found += [*entries_of(person), *written(person), *planned(person), *shown(person), *kept(person)]
    found += [*evidence(person), *skills_of(person), *goals_of(person)]
    for each in found:
        for field in ("etag", "update_time"):
            if field in each.DESCRIPTOR.fields_by_name:
                each.ClearField(field)
    return found


def skills_of(person: Caller) -> list[Any]:
    return list(person.ListSkillClaims(ListSkillClaimsRequest(parent=person.holder)).skill_claims)


def goals_of(person: Caller) -> list[Any]:
    return list(person.ListGoals(goal_pb2.ListGoalsRequest(parent=person.holder)).goals)


def test_an_undone_import_leaves_a_portfolio_as_it_was(portfolio: Portfolio) -> None:
    source, person = busy(portfolio), portfolio.person(family_name="Peeters")
    content = export(source, source, LEAP, journal_and_plans=True)
    goal(person)  # is in the document too, and was there first
    entry(person, "Cook")
    before, since = everything(person), reminders(portfolio, person)
    brought = {}
    for document, format_ in (
        (content, LEAP),
        (real_data(MAHARA).read_bytes(), LEAP),
        (RICH.encode(), CANDIDATE),
    ):
        answer = bring(person, document, format_)
        brought[answer.document_import] = answer
    assert reminders(portfolio, person) > since
    assert [each.name for each in imports(person)] == list(brought)[::-1]
    for name in reversed(brought):
        made = person.GetDocumentImport(pb.GetDocumentImportRequest(name=name))
        assert outcomes(made) == {"UNSPECIFIED": made.thing_count}
        named = [each.title for each in made.things if "/entries/" in each.resource]
        assert named == list(brought[name].entry_titles)
        assert [each.field for each in made.things if each.field] == list(brought[name].holder_fields)
        dry = undo(person, name, validate_only=True)
        assert not dry.HasField("undo_time")
        done = undo(person, name)
        assert outcomes(dry) == outcomes(done) == {"TAKEN_BACK": made.thing_count}
    assert everything(person) == before
    assert reminders(portfolio, person) == since
    assert all(each.HasField("undo_time") and not each.things for each in imports(person))
    assert bring(person, content, LEAP).entry_titles == brought[next(iter(brought))].entry_titles  # as new


def test_files_go_with_their_bytes_unless_something_needs_them(portfolio_with_files: Portfolio) -> None:
    person, before = portfolio_with_files.person(), in_store(portfolio_with_files)
    answer = bring(person, archive({"one.pdf": PDF, "two.pdf": PDF + b"two"}), LEAP)
    one, two = evidence(person)
    own = entry(person, "Mine", evidence=[one.name])
    (job,) = (each for each in entries_of(person) if each.title == "job")
    key = str(uuid.uuid4())
    done = undo(person, answer.document_import, request_id=key)
    by_name = {each.resource: each.outcome for each in done.things}
    assert by_name == {
        one.name: Outcome.OUTCOME_NEEDED,
        two.name: Outcome.OUTCOME_TAKEN_BACK,
        job.name: Outcome.OUTCOME_TAKEN_BACK,
    }
    assert undo(person, answer.document_import, request_id=key) == done
    again = refused(person.UndoDocumentImport, pb.UndoDocumentImportRequest(name=answer.document_import))
    assert (again.reason, again.metadata["state"]) == ("WRONG_STATE", "UNDONE")
    assert titles(person) == ["Mine"]
    assert [each.name for each in evidence(person)] == list(entries_of(person)[0].evidence) == [one.name]
    assert in_store(portfolio_with_files) - before == {one.name[-36:]}
    back = person.UndeleteEntry(entry_pb2.UndeleteEntryRequest(name=job.name))
    assert list(back.evidence) == [one.name]
    assert own.name != back.name


def test_what_was_changed_since_stays_and_is_told(portfolio: Portfolio) -> None:
    person = portfolio.person()
    answer = bring(person, real_data(MAHARA).read_bytes(), LEAP)
    first, second, *rest = entries_of(person)
    person.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=entry_pb2.Entry(name=first.name, title="Mine")))
    person.DeleteEntry(entry_pb2.DeleteEntryRequest(name=second.name))
    (made, *_) = person.ListPages(pages.ListPagesRequest(parent=person.holder)).pages
    collection(person, made.name)
    named = holder_pb2.Holder(name=person.holder, given_name="Ada", family_name="")
    mask = FieldMask(paths=["given_name", "family_name"])
    person.UpdateHolder(holder_pb2.UpdateHolderRequest(holder=named, update_mask=mask))
    done = undo(person, answer.document_import)
    told = {each.field or each.resource: each.outcome for each in done.things}
    assert told[first.name] == told["given_name"] == Outcome.OUTCOME_CHANGED
    assert told[second.name] == told["family_name"] == Outcome.OUTCOME_GONE_BEFORE
    assert told[made.name] == Outcome.OUTCOME_NEEDED
    assert {told[each.name] for each in rest} == {Outcome.OUTCOME_TAKEN_BACK}
    assert titles(person) == ["Mine"]
    assert [each.title for each in shown(person)] == [made.title]
    holder = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    assert (holder.given_name, holder.family_name) == ("Ada", "")


@pytest.mark.parametrize("looked", [True, False], ids=["looked", "control"])
def test_a_skill_that_somebody_was_asked_to_attest_stays(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, looked: bool
) -> None:
    person = portfolio.person()
    claimed(person)
    answer = bring(person, SKILLS, RESUME)
    own, asked = skills_of(person)[-1], skills_of(person)[0]
    wanted = attestation_pb2.AttestationRequest(skill_claim=asked.name, expire_time=soon(days=1))
    person.CreateAttestationRequest(
        attestation_pb2.CreateAttestationRequestRequest(parent=person.holder, attestation_request=wanted)
    )
    if not looked:
        monkeypatch.setattr(taking_back, "_skills_needed", lambda *_: set())
    done = undo(person, answer.document_import)
    assert ("NEEDED" in outcomes(done)) is looked
    assert [each.name for each in skills_of(person)] == ([asked.name, own.name] if looked else [own.name])


def test_only_the_holder_undoes_and_not_while_a_hold_keeps_things(portfolio: Portfolio) -> None:
    person, stranger = portfolio.person(), portfolio.person()
    name = bring(person, SKILLS, RESUME).document_import
    assert not bring(person, SKILLS, RESUME).document_import  # nothing came of it
    assert not bring(stranger, SKILLS, RESUME, validate_only=True).document_import
    request = pb.UndoDocumentImportRequest(name=name)
    helper = portfolio.mandated(person, act_on_behalf=True)
    assert reason_of(helper.UndoDocumentImport, request) == "PERMISSION_DENIED"
    assert reason_of(stranger.UndoDocumentImport, request) == "NOT_FOUND"
    assert reason_of(stranger.GetDocumentImport, pb.GetDocumentImportRequest(name=name)) == "NOT_FOUND"
    foreign = name.replace(person.holder, stranger.holder)
    assert reason_of(stranger.UndoDocumentImport, pb.UndoDocumentImportRequest(name=foreign)) == "NOT_FOUND"
    held(portfolio, person)
    assert reason_of(person.UndoDocumentImport, request) == "ERASURE_HELD"
    assert len(skills_of(person)) == 2


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_two_at_once_undo_once(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, locked: bool) -> None:
    """Each waits half a second for the other to have looked as well, which the lock does not let happen."""
    person, both = portfolio.person(), threading.Barrier(2)
    request = pb.UndoDocumentImportRequest(name=bring(person, SKILLS, RESUME).document_import)
    there, holders, made = taking_back._there, taking_back.holders, taking_back.IMPORTS

    def together(*args: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return there(*args)

    def careless(of: Any) -> SimpleNamespace:
        return SimpleNamespace(get=lambda *args, lock: of.get(*args, lock=locked), replace=of.replace)

    monkeypatch.setattr(taking_back, "_there", together)
    monkeypatch.setattr(taking_back, "holders", careless(holders))
    monkeypatch.setattr(taking_back, "IMPORTS", careless(made))
    with ThreadPoolExecutor(2) as pool:
        ended = sorted(pool.map(lambda _: outcome(person.UndoDocumentImport, request), range(2)))
    assert ended == (["OK", "WRONG_STATE"] if locked else ["OK", "OK"])


def test_what_stays_would_go_unlooked(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of what was changed since, of needed files and of needed pages."""
    person = portfolio_with_files.person()
    files = bring(person, archive({"one.pdf": PDF}), LEAP).document_import
    own = entry(person, "Mine", evidence=[evidence(person)[0].name])
    paged = bring(person, real_data(MAHARA).read_bytes(), LEAP).document_import
    (made, *_) = person.ListPages(pages.ListPagesRequest(parent=person.holder)).pages
    collection(person, made.name)
    monkeypatch.setattr(taking_back, "_files_needed", lambda *_: set())
    monkeypatch.setattr(taking_back, "_pages_needed", lambda *_: set())
    for name in (paged, files):
        assert outcomes(undo(person, name)).keys() == {"TAKEN_BACK"}
    assert (evidence(person), shown(person)) == ([], [])
    assert [each.name for each in entries_of(person)] == [own.name]
    changed = bring(person, SKILLS, RESUME).document_import
    monkeypatch.setattr(taking_back, "UNTOUCHED", '"2"')
    assert outcomes(undo(person, changed, validate_only=True))["CHANGED"] == 2


def test_the_oldest_are_forgotten(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    person = portfolio.person()
    monkeypatch.setattr(quotas, "IMPORTS", 1)
    made = [
        bring(person, f'{{"skills": [{{"name": "{name}"}}]}}'.encode(), RESUME).document_import
        for name in ("Welding", "Brazing", "Soldering")
    ]
    assert [each.name for each in imports(person)] == made[:0:-1]
    assert len(skills_of(person)) == 3
