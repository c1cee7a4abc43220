"""Into which part of a portfolio the calls fall that a mandate opens."""

from __future__ import annotations

from collections.abc import Mapping

from waymark.portfolio.v1 import mandate_pb2 as pb

# By service. None: of the mandate itself, and so open to whoever has one. A service that is not named here is
# opened by no mandate.
PARTS: Mapping[str, pb.MandatePart.ValueType | None] = {
    "HolderService": pb.MANDATE_PART_HOLDER,
    "EntryService": pb.MANDATE_PART_ENTRIES,
    "EntryRevisionService": pb.MANDATE_PART_ENTRIES,
    "SkillClaimService": pb.MANDATE_PART_SKILLS,
    "SkillProfileService": pb.MANDATE_PART_SKILLS,
    "EvidenceService": pb.MANDATE_PART_EVIDENCE,
    "CredentialService": pb.MANDATE_PART_CREDENTIALS,
    "GoalService": pb.MANDATE_PART_GOALS_AND_PLANS,
    "PlanService": pb.MANDATE_PART_GOALS_AND_PLANS,
    "PathwayService": pb.MANDATE_PART_PATHWAYS,
    "IdeaExposureService": pb.MANDATE_PART_PATHWAYS,
    "ValidationService": pb.MANDATE_PART_VALIDATION,
    "MentoringService": pb.MANDATE_PART_MENTORING,
    "QuestionnaireService": pb.MANDATE_PART_QUESTIONNAIRES,
    "PageService": pb.MANDATE_PART_PAGES,
    "PageCollectionService": pb.MANDATE_PART_PAGES,
    "CvService": pb.MANDATE_PART_DOCUMENTS,
    "DocumentService": pb.MANDATE_PART_DOCUMENTS,
    "GuidanceCaseService": pb.MANDATE_PART_CASE,
    "ContactRecordService": pb.MANDATE_PART_CASE,
    "GuidanceNoteService": pb.MANDATE_PART_CASE,
    "OnBehalfService": pb.MANDATE_PART_CASE,
    "HandoverService": None,
}
