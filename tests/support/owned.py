"""Everything that can be somebody's in a portfolio, with a valid request for each RPC about it."""

from __future__ import annotations

from typing import Any

from waymark.portfolio.v1 import (
    access_log_pb2,
    attestation_pb2,
    break_glass_pb2,
    contact_record_pb2,
    credential_pb2,
    cv_pb2,
    document_pb2,
    entry_pb2,
    entry_revision_pb2,
    evidence_pb2,
    goal_pb2,
    group_membership_pb2,
    guidance_case_pb2,
    guidance_note_pb2,
    handover_pb2,
    holder_pb2,
    idea_exposure_pb2,
    journal_entry_pb2,
    legal_hold_pb2,
    mandate_pb2,
    mentoring_match_pb2,
    on_behalf_pb2,
    page_collection_pb2,
    page_comment_pb2,
    page_pb2,
    page_submission_pb2,
    pathway_pb2,
    plan_pb2,
    questionnaire_pb2,
    rights_request_pb2,
    share_link_pb2,
    skill_claim_pb2,
    skill_profile_pb2,
    validation_pb2,
)

from tests.support.company import company_of
from tests.support.credentials import fixture
from tests.support.portfolio import (
    Caller,
    Portfolio,
    entry,
    evidence_of,
    mandate,
    pathway,
    share,
    skill,
    soon,
    step,
)
from tests.support.questionnaires import answers, begun, published
from tests.support.validations import opened_case

MODULES = (
    access_log_pb2,
    attestation_pb2,
    contact_record_pb2,
    break_glass_pb2,
    credential_pb2,
    cv_pb2,
    document_pb2,
    entry_pb2,
    entry_revision_pb2,
    evidence_pb2,
    goal_pb2,
    group_membership_pb2,
    guidance_case_pb2,
    guidance_note_pb2,
    handover_pb2,
    holder_pb2,
    idea_exposure_pb2,
    journal_entry_pb2,
    legal_hold_pb2,
    mandate_pb2,
    mentoring_match_pb2,
    on_behalf_pb2,
    page_collection_pb2,
    page_comment_pb2,
    page_pb2,
    page_submission_pb2,
    pathway_pb2,
    questionnaire_pb2,
    plan_pb2,
    rights_request_pb2,
    share_link_pb2,
    skill_claim_pb2,
    skill_profile_pb2,
    validation_pb2,
)
Rating = validation_pb2.ElementRating
METHODS = {
    method.name: method
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if not method.server_streaming  # test_documents, test_export, test_pages
}


def way_with_spell(person: Caller) -> tuple[pathway_pb2.Pathway, pathway_pb2.Spell]:
    """A pathway with a step and a spell; and that spell."""
    way = step(person, pathway(person).name, kind=pathway_pb2.Step.KIND_DOCUMENT)
    spell = pathway_pb2.Spell(
        kind=pathway_pb2.Spell.KIND_CARE, start_date={"year": 2024, "month": 1, "day": 1}
    )
    return person.AddSpell(pathway_pb2.AddSpellRequest(pathway=way.name, spell=spell)), spell


def planned_things(person: Caller) -> dict[str, str]:
    """An entry of the journal, a goal and a plan, by the service that has them."""
    entry_of = journal_entry_pb2.JournalEntry(text="before")
    written = person.CreateJournalEntry(
        journal_entry_pb2.CreateJournalEntryRequest(parent=person.holder, journal_entry=entry_of)
    )
    aim = person.CreateGoal(
        goal_pb2.CreateGoalRequest(parent=person.holder, goal=goal_pb2.Goal(title="before"))
    )
    todo = person.CreatePlan(
        plan_pb2.CreatePlanRequest(parent=person.holder, plan=plan_pb2.Plan(title="before"))
    )
    return {"JournalEntryService": written.name, "GoalService": aim.name, "PlanService": todo.name}


