"""Credentials in a wallet, and the body that awarded one, on a running stack, to be asked for."""

from __future__ import annotations

from services.cli.demo import portfolio
from services.cli.demo.portfolio_rows.p15_cliche_free import TERMS
from services.cli.demo.portfolio_rows.p16_partner_certificates import certificate
from tests.support.traffic import Callers, Person


def fill(callers: Callers, learner: Person, holder: str, provider: Person) -> None:
    """Puts into the wallet what is brought and what the provider's organisation awards, lets ideas be
    counted, asks for an attestation, and has a case validated."""
    manager = callers.person("catalogue_manager")
    body = {"organisation": provider.organisation, "display_name": "Awarding body"}
    issuer = manager.surely("CreateCredentialIssuer", credential_issuer=body).name
    achievement = {"id": "https://quay.example/x", "title": "x", "description": "x", "criteria": "x"}
    wanted = {"holder": holder, "achievement": achievement}
    provider.surely("IssueCredential", parent=issuer, issued_credential=wanted)
    learner.surely("ImportCredential", parent=holder, content=certificate()[1])
    learner.surely("CreateCv", parent=holder, cv={"title": "x"})
    skills = (
        b'{"SkillsPassport": {"LearnerInfo": {"Skills": {"Other": {"Description": "x"}}}}}'  # one set aside
    )
    learner.surely("ImportDocument", parent=holder, format="DOCUMENT_FORMAT_EUROPASS_JSON", content=skills)
    counting = {"gender": "GENDER_WOMAN", "terms": TERMS}
    learner.surely("GiveExposureConsent", parent=holder, exposure_consent=counting)
    learner.surely("GetDocumentReport", name=holder, format="DOCUMENT_FORMAT_HTML")
    claim = {"concept_uri": "http://data.europa.eu/esco/skill/attested"}
    name = learner.surely("CreateSkillClaim", parent=holder, skill_claim=claim).name
    request = {"skill_claim": name, "expire_time": portfolio.in_days(1)}
    learner.surely("CreateAttestationRequest", parent=holder, attestation_request=request)
    _validate(learner, holder, provider, issuer)
    film = {"file_name": "x.mp4", "content_type": "video/mp4", "size_bytes": 600_000_000, "sha256": "0" * 64}
    announced = learner.surely("CreateEvidence", parent=holder, evidence=film).evidence.name
    learner.surely("GetEvidenceUpload", name=announced)


def _validate(learner: Person, holder: str, provider: Person, issuer: str) -> None:
    """Hands a case in to the provider's awarding body, with a file, and has the provider assess it."""
    target = {"qualification_uri": "https://quay.example/welder"}
    way = learner.surely("CreatePathway", parent=holder, pathway={"target": target}).name
    wanted = {"pathway": way, "awarding_body": issuer}
    case = learner.surely("CreateValidationCase", parent=holder, validation_case=wanted).name
    learner.surely("IdentifyElements", name=case, elements=[{"id": "x", "title": "x"}])
    (file, *_) = learner.surely("ListEvidence", parent=holder).evidence
    learner.surely("SetEvidencePoster", name=file.name, image=b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(20))
    document = {"element": "x", "rating": "ELEMENT_RATING_SHOWN", "evidence": [file.name]}
    learner.surely("DocumentElements", name=case, documents=[document])
    learner.surely("SubmitValidationCase", name=case)
    provider.surely("AssignAssessor", name=case, assessor=provider.subject)
