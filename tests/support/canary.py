"""A person whose every text is a name that must be found nowhere else."""

from __future__ import annotations

import json
import uuid

import sqlalchemy
from google.type.date_pb2 import Date
from sqlalchemy import text
from waymark.portfolio.v1 import (
    break_glass_pb2,
    contact_record_pb2,
    document_pb2,
    entry_pb2,
    goal_pb2,
    guidance_case_pb2,
    guidance_note_pb2,
    holder_pb2,
    journal_entry_pb2,
    legal_hold_pb2,
    pathway_pb2,
    plan_pb2,
    questionnaire_pb2,
    rights_request_pb2,
    share_link_pb2,
)
from waymark.portfolio.v1 import validation_pb2 as pb
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.db.transaction import transaction
from services.portfolio.service import DEFINITION
from tests.support.company import tell_company
from tests.support.portfolio import Caller, Portfolio, pathway, share, skill, soon, step
from tests.support.questionnaires import answers, begun, published
from tests.support.validations import SHOWN, opened_case

CANARY = "Zyxwvut-Canary"


def everything(engine: sqlalchemy.Engine) -> str:
    """Every value of every table as text; bytes also as the text they may hold."""
    found = []
    with engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    is_bytes = isinstance(value, bytes | memoryview)
                    found.append(bytes(value).decode("latin-1") if is_bytes else str(value))
    return "\n".join(found)


def live_a_life(portfolio: Portfolio) -> Caller:
    """Somebody whose every text is the canary, with request ids, so that answers are kept too."""
    person = portfolio.learner()
    holder = holder_pb2.Holder(given_name=CANARY, family_name=CANARY, summary={"en": CANARY})
    person.CreateHolder(holder_pb2.CreateHolderRequest(holder=holder, request_id=str(uuid.uuid4())))
    job = entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_WORK, title=CANARY, description={"en": CANARY})
    made = person.CreateEntry(
        entry_pb2.CreateEntryRequest(parent=person.holder, entry=job, request_id=str(uuid.uuid4()))
    )
    changed = entry_pb2.Entry(name=made.name, place=CANARY)  # what it said before becomes a revision
    person.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=changed))
    skill(person, CANARY, label={"en": CANARY})
    bring_a_document(person)
    way = pathway(person, title=CANARY)
    step(person, way.name, title=CANARY, course="courses/c")
    spell = pathway_pb2.Spell(kind=pathway_pb2.Spell.KIND_SICK, start_date=Date(year=2024, month=1, day=1))
    person.AddSpell(pathway_pb2.AddSpellRequest(pathway=way.name, spell=spell))
    person.AbandonPathway(
        pathway_pb2.AbandonPathwayRequest(name=way.name, reason=CANARY, request_id=str(uuid.uuid4()))
    )
    way = pathway(person, title=CANARY)
    step(person, way.name, title=CANARY, course="courses/c")
    person.AgreePathway(pathway_pb2.AgreePathwayRequest(name=way.name))
    hand_in_a_case(portfolio, person, made.name)
    answer_a_questionnaire(portfolio, person)
    ask_the_office(portfolio, person)
    tell_company(portfolio, person, made.name, CANARY)
    opened = share(person, ["holder", "entries", "pathways"], label=CANARY)
    counsellor = portfolio.mandated(person)
    counsellor.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    be_guided(person, counsellor)
    make_plans(person)
    shown = portfolio.anybody().OpenShareLink(share_link_pb2.OpenShareLinkRequest(token=opened.token))
    assert CANARY in str(shown)
    ref = vouchers.RedemptionRef(
        redemption="redemptions/1", learner=f"learners/{person.subject}", course="courses/c"
    )
    with transaction(portfolio.app) as tx:
        event = vouchers.RedemptionAccepted(ref=ref)
        DEFINITION.reactions[type(event)](portfolio.app, tx, event, None)  # type: ignore[arg-type]
    return person


def bring_a_document(person: Caller) -> None:
    """A document that says the canary where a portfolio has no place for it, and as what it brings."""
    learner = {
        "Skills": {"Other": {"Description": CANARY}},
        "WorkExperience": [{"Position": {"Label": f"of {CANARY}"}}],
    }
    said = {"SkillsPassport": {"LearnerInfo": learner}}
    request = document_pb2.ImportDocumentRequest(
        parent=person.holder,
        format=document_pb2.DOCUMENT_FORMAT_EUROPASS_JSON,
        content=json.dumps(said).encode(),
        request_id=str(uuid.uuid4()),
    )
    person.ImportDocument(request)


