"""Pathways over the real server: agreed by two, walked step by step, never closed by a spell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from sqlalchemy import text
from waymark.portfolio.v1 import events_pb2, mandate_pb2, share_link_pb2
from waymark.portfolio.v1 import pathway_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio import jobs
from services.portfolio.api import pathway_steps
from services.portfolio.store.vault import restrict
from tests.support.portfolio import Caller, Portfolio, pathway, reason_of, refused, share, step

Step, Pathway = pb.Step, pb.Pathway
DOCUMENT = {"kind": Step.KIND_DOCUMENT}


def published(portfolio: Portfolio, kind: type, way: Pathway) -> list:
    with transaction(portfolio.app) as tx:
        rows = tx.execute(text("SELECT type, payload FROM outbox ORDER BY seq")).all()
    events = [kind.FromString(row.payload) for row in rows if row.type.endswith(kind.__name__)]
    return [event for event in events if event.pathway == way.name]


def move(caller: Caller, way: Pathway, index: int, state: int, **values) -> Pathway:
    return caller.MoveStep(pb.MoveStepRequest(name=way.steps[index].name, state=state, **values))


def active(portfolio: Portfolio, *steps: dict) -> tuple[Caller, Caller, Pathway]:
    """A person, a counsellor and their active pathway with these steps."""
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    way = pathway(person)
    for fields in steps:
        way = step(person, way.name, **fields)
    person.AgreePathway(pb.AgreePathwayRequest(name=way.name))
    counsellor.AgreePathway(pb.AgreePathwayRequest(name=way.name))
    return person, counsellor, person.StartPathway(pb.StartPathwayRequest(name=way.name))


@pytest.mark.parametrize("counsellor_first", [True, False])
def test_agreed_in_either_order_then_started(portfolio: Portfolio, counsellor_first: bool) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    way = step(counsellor, pathway(person).name, **DOCUMENT)
    order = [counsellor, person] if counsellor_first else [person, counsellor]
    agree = pb.AgreePathwayRequest(name=way.name)
    assert order[0].AgreePathway(agree).state == Pathway.STATE_DRAFT
    assert reason_of(person.StartPathway, pb.StartPathwayRequest(name=way.name)) == "WRONG_STATE"
    agreed = order[1].AgreePathway(agree)
    assert agreed.state == Pathway.STATE_AGREED
    assert agreed.holder_agreed_revision == agreed.counsellor_agreed_revision == agreed.revision == 2
    started = person.StartPathway(pb.StartPathwayRequest(name=way.name, etag=agreed.etag))
    assert started.state == Pathway.STATE_ACTIVE
    moved = published(portfolio, events_pb2.PathwayMoved, way)
    assert [(event.pathway, event.to_state) for event in moved] == [
        (way.name, "AGREED"),
        (way.name, "ACTIVE"),
    ]


def test_an_agreement_is_to_what_was_read(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    way = pathway(person)
    step(counsellor, way.name)
    stale = pb.AgreePathwayRequest(name=way.name, etag=way.etag)
    assert reason_of(person.AgreePathway, stale) == "ETAG_STALE"


def test_walked_to_the_end(portfolio: Portfolio) -> None:
    person, counsellor, way = active(
        portfolio, DOCUMENT, {**DOCUMENT, "alternatives_label": "x"}, {**DOCUMENT, "alternatives_label": "x"}
    )
    achieve = pb.AchievePathwayRequest(name=way.name)
    info = refused(counsellor.AchievePathway, achieve)
    assert (info.reason, len(info.metadata["steps"].split(","))) == ("PATHWAY_STEPS_OPEN", 3)
    move(person, way, 0, Step.STATE_RUNNING)
    move(person, way, 0, Step.STATE_EVIDENCE_SUBMITTED)
    confirm = pb.MoveStepRequest(name=way.steps[0].name, state=Step.STATE_CONFIRMED)
    assert reason_of(person.MoveStep, confirm) == "STEP_NEEDS_COUNSELLOR"
    counsellor.MoveStep(confirm)
    waived = move(counsellor, way, 1, Step.STATE_WAIVED, reason="Has it already")
    assert waived.steps[1].reason == "Has it already"
    assert counsellor.AchievePathway(achieve).state == Pathway.STATE_ACHIEVED
    moved = published(portfolio, events_pb2.PathwayStepMoved, way)
    assert [(event.from_state, event.to_state, event.cause) for event in moved] == [
        ("PLANNED", "RUNNING", "holder"),
        ("RUNNING", "EVIDENCE_SUBMITTED", "holder"),
        ("EVIDENCE_SUBMITTED", "CONFIRMED", "counsellor"),
        ("PLANNED", "WAIVED", "counsellor"),
    ]
    late = pb.AddStepRequest(pathway=way.name, step=Step(kind=Step.KIND_EXAM))
    assert reason_of(person.AddStep, late) == "WRONG_STATE"


def test_paused_resumed_transferred_and_abandoned(portfolio: Portfolio) -> None:
    person, _, way = active(portfolio, DOCUMENT)
    assert person.PausePathway(pb.PausePathwayRequest(name=way.name)).state == Pathway.STATE_PAUSED
    blocked = pb.MoveStepRequest(name=way.steps[0].name, state=Step.STATE_RUNNING)
    assert reason_of(person.MoveStep, blocked) == "WRONG_STATE"
    assert person.ResumePathway(pb.ResumePathwayRequest(name=way.name)).state == Pathway.STATE_ACTIVE
    ended = person.TransferPathway(pb.TransferPathwayRequest(name=way.name, destination="Actiris"))
    assert (ended.state, ended.ending) == (Pathway.STATE_TRANSFERRED, "Actiris")
    other = pathway(person)
    ended = person.AbandonPathway(pb.AbandonPathwayRequest(name=other.name, reason="Moved abroad"))
    assert (ended.state, ended.ending) == (Pathway.STATE_ABANDONED, "Moved abroad")
    listed = person.ListPathways(pb.ListPathwaysRequest(parent=person.holder)).pathways
    assert [found.name for found in listed] == [other.name, way.name]


def test_spells_run_beside_and_close_nothing(portfolio: Portfolio) -> None:
    person, _, way = active(portfolio, DOCUMENT)

    def add(kind: int, year: int, end: Date | None = None) -> Pathway:
        spell = pb.Spell(kind=kind, start_date=Date(year=year, month=1, day=1), end_date=end)
        return person.AddSpell(pb.AddSpellRequest(pathway=way.name, spell=spell))

    add(pb.Spell.KIND_EMPLOYED, 2025)
    after = add(pb.Spell.KIND_UNEMPLOYED, 2024, Date(year=2024, month=12, day=31))
    assert after.state == Pathway.STATE_ACTIVE
    assert after.revision == way.revision
    assert [spell.start_date.year for spell in after.spells] == [2024, 2025]
    end = pb.EndSpellRequest(name=after.spells[1].name, end_date=Date(year=2025, month=6, day=30))
    assert person.EndSpell(end).spells[1].end_date.month == 6
    end.end_date.year = 2023
    assert reason_of(person.EndSpell, end) == "INVALID_ARGUMENT"
    end.name = f"{way.name}/spells/none"
    assert reason_of(person.EndSpell, end) == "NOT_FOUND"
    bad = pb.Spell(kind=pb.Spell.KIND_CARE, start_date=Date(year=2023, month=2, day=29))
    assert reason_of(person.AddSpell, pb.AddSpellRequest(pathway=way.name, spell=bad)) == "INVALID_ARGUMENT"


def test_a_cycle_of_prerequisites_is_refused(portfolio: Portfolio, monkeypatch) -> None:
    person = portfolio.person()
    way = step(person, pathway(person).name)
    way = step(person, way.name, prerequisites=[way.steps[0].name])
    way = step(person, way.name, prerequisites=[way.steps[1].name])
    first, _, last = (found.name for found in way.steps)
    cycle = pb.UpdateStepRequest(step=Step(name=first, prerequisites=[last]))
    info = refused(person.UpdateStep, cycle)
    assert (info.reason, info.metadata["cycle"].count(first[-36:])) == ("PATHWAY_CYCLE", 2)
    itself = pb.UpdateStepRequest(step=Step(name=first, prerequisites=[first]))
    assert reason_of(person.UpdateStep, itself) == "PATHWAY_CYCLE"
    foreign = pb.UpdateStepRequest(step=Step(name=first, prerequisites=["holders/x/pathways/y/steps/z"]))
    assert reason_of(person.UpdateStep, foreign) == "INVALID_ARGUMENT"
    assert person.GetPathway(pb.GetPathwayRequest(name=way.name)) == way
    monkeypatch.setattr(pathway_steps, "check_acyclic", lambda graph: None)
    assert person.UpdateStep(cycle).steps[0].prerequisites == [last]  # control: nothing else refuses it


def test_a_step_waits_for_its_prerequisites(portfolio: Portfolio) -> None:
    person, counsellor, way = active(portfolio, DOCUMENT, DOCUMENT)
    first, second = (found.name for found in way.steps)
    person.UpdateStep(pb.UpdateStepRequest(step=Step(name=second, prerequisites=[first])))
    start = pb.MoveStepRequest(name=second, state=Step.STATE_RUNNING)
    info = refused(person.MoveStep, start)
    assert (info.reason, info.metadata["steps"]) == ("STEP_BLOCKED", first[-36:])
    move(counsellor, way, 0, Step.STATE_WAIVED, reason="known")
    assert person.MoveStep(start).steps[1].state == Step.STATE_RUNNING


def test_a_step_with_a_course_is_not_moved_by_hand(portfolio: Portfolio) -> None:
    person, counsellor, way = active(portfolio, {"course": "courses/c"})
    booked = pb.MoveStepRequest(name=way.steps[0].name, state=Step.STATE_BOOKED)
    for caller in (person, counsellor):
        assert reason_of(caller.MoveStep, booked) == "STEP_DRIVEN_BY_VOUCHERS"
    unexplained = pb.MoveStepRequest(name=way.steps[0].name, state=Step.STATE_WAIVED)
    assert reason_of(counsellor.MoveStep, unexplained) == "INVALID_ARGUMENT"
    move(counsellor, way, 0, Step.STATE_WAIVED, reason="known")
    moved = pb.UpdateStepRequest(step=Step(name=way.steps[0].name, course="courses/d"))
    assert reason_of(person.UpdateStep, moved) == "WRONG_STATE"
    back = move(counsellor, way, 0, Step.STATE_PLANNED)
    assert (back.steps[0].state, back.steps[0].reason) == (Step.STATE_PLANNED, "")
    assert person.UpdateStep(moved).steps[0].course == "courses/d"


@pytest.mark.parametrize(
    "bad",
    [
        Step(title="no kind"),
        Step(kind=Step.KIND_EXAM, due_date=Date(year=2026, month=2, day=30)),
        Step(kind=Step.KIND_EXAM, due_date=Date(year=2026)),
        Step(kind=Step.KIND_COURSE, course="not a course"),
        Step(kind=Step.KIND_EXAM, prerequisites=["nonsense"]),
    ],
)
def test_a_bad_step_is_refused(portfolio: Portfolio, bad: Step) -> None:
    person = portfolio.person()
    way = pathway(person)
    assert reason_of(person.AddStep, pb.AddStepRequest(pathway=way.name, step=bad)) == "INVALID_ARGUMENT"
    assert person.GetPathway(pb.GetPathwayRequest(name=way.name)) == way


def test_a_pathway_needs_a_target_and_a_step_only_names_own_evidence(portfolio: Portfolio) -> None:
    person, _, way = active(portfolio, DOCUMENT)
    request = pb.CreatePathwayRequest(parent=person.holder, pathway=Pathway(title="nowhere"))
    assert reason_of(person.CreatePathway, request) == "INVALID_ARGUMENT"
    foreign = pb.MoveStepRequest(
        name=way.steps[0].name, state=Step.STATE_EVIDENCE_SUBMITTED, evidence=["holders/x/evidence/y"]
    )
    assert reason_of(person.MoveStep, foreign) == "INVALID_ARGUMENT"


def test_what_a_step_says_can_be_changed(portfolio: Portfolio) -> None:
    person = portfolio.person()
    way = step(person, pathway(person).name, title="Lassen")
    request = pb.UpdateStepRequest(
        step=Step(name=way.steps[0].name, title="Welding", due_date=Date(year=2027, month=1, day=1)),
        update_mask=FieldMask(paths=["title", "due_date"]),
        etag=way.etag,
    )
    updated = person.UpdateStep(request)
    assert (updated.steps[0].title, updated.revision) == ("Welding", way.revision + 1)
    assert reason_of(person.UpdateStep, request) == "ETAG_STALE"


def test_what_was_confirmed_of_one_step_is_never_read_of_another(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, counsellor, way = active(portfolio, {"title": "First aid", **DOCUMENT})
    move(person, way, 0, Step.STATE_EVIDENCE_SUBMITTED)
    move(counsellor, way, 0, Step.STATE_CONFIRMED)
    name = way.steps[0].name
    for claim in (Step(name=name, title="Master welder"), Step(name=name, kind=Step.KIND_EXAM)):
        found = refused(person.UpdateStep, pb.UpdateStepRequest(step=claim))
        assert (found.reason, found.metadata["state"]) == ("WRONG_STATE", "CONFIRMED")
    day = Step(name=name, title="First aid", due_date=Date(year=2027, month=1, day=1))
    assert person.UpdateStep(pb.UpdateStepRequest(step=day)).steps[0].due_date.year == 2027
    monkeypatch.setattr(pathway_steps, "require_unjudged", lambda _: None)  # control
    assert person.UpdateStep(pb.UpdateStepRequest(step=claim)).steps[0].kind == Step.KIND_EXAM


def test_who_agreed_to_what_is_kept(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    way = step(person, pathway(person).name, title="Permit", **DOCUMENT)  # the holder proposes
    agree = pb.AgreePathwayRequest(name=way.name)
    for _ in range(2):  # a second time says nothing new
        counsellor.AgreePathway(agree)
    rename = pb.UpdateStepRequest(step=Step(name=way.steps[0].name, title="Licence"))
    counsellor.UpdateStep(rename)
    person.AgreePathway(agree)
    counsellor.AgreePathway(agree)
    said = person.ListPathwayWords(pb.ListPathwayWordsRequest(parent=way.name)).words
    proposed, agreed = pb.PathwayWord.KIND_PROPOSED, pb.PathwayWord.KIND_AGREED
    assert [(word.kind, word.actor, word.revision, word.subject) for word in reversed(said)] == [
        (proposed, "holder", 2, person.subject),
        (agreed, "counsellor", 2, counsellor.subject),
        (proposed, "counsellor", 3, counsellor.subject),
        (agreed, "holder", 3, person.subject),
        (agreed, "counsellor", 3, counsellor.subject),
    ]
    titles = [word.steps[0].title for word in said if word.kind == agreed]
    assert titles == ["Licence", "Licence", "Permit"]
    with transaction(portfolio.app) as tx:
        tx.execute(
            text("UPDATE pathways SET revision = 1000 WHERE id = :id"), {"id": way.name.rpartition("/")[2]}
        )
    info = refused(counsellor.UpdateStep, rename)
    assert (info.reason, info.metadata["what"]) == ("QUOTA_EXCEEDED", "pathway_revisions")


def test_a_stalled_pathway_is_told_once_and_found_by_who_has_a_mandate(portfolio: Portfolio) -> None:
    person, counsellor, way = active(portfolio, DOCUMENT)
    _, other, fresh = active(portfolio, DOCUMENT)
    paused = active(portfolio)
    paused[0].PausePathway(pb.PausePathwayRequest(name=paused[2].name))

    def age(name: str, days: int) -> None:
        with transaction(portfolio.app) as tx:
            back = "UPDATE pathways SET updated_at = now() - make_interval(days => :days) WHERE id = :id"
            tx.execute(text(back), {"days": days, "id": name.rpartition("/")[2]})

    def stalled(caller: Caller) -> list[str]:
        listed = caller.ListStalledPathways(pb.ListStalledPathwaysRequest()).stalled_pathways
        return [each.pathway for each in listed]

    age(way.name, 61)
    age(fresh.name, 59)
    age(paused[2].name, 61)
    assert stalled(counsellor) == []
    for _ in range(2):
        jobs.notice_stalled_pathways(portfolio.app)
    assert stalled(counsellor) == [way.name]
    assert [stalled(caller) for caller in (other, portfolio.counsellor(), paused[1])] == [[], [], []]
    assert len(published(portfolio, events_pb2.PathwayStalled, way)) == 1
    found = person.GetPathway(pb.GetPathwayRequest(name=way.name))
    assert found.HasField("stall_time")
    assert found.etag == way.etag  # nothing was changed
    move(person, way, 0, Step.STATE_RUNNING)
    assert stalled(counsellor) == []
    age(way.name, 61)
    jobs.notice_stalled_pathways(portfolio.app)
    for since, listed in ((datetime.now(UTC), []), (None, [way.name])):  # restricted, and lifted again
        with transaction(portfolio.app) as tx:
            restrict(tx, person.subject, since)
        assert stalled(counsellor) == listed
    (given,) = person.ListMandates(mandate_pb2.ListMandatesRequest(parent=person.holder)).mandates
    person.RevokeMandate(mandate_pb2.RevokeMandateRequest(name=given.name))
    assert stalled(counsellor) == []


def test_hot_queries_of_stalled_pathways_have_an_index(portfolio: Portfolio) -> None:
    still = "SELECT id FROM pathways WHERE state = 3 AND stalled_at IS NULL AND updated_at < now()"
    with transaction(portfolio.app) as tx:
        tx.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(tx.execute(text(f"EXPLAIN {still} ORDER BY updated_at LIMIT 500")).scalars())
    assert "pathways_still" in plan


def test_a_pathway_is_printed_with_a_qr_of_a_link_that_opens(portfolio: Portfolio) -> None:
    person, _, way = active(portfolio, DOCUMENT)
    other = portfolio.person()
    plain = person.GetPathwayPass(pb.GetPathwayPassRequest(name=way.name, language_code="nl-BE"))
    assert (plain.content_type, plain.data[:5]) == ("application/pdf", b"%PDF-")
    link = share(person, ["pathways"])
    asked = pb.GetPathwayPassRequest(name=way.name, token=link.token)
    assert len(person.GetPathwayPass(asked).data) > len(plain.data)
    asked.token = share(other, ["pathways"]).token
    assert reason_of(person.GetPathwayPass, asked) == "NOT_FOUND"
    asked.token = link.token
    person.RevokeShareLink(share_link_pb2.RevokeShareLinkRequest(name=link.share_link.name))
    assert reason_of(person.GetPathwayPass, asked) == "SHARE_LINK_ENDED"