def words_in_the_case(
    person: Caller, counsellor: Caller
) -> tuple[contact_record_pb2.ContactRecord, guidance_note_pb2.GuidanceNote]:
    """A contact and a note of the counsellor, both written down; the case has moved once."""
    contact = contact_record_pb2.ContactRecord(channel=guidance_case_pb2.CONTACT_CHANNEL_EMAIL, summary="x")
    note = guidance_note_pb2.GuidanceNote(visibility=1, text="x")  # type: ignore[arg-type]
    person.AskForHuman(guidance_case_pb2.AskForHumanRequest(name=f"{person.holder}/guidanceCase"))
    counsellor.CreateContactRecord(
        contact_record_pb2.CreateContactRecordRequest(parent=person.holder, contact_record=contact)
    )
    counsellor.CreateGuidanceNote(
        guidance_note_pb2.CreateGuidanceNoteRequest(parent=person.holder, guidance_note=note)
    )
    return contact, note


class Owned:
    """A portfolio with something of each kind, and a valid request for every RPC on it."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.person = portfolio.person(given_name="Ada")
        holder = self.person.holder
        way, spell = way_with_spell(self.person)
        self.counsellor = portfolio.counsellor()
        mandate_request = mandate(self.person, self.counsellor, portfolio.organisation, 1)
        job, claim = entry(self.person), skill(self.person)
        self.person.UpdateEntry(
            entry_pb2.UpdateEntryRequest(entry=entry_pb2.Entry(name=job.name, title="before"))
        )
        link = share(self.person, ["holder"]).share_link
        given = self.person.CreateMandate(mandate_request)
        offer = self.counsellor.CreateHandover(
            handover_pb2.CreateHandoverRequest(
                parent=holder,
                handover=handover_pb2.Handover(
                    mandate=given.name, counsellor="y", organisation="organisations/y"
                ),
            )
        )
        badge = self.person.ImportCredential(
            credential_pb2.ImportCredentialRequest(parent=holder, content=fixture("simple.json"))
        )
        wanted = attestation_pb2.AttestationRequest(skill_claim=claim.name, expire_time=soon(days=1))
        version = self.person.CreateCv(cv_pb2.CreateCvRequest(parent=holder, cv=cv_pb2.Cv(title="x")))
        asked = self.person.CreateAttestationRequest(
            attestation_pb2.CreateAttestationRequestRequest(parent=holder, attestation_request=wanted)
        ).attestation_request
        case, body = opened_case(portfolio, self.person)
        instrument = published(portfolio, "school-questionnaire")
        asked_of = begun(self.person, instrument)
        own, school, health = (part.name for part in asked_of.parts)
        planned = planned_things(self.person)
        contact, note = words_in_the_case(self.person, self.counsellor)
        asks = rights_request_pb2.RightsRequest(kind=rights_request_pb2.RightsRequest.KIND_ACCESS)
        right = self.person.CreateRightsRequest(
            rights_request_pb2.CreateRightsRequestRequest(parent=holder, rights_request=asks)
        )
        hold = portfolio.staff("caseworker").CreateLegalHold(
            legal_hold_pb2.CreateLegalHoldRequest(
                parent=holder, legal_hold=legal_hold_pb2.LegalHold(legal_basis="law")
            )
        )
        look = break_glass_pb2.BreakGlassAccess(ground=1, reason="found unconscious")  # type: ignore[arg-type]
        opened = portfolio.counsellor().CreateBreakGlassAccess(
            break_glass_pb2.CreateBreakGlassAccessRequest(parent=holder, break_glass_access=look)
        )
        company = company_of(portfolio, self.person)
        new_link = share_link_pb2.ShareLink(fields=["holder"], max_uses=1, expire_time=soon(days=1))
        named: dict[str, dict[str, Any]] = {
            "UpdateHolder": {"holder": holder_pb2.Holder(name=holder, given_name="Eve")},
            "EraseHolder": {"etag": "1"},
            "CreateEntry": {"entry": entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_WORK)},
            "GetEntry": {"name": job.name},
            "UpdateEntry": {"entry": entry_pb2.Entry(name=job.name, title="Eve")},
            "DeleteEntry": {"name": job.name},
            "ListEntryRevisions": {"parent": job.name},
            "GetEntryRevision": {"name": f"{job.name}/revisions/1"},
            "RollbackEntry": {"name": job.name, "revision_id": "1"},
            "CreateSkillClaim": {"skill_claim": skill_claim_pb2.SkillClaim(concept_uri="http://a/b")},
            "GetSkillClaim": {"name": claim.name},
            "UpdateSkillClaim": {"skill_claim": skill_claim_pb2.SkillClaim(name=claim.name)},
            "DeleteSkillClaim": {"name": claim.name},
            "CreateEvidence": {"evidence": evidence_of()},
            "ImportCredential": {"content": fixture("simple.jwt")},
            "GetCredential": {"name": badge.name},
            "GetCredentialFile": {"name": badge.name},
            "GetBakedCredential": {"name": badge.name, "image": fixture("simple-json.png")},
            "CheckCredential": {"name": badge.name},
            "DeleteCredential": {"name": badge.name},
            "CreateCv": {"cv": cv_pb2.Cv(title="Eve")},
            "GetCv": {"name": version.name},
            "UpdateCv": {"cv": cv_pb2.Cv(name=version.name, title="Eve")},
            "DeleteCv": {"name": version.name},
            "GetDocumentReport": {"format": document_pb2.DOCUMENT_FORMAT_HTML},
            "ImportDocument": {"format": document_pb2.DOCUMENT_FORMAT_JSON_RESUME, "content": b"{}"},
            "CreateAttestationRequest": {"attestation_request": wanted},
            "WithdrawAttestationRequest": {"name": asked.name},
            "CreateHandover": {
                "handover": handover_pb2.Handover(
                    mandate=given.name, counsellor="x", organisation="organisations/x"
                )
            },
            "CreateJournalEntry": {"journal_entry": journal_entry_pb2.JournalEntry(text="x")},
            "UpdateJournalEntry": {
                "journal_entry": journal_entry_pb2.JournalEntry(
                    name=planned["JournalEntryService"], text="Eve"
                )
            },
            "CreateGoal": {"goal": goal_pb2.Goal(title="x")},
            "UpdateGoal": {"goal": goal_pb2.Goal(name=planned["GoalService"], title="Eve")},
            "ArrangeGoals": {"names": [planned["GoalService"]]},
            "CreatePlan": {"plan": plan_pb2.Plan(title="x")},
            "UpdatePlan": {"plan": plan_pb2.Plan(name=planned["PlanService"], title="Eve")},
            "ArrangePlans": {"names": [planned["PlanService"]]},
            "MoveSupportTier": {"tier": guidance_case_pb2.SUPPORT_TIER_INDIVIDUAL, "reason": "x"},
            "CreateContactRecord": {"contact_record": contact},
            "CreateGuidanceNote": {"guidance_note": note},
            "AcceptHandover": {"name": offer.name},
            "DeclineHandover": {"name": offer.name},
            "CreateMandate": {"mandate": mandate_request.mandate},
            "RevokeMandate": {"name": given.name},
            "CreateBreakGlassAccess": {"break_glass_access": look},
            "ReviewBreakGlassAccess": {"verdict": 1, "note": "urgent"},
            "CreateRightsRequest": {"rights_request": asks},
            "CheckRightsRequestIdentity": {"identity_proof": 1},
            "ExtendRightsRequest": {"reason": "many files"},
            "RefuseRightsRequest": {"ground": 1, "note": "law"},
            "CreateLegalHold": {"legal_hold": legal_hold_pb2.LegalHold(legal_basis="law")},
            "LiftLegalHold": {"name": hold.name, "reason": "over"},
            "GiveExposureConsent": {
                "exposure_consent": idea_exposure_pb2.ExposureConsent(
                    gender=idea_exposure_pb2.GENDER_WOMAN, terms="idea-exposure-1"
                )
            },
            "WithdrawExposureConsent": {"name": f"{holder}/exposureConsents/none"},
            "RecordShownIdeas": {"isco_codes": ["7212"]},
            "CreateShareLink": {"share_link": new_link},
            "RevokeShareLink": {"name": link.name},
            "CreatePathway": {
                "pathway": pathway_pb2.Pathway(target=pathway_pb2.Target(occupation_uri="http://a/b"))
            },
            "ListPathwayWords": {"parent": way.name},
            "AddStep": {"pathway": way.name, "step": pathway_pb2.Step(kind=pathway_pb2.Step.KIND_EXAM)},
            "UpdateStep": {"step": pathway_pb2.Step(name=way.steps[0].name, title="Eve")},
            "MoveStep": {"name": way.steps[0].name, "state": pathway_pb2.Step.STATE_BOOKED},
            "AddSpell": {"pathway": way.name, "spell": spell},
            "EndSpell": {"name": way.spells[0].name, "end_date": {"year": 2025, "month": 1, "day": 1}},
            "CreateValidationCase": {
                "validation_case": validation_pb2.ValidationCase(pathway=case.pathway, awarding_body=body)
            },
            "IdentifyElements": {"elements": [validation_pb2.ValidationElement(id="x", title="x")]},
            "DocumentElements": {
                "documents": [
                    validation_pb2.ElementDocument(element="x", rating=Rating.ELEMENT_RATING_NOT_SHOWN)
                ]
            },
            "AppealValidationCase": {"grounds": "x"},
            "AssignAssessor": {"assessor": "somebody"},
            "DecideValidationCase": {
                "assessments": [
                    validation_pb2.ElementAssessment(element="x", rating=Rating.ELEMENT_RATING_NOT_SHOWN)
                ]
            },
            "GetSnapshotFile": {"evidence": f"{holder}/evidence/none"},
            "ListSubmittedCases": {"parent": body},
            "CreateQuestionnaire": {
                "questionnaire": questionnaire_pb2.Questionnaire(instrument_version=instrument.name)
            },
            "FillQuestionnairePart": {"name": own, "answers": answers(instrument, "me", 1)},
            "GetQuestionnairePart": {"name": school},
            "GetSpecialCategoryPart": {"name": health},
            "AskQuestionnairePart": {"name": school, "expire_time": soon(days=1)},
            "WithdrawQuestionnairePart": {"name": school},
            "GetQuestionnaireProgress": {"instrument": "instruments/x"},
            "ListQuestionnaires": {"parent": holder},
            **company.requests,
            "TransferPathway": {"name": way.name, "destination": "elsewhere"},
            "AbandonPathway": {"name": way.name, "reason": "done"},
        }
        names_by_service = {
            "PathwayService": way.name,
            "BreakGlassService": opened.name,
            "EvidenceService": f"{holder}/evidence/none",
            "RightsRequestService": right.name,
            "ValidationService": case.name,
            "QuestionnaireService": asked_of.name,
            "GuidanceCaseService": f"{holder}/guidanceCase",
            **planned,
            **company.names,
        }
        self.requests = {
            name: self._request(method, named.get(name, {}), holder, names_by_service)
            for name, method in METHODS.items()
        }

    def _request(
        self, method: Any, values: dict[str, Any], holder: str, names_by_service: dict[str, str]
    ) -> Any:
        request: Any = method.input_type._concrete_class(**values)
        fields = request.DESCRIPTOR.fields_by_name
        if "parent" in fields and not request.parent:
            request.parent = holder
        if "name" in fields and not request.name:
            request.name = names_by_service.get(method.containing_service.name, holder)
        return request