def ask_the_office(portfolio: Portfolio, person: Caller) -> None:
    """A rights request and a legal hold, lifted, whose every text is the canary."""
    kind = rights_request_pb2.RightsRequest.KIND_RECTIFICATION
    wanted = rights_request_pb2.RightsRequest(kind=kind, text=CANARY)
    asked = rights_request_pb2.CreateRightsRequestRequest(parent=person.holder, rights_request=wanted)
    name = person.CreateRightsRequest(asked).name
    desk = portfolio.staff("caseworker")
    desk.ExtendRightsRequest(rights_request_pb2.ExtendRightsRequestRequest(name=name, reason=CANARY))
    look = break_glass_pb2.BreakGlassAccess(ground=1, reason=CANARY)  # type: ignore[arg-type]
    opened = desk.CreateBreakGlassAccess(
        break_glass_pb2.CreateBreakGlassAccessRequest(parent=person.holder, break_glass_access=look)
    )
    verdict = break_glass_pb2.BREAK_GLASS_VERDICT_JUSTIFIED
    portfolio.staff("supervisor").ReviewBreakGlassAccess(
        break_glass_pb2.ReviewBreakGlassAccessRequest(name=opened.name, verdict=verdict, note=CANARY)
    )
    hold = legal_hold_pb2.LegalHold(legal_basis=CANARY)
    held = legal_hold_pb2.CreateLegalHoldRequest(
        parent=person.holder, legal_hold=hold, request_id=str(uuid.uuid4())
    )
    set_ = desk.CreateLegalHold(held)
    same = holder_pb2.Holder(name=person.holder, given_name=CANARY)  # what was said before is kept
    person.UpdateHolder(holder_pb2.UpdateHolderRequest(holder=same))
    desk.LiftLegalHold(legal_hold_pb2.LiftLegalHoldRequest(name=set_.name, reason=CANARY))


def hand_in_a_case(portfolio: Portfolio, person: Caller, shown_by: str) -> None:
    """A validation case whose every text is the canary, handed in."""
    case, _ = opened_case(portfolio, person)
    elements = [pb.ValidationElement(id="x", title=CANARY)]
    person.IdentifyElements(pb.IdentifyElementsRequest(name=case.name, elements=elements))
    document = pb.ElementDocument(element="x", rating=SHOWN, note=CANARY, entries=[shown_by])  # type: ignore[arg-type]
    person.DocumentElements(pb.DocumentElementsRequest(name=case.name, documents=[document]))
    person.SubmitValidationCase(pb.SubmitValidationCaseRequest(name=case.name))


def answer_a_questionnaire(portfolio: Portfolio, person: Caller) -> None:
    """A questionnaire of which the person and a doctor filled parts, every text the canary."""
    instrument = published(portfolio, "school-questionnaire")
    own, _, health = (part.name for part in begun(person, instrument).parts)
    said = answers(instrument, "me", 0, CANARY)
    person.FillQuestionnairePart(questionnaire_pb2.FillQuestionnairePartRequest(name=own, answers=said))
    asking = questionnaire_pb2.AskQuestionnairePartRequest(name=health, expire_time=soon(days=1))
    token, said = person.AskQuestionnairePart(asking).token, answers(instrument, "health", 0, CANARY)
    giving = questionnaire_pb2.GiveQuestionnairePartRequest(token=token, giver=CANARY, answers=said)
    portfolio.anybody().GiveQuestionnairePart(giving)


def be_guided(person: Caller, counsellor: Caller) -> None:
    """A case of guidance in which everything that was said is the canary."""
    name, parent = f"{person.holder}/guidanceCase", person.holder
    tier = guidance_case_pb2.SUPPORT_TIER_INDIVIDUAL
    counsellor.MoveSupportTier(guidance_case_pb2.MoveSupportTierRequest(name=name, tier=tier, reason=CANARY))
    contact = contact_record_pb2.ContactRecord(
        channel=guidance_case_pb2.CONTACT_CHANNEL_PHONE, summary=CANARY
    )
    counsellor.CreateContactRecord(
        contact_record_pb2.CreateContactRecordRequest(parent=parent, contact_record=contact)
    )
    note = guidance_note_pb2.GuidanceNote(
        visibility=guidance_note_pb2.GuidanceNote.VISIBILITY_PROFESSIONAL, text=CANARY
    )
    counsellor.CreateGuidanceNote(
        guidance_note_pb2.CreateGuidanceNoteRequest(
            parent=parent, guidance_note=note, request_id=str(uuid.uuid4())
        )
    )


def make_plans(person: Caller) -> None:
    """A journal, a goal and a plan of which every text is the canary, now and before."""
    entry = journal_entry_pb2.JournalEntry(title=CANARY, text=CANARY, tags=[CANARY])
    person.CreateJournalEntry(
        journal_entry_pb2.CreateJournalEntryRequest(parent=person.holder, journal_entry=entry)
    )
    day = Date(year=2099, month=1, day=1)
    deadline = goal_pb2.Deadline(date=day, remind_days_before=[0])  # there is a reminder, too
    goal = person.CreateGoal(
        goal_pb2.CreateGoalRequest(
            parent=person.holder, goal=goal_pb2.Goal(title=CANARY, description=CANARY, deadline=deadline)
        )
    )
    person.UpdateGoal(goal_pb2.UpdateGoalRequest(goal=goal_pb2.Goal(name=goal.name, title=CANARY * 2)))
    task = plan_pb2.Task(title=CANARY, description=CANARY)
    person.CreatePlan(
        plan_pb2.CreatePlanRequest(parent=person.holder, plan=plan_pb2.Plan(title=CANARY, tasks=[task]))
    )
