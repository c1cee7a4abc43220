"""Everything that can be somebody's in a portfolio, with a valid request for each RPC about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from google.protobuf import descriptor_pool
from waymark.portfolio.v1 import (
    attestation_pb2,
    break_glass_pb2,
    contact_record_pb2,
    credential_pb2,
    cv_pb2,
    document_pb2,
    entry_pb2,
    goal_pb2,
    guidance_case_pb2,
    guidance_note_pb2,
    handover_pb2,
    holder_pb2,
    idea_exposure_pb2,
    journal_entry_pb2,
    legal_hold_pb2,
    pathway_pb2,
    plan_pb2,
    questionnaire_pb2,
    remainder_pb2,
    rights_request_pb2,
    share_link_pb2,
    skill_claim_pb2,
    validation_pb2,
)
from waymark.portfolio.v1.evidence_pb2 import Evidence

from tests.support.company import Things, company_of, together
from tests.support.contract import CONTRACT
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

Rating = validation_pb2.ElementRating
# What is in nobody's portfolio: what organisations keep themselves, and what is published for everybody.
OF_NOBODY = {
    "CredentialIssuerService",
    "FrameworkService",
    "GroupProgrammeService",
    "InstrumentService",
    "IssuedCredentialService",
    "MentorService",
}
# Every RPC about what is in a portfolio, by the contract: a new one is in the tests at once.
CALLS = {
    rpc.name: descriptor_pool.Default().FindServiceByName(rpc.interface).methods_by_name[rpc.name]
    for rpc in CONTRACT.rpcs
    if rpc.service == "portfolio" and rpc.interface.rpartition(".")[2] not in OF_NOBODY
}
METHODS = {name: method for name, method in CALLS.items() if not method.server_streaming}


def calling(caller: Caller, name: str) -> Callable[[Any], Any]:
    """An RPC of a caller; what it streams is read to the end."""
    rpc: Callable[[Any], Any] = getattr(caller, name)
    return (lambda request: list(rpc(request))) if CALLS[name].server_streaming else rpc


class Owned:
    """A portfolio with something of each kind, and a valid request for every RPC on it."""

    def __init__(self, portfolio: Portfolio, stored: Callable[[Caller], Evidence] | None = None) -> None:
        """`stored`: uploads a file, for which the portfolio needs an object store."""
        self.person = portfolio.person(given_name="Ada")
        self.counsellor = portfolio.counsellor()
        person = self.person
        self._things = together(
            entries_of(person),
            files_of(person, stored(person).name if stored else f"{person.holder}/evidence/none"),
            skills_of(person),
            wallet_of(person),
            guidance_of(portfolio, person, self.counsellor),
            plans_of(person),
            pathway_of(person),
            case_of(portfolio, person),
            questionnaire_of(portfolio, person),
            rights_of(portfolio, person),
            company_of(portfolio, person),
        )
        self.requests = {name: self._request(method) for name, method in CALLS.items()}

    @cached_property
    def etags(self) -> dict[str, str]:
        """The etag of each thing that has one, by its name."""
        reads = [name for name, method in METHODS.items() if "etag" in method.output_type.fields_by_name]
        answers = [
            getattr(self.person, name)(self.requests[name]) for name in reads if name.startswith("Get")
        ]
        return {answer.name: answer.etag for answer in answers}

    def _request(self, method: Any) -> Any:
        request: Any = method.input_type._concrete_class(**self._things.requests.get(method.name, {}))
        fields, holder = request.DESCRIPTOR.fields_by_name, self.person.holder
        if "parent" in fields and not request.parent:
            request.parent = holder
        if "name" in fields and not request.name:
            request.name = self._things.names.get(method.containing_service.name, holder)
        return request


def entries_of(person: Caller) -> Things:
    """What they say of themselves, and who may look at it by a link."""
    job, holder = entry(person), person.holder
    person.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=entry_pb2.Entry(name=job.name, title="before")))
    link = share(person, ["holder"]).share_link
    version = person.CreateCv(cv_pb2.CreateCvRequest(parent=holder, cv=cv_pb2.Cv(title="x")))
    brought = {"SkillsPassport": {"LearnerInfo": {"Skills": {"Other": {"Description": "Sings"}}}}}
    imported = person.ImportDocument(
        document_pb2.ImportDocumentRequest(
            parent=holder,
            format=document_pb2.DOCUMENT_FORMAT_EUROPASS_JSON,
            content=json.dumps(brought).encode(),
        )
    )
    (aside,) = person.ListRemainders(remainder_pb2.ListRemaindersRequest(parent=holder)).remainders
    new_link = share_link_pb2.ShareLink(fields=["holder"], max_uses=1, expire_time=soon(days=1))
    requests: dict[str, dict[str, Any]] = {
        "UpdateHolder": {"holder": holder_pb2.Holder(name=holder, given_name="Eve")},
        "EraseHolder": {"etag": "1"},
        "CreateEntry": {"entry": entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_WORK)},
        "GetEntry": {"name": job.name},
        "UpdateEntry": {"entry": entry_pb2.Entry(name=job.name, title="Eve")},
        "DeleteEntry": {"name": job.name},
        "UndeleteEntry": {"name": job.name},
        "ArrangeEntries": {"names": [job.name]},
        "ListEntryRevisions": {"parent": job.name},
        "GetEntryRevision": {"name": f"{job.name}/revisions/1"},
        "RollbackEntry": {"name": job.name, "revision_id": "1"},
        "CreateCv": {"cv": cv_pb2.Cv(title="Eve")},
        "GetCv": {"name": version.name},
        "UpdateCv": {"cv": cv_pb2.Cv(name=version.name, title="Eve")},
        "DeleteCv": {"name": version.name},
        "DeleteRemainder": {"name": aside.name},
        "GetDocumentReport": {"format": document_pb2.DOCUMENT_FORMAT_HTML},
        "UploadDocument": {"document": {"size_bytes": 1, "sha256": "0" * 64}},
        "ImportDocument": {"format": document_pb2.DOCUMENT_FORMAT_JSON_RESUME, "content": b"{}"},
        "CreateShareLink": {"share_link": new_link},
        "RevokeShareLink": {"name": link.name},
        "ExportDocument": {"format": document_pb2.DOCUMENT_FORMAT_JSON_RESUME},
    }
    return Things(requests, {"DocumentImportService": imported.document_import})


def files_of(person: Caller, name: str) -> Things:
    """A file."""
    return Things({"CreateEvidence": {"evidence": evidence_of()}}, {"EvidenceService": name})


def skills_of(person: Caller) -> Things:
    """A skill, and a request to attest it."""
    claim = skill(person)
    wanted = attestation_pb2.AttestationRequest(skill_claim=claim.name, expire_time=soon(days=1))
    asked = person.CreateAttestationRequest(
        attestation_pb2.CreateAttestationRequestRequest(parent=person.holder, attestation_request=wanted)
    ).attestation_request
    requests: dict[str, dict[str, Any]] = {
        "CreateSkillClaim": {"skill_claim": skill_claim_pb2.SkillClaim(concept_uri="http://a/b")},
        "GetSkillClaim": {"name": claim.name},
        "UpdateSkillClaim": {"skill_claim": skill_claim_pb2.SkillClaim(name=claim.name)},
        "DeleteSkillClaim": {"name": claim.name},
        "CreateAttestationRequest": {"attestation_request": wanted},
        "WithdrawAttestationRequest": {"name": asked.name},
    }
    return Things(requests, {})


def wallet_of(person: Caller) -> Things:
    """A credential."""
    badge = person.ImportCredential(
        credential_pb2.ImportCredentialRequest(parent=person.holder, content=fixture("simple.json"))
    )
    requests: dict[str, dict[str, Any]] = {
        "ImportCredential": {"content": fixture("simple.jwt")},
        "GetCredential": {"name": badge.name},
        "GetCredentialFile": {"name": badge.name},
        "GetBakedCredential": {"name": badge.name, "image": fixture("simple-json.png")},
        "CheckCredential": {"name": badge.name},
        "ClaimCredentialSkills": {"name": badge.name, "skill_uris": ["http://data.europa.eu/esco/skill/x"]},
        "DeleteCredential": {"name": badge.name},
    }
    return Things(requests, {})


def guidance_of(portfolio: Portfolio, person: Caller, counsellor: Caller) -> Things:
    """A mandate of the counsellor, offered to another one, and what they wrote down; a look without leave."""
    mandate_request = mandate(person, counsellor, portfolio.organisation, 1)
    given = person.CreateMandate(mandate_request).name
    offer = counsellor.CreateHandover(
        handover_pb2.CreateHandoverRequest(parent=person.holder, handover=handing_over(given, "y"))
    )
    contact, note = words_in_the_case(person, counsellor)
    look = break_glass_pb2.BreakGlassAccess(ground=1, reason="found unconscious")  # type: ignore[arg-type]
    opened = portfolio.counsellor().CreateBreakGlassAccess(
        break_glass_pb2.CreateBreakGlassAccessRequest(parent=person.holder, break_glass_access=look)
    )
    requests: dict[str, dict[str, Any]] = {
        "CreateHandover": {"handover": handing_over(given, "x")},
        "MoveSupportTier": {"tier": guidance_case_pb2.SUPPORT_TIER_INDIVIDUAL, "reason": "x"},
        "CreateContactRecord": {"contact_record": contact},
        "CreateGuidanceNote": {"guidance_note": note},
        "AcceptHandover": {"name": offer.name},
        "DeclineHandover": {"name": offer.name},
        "CreateMandate": {"mandate": mandate_request.mandate},
        "RevokeMandate": {"name": given},
        "CreateBreakGlassAccess": {"break_glass_access": look},
        "ReviewBreakGlassAccess": {"verdict": 1, "note": "urgent"},
    }
    names = {"BreakGlassService": opened.name, "GuidanceCaseService": f"{person.holder}/guidanceCase"}
    return Things(requests, names)


def handing_over(given: str, to: str) -> handover_pb2.Handover:
    """A mandate for another counsellor, of another organisation."""
    return handover_pb2.Handover(mandate=given, counsellor=to, organisation=f"organisations/{to}")


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


def plans_of(person: Caller) -> Things:
    """An entry of the journal, a goal and a plan."""
    entry_of = journal_entry_pb2.JournalEntry(text="before")
    written = person.CreateJournalEntry(
        journal_entry_pb2.CreateJournalEntryRequest(parent=person.holder, journal_entry=entry_of)
    ).name
    aim = person.CreateGoal(
        goal_pb2.CreateGoalRequest(parent=person.holder, goal=goal_pb2.Goal(title="before"))
    ).name
    todo = person.CreatePlan(
        plan_pb2.CreatePlanRequest(parent=person.holder, plan=plan_pb2.Plan(title="before"))
    ).name
    requests: dict[str, dict[str, Any]] = {
        "CreateJournalEntry": {"journal_entry": journal_entry_pb2.JournalEntry(text="x")},
        "UpdateJournalEntry": {"journal_entry": journal_entry_pb2.JournalEntry(name=written, text="Eve")},
        "CreateGoal": {"goal": goal_pb2.Goal(title="x")},
        "UpdateGoal": {"goal": goal_pb2.Goal(name=aim, title="Eve")},
        "ArrangeGoals": {"names": [aim]},
        "CreatePlan": {"plan": plan_pb2.Plan(title="x")},
        "UpdatePlan": {"plan": plan_pb2.Plan(name=todo, title="Eve")},
        "ArrangePlans": {"names": [todo]},
    }
    return Things(requests, {"JournalEntryService": written, "GoalService": aim, "PlanService": todo})


def pathway_of(person: Caller) -> Things:
    """A pathway with a step and a spell, and ideas of where to go."""
    way = step(person, pathway(person).name, kind=pathway_pb2.Step.KIND_DOCUMENT)
    spell = pathway_pb2.Spell(
        kind=pathway_pb2.Spell.KIND_CARE, start_date={"year": 2024, "month": 1, "day": 1}
    )
    way = person.AddSpell(pathway_pb2.AddSpellRequest(pathway=way.name, spell=spell))
    target = pathway_pb2.Target(occupation_uri="http://a/b")
    requests: dict[str, dict[str, Any]] = {
        "CreatePathway": {"pathway": pathway_pb2.Pathway(target=target)},
        "ListPathwayWords": {"parent": way.name},
        "AddStep": {"pathway": way.name, "step": pathway_pb2.Step(kind=pathway_pb2.Step.KIND_EXAM)},
        "UpdateStep": {"step": pathway_pb2.Step(name=way.steps[0].name, title="Eve")},
        "MoveStep": {"name": way.steps[0].name, "state": pathway_pb2.Step.STATE_BOOKED},
        "AddSpell": {"pathway": way.name, "spell": spell},
        "EndSpell": {"name": way.spells[0].name, "end_date": {"year": 2025, "month": 1, "day": 1}},
        "TransferPathway": {"name": way.name, "destination": "elsewhere"},
        "AbandonPathway": {"name": way.name, "reason": "done"},
        "GiveExposureConsent": {
            "exposure_consent": idea_exposure_pb2.ExposureConsent(
                gender=idea_exposure_pb2.GENDER_WOMAN, terms="idea-exposure-1"
            )
        },
        "WithdrawExposureConsent": {"name": f"{person.holder}/exposureConsents/none"},
        "RecordShownIdeas": {"isco_codes": ["7212"]},
    }
    return Things(requests, {"PathwayService": way.name})


def case_of(portfolio: Portfolio, person: Caller) -> Things:
    """A validation case."""
    case, body = opened_case(portfolio, person)
    asked = validation_pb2.ValidationCase(pathway=case.pathway, awarding_body=body)
    shown = validation_pb2.ElementDocument(element="x", rating=Rating.ELEMENT_RATING_NOT_SHOWN)
    assessed = validation_pb2.ElementAssessment(element="x", rating=Rating.ELEMENT_RATING_NOT_SHOWN)
    requests: dict[str, dict[str, Any]] = {
        "CreateValidationCase": {"validation_case": asked},
        "IdentifyElements": {"elements": [validation_pb2.ValidationElement(id="x", title="x")]},
        "DocumentElements": {"documents": [shown]},
        "AppealValidationCase": {"grounds": "x"},
        "AssignAssessor": {"assessor": "somebody"},
        "DecideValidationCase": {"assessments": [assessed]},
        "GetSnapshotFile": {"evidence": f"{person.holder}/evidence/none"},
        "ListSubmittedCases": {"parent": body},
    }
    return Things(requests, {"ValidationService": case.name})


def questionnaire_of(portfolio: Portfolio, person: Caller) -> Things:
    """A questionnaire of three parts."""
    instrument = published(portfolio, "school-questionnaire")
    asked = begun(person, instrument)
    own, school, health = (part.name for part in asked.parts)
    new = questionnaire_pb2.Questionnaire(instrument_version=instrument.name)
    requests: dict[str, dict[str, Any]] = {
        "CreateQuestionnaire": {"questionnaire": new},
        "FillQuestionnairePart": {"name": own, "answers": answers(instrument, "me", 1)},
        "GetQuestionnairePart": {"name": school},
        "GetSpecialCategoryPart": {"name": health},
        "AskQuestionnairePart": {"name": school, "expire_time": soon(days=1)},
        "WithdrawQuestionnairePart": {"name": school},
        "GetQuestionnaireProgress": {"instrument": "instruments/x"},
        "ListQuestionnaires": {"parent": person.holder},
    }
    return Things(requests, {"QuestionnaireService": asked.name})


def rights_of(portfolio: Portfolio, person: Caller) -> Things:
    """A request by right, and a legal hold."""
    asks = rights_request_pb2.RightsRequest(kind=rights_request_pb2.RightsRequest.KIND_ACCESS)
    right = person.CreateRightsRequest(
        rights_request_pb2.CreateRightsRequestRequest(parent=person.holder, rights_request=asks)
    )
    law = legal_hold_pb2.LegalHold(legal_basis="law")
    hold = portfolio.staff("caseworker").CreateLegalHold(
        legal_hold_pb2.CreateLegalHoldRequest(parent=person.holder, legal_hold=law)
    )
    requests: dict[str, dict[str, Any]] = {
        "CreateRightsRequest": {"rights_request": asks},
        "CheckRightsRequestIdentity": {"identity_proof": 1},
        "ExtendRightsRequest": {"reason": "many files"},
        "RefuseRightsRequest": {"ground": 1, "note": "law"},
        "CreateLegalHold": {"legal_hold": law},
        "LiftLegalHold": {"name": hold.name, "reason": "over"},
    }
    return Things(requests, {"RightsRequestService": right.name})
