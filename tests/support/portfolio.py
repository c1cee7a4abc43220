"""A running portfolio service for tests, and people who call it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import (
    access_log_pb2_grpc,
    attestation_pb2_grpc,
    break_glass_pb2_grpc,
    consent_receipt_pb2_grpc,
    contact_record_pb2_grpc,
    credential_issuer_pb2_grpc,
    credential_pb2_grpc,
    cv_pb2_grpc,
    document_import_pb2_grpc,
    document_pb2_grpc,
    entry_pb2,
    entry_pb2_grpc,
    entry_revision_pb2_grpc,
    evidence_pb2,
    evidence_pb2_grpc,
    framework_pb2_grpc,
    goal_pb2_grpc,
    group_membership_pb2_grpc,
    group_programme_pb2_grpc,
    guidance_case_pb2_grpc,
    guidance_note_pb2_grpc,
    handover_pb2_grpc,
    holder_pb2,
    holder_pb2_grpc,
    idea_exposure_pb2_grpc,
    instrument_pb2_grpc,
    issued_credential_pb2_grpc,
    journal_entry_pb2_grpc,
    kept_content_pb2_grpc,
    legal_hold_pb2_grpc,
    mandate_pb2,
    mandate_pb2_grpc,
    mentor_pb2_grpc,
    mentoring_match_pb2_grpc,
    on_behalf_pb2_grpc,
    page_collection_pb2_grpc,
    page_comment_pb2_grpc,
    page_pb2_grpc,
    page_submission_pb2_grpc,
    pathway_pb2,
    pathway_pb2_grpc,
    plan_pb2_grpc,
    questionnaire_pb2_grpc,
    remainder_pb2_grpc,
    rights_request_pb2_grpc,
    share_link_pb2,
    share_link_pb2_grpc,
    skill_claim_pb2,
    skill_claim_pb2_grpc,
    skill_profile_pb2_grpc,
    validation_pb2_grpc,
)

from services.portfolio.service import DEFINITION
from tests.support.databases import Database, Databases
from tests.support.refusals import detail_of
from tests.support.servers import Served, start, token

STUBS = (
    access_log_pb2_grpc.AccessLogServiceStub,
    attestation_pb2_grpc.AttestationServiceStub,
    consent_receipt_pb2_grpc.ConsentReceiptServiceStub,
    contact_record_pb2_grpc.ContactRecordServiceStub,
    break_glass_pb2_grpc.BreakGlassServiceStub,
    credential_issuer_pb2_grpc.CredentialIssuerServiceStub,
    credential_pb2_grpc.CredentialServiceStub,
    cv_pb2_grpc.CvServiceStub,
    document_import_pb2_grpc.DocumentImportServiceStub,
    document_pb2_grpc.DocumentServiceStub,
    entry_pb2_grpc.EntryServiceStub,
    entry_revision_pb2_grpc.EntryRevisionServiceStub,
    evidence_pb2_grpc.EvidenceServiceStub,
    group_membership_pb2_grpc.GroupMembershipServiceStub,
    group_programme_pb2_grpc.GroupProgrammeServiceStub,
    framework_pb2_grpc.FrameworkServiceStub,
    goal_pb2_grpc.GoalServiceStub,
    guidance_case_pb2_grpc.GuidanceCaseServiceStub,
    guidance_note_pb2_grpc.GuidanceNoteServiceStub,
    handover_pb2_grpc.HandoverServiceStub,
    holder_pb2_grpc.HolderServiceStub,
    idea_exposure_pb2_grpc.IdeaExposureServiceStub,
    instrument_pb2_grpc.InstrumentServiceStub,
    issued_credential_pb2_grpc.IssuedCredentialServiceStub,
    journal_entry_pb2_grpc.JournalEntryServiceStub,
    kept_content_pb2_grpc.KeptContentServiceStub,
    legal_hold_pb2_grpc.LegalHoldServiceStub,
    mandate_pb2_grpc.MandateServiceStub,
    mentor_pb2_grpc.MentorServiceStub,
    mentoring_match_pb2_grpc.MentoringServiceStub,
    page_collection_pb2_grpc.PageCollectionServiceStub,
    page_comment_pb2_grpc.PageCommentServiceStub,
    page_pb2_grpc.PageServiceStub,
    page_submission_pb2_grpc.PageSubmissionServiceStub,
    on_behalf_pb2_grpc.OnBehalfServiceStub,
    pathway_pb2_grpc.PathwayServiceStub,
    questionnaire_pb2_grpc.QuestionnaireServiceStub,
    remainder_pb2_grpc.RemainderServiceStub,
    plan_pb2_grpc.PlanServiceStub,
    rights_request_pb2_grpc.RightsRequestServiceStub,
    share_link_pb2_grpc.ShareLinkServiceStub,
    skill_claim_pb2_grpc.SkillClaimServiceStub,
    skill_profile_pb2_grpc.SkillProfileServiceStub,
    validation_pb2_grpc.ValidationServiceStub,
)
SERVICE_OF = {  # stub class by the name of an RPC
    rpc: stub
    for stub in reversed(STUBS)
    for rpc in descriptor_pool.Default()
    .FindServiceByName(f"waymark.portfolio.v1.{stub.__name__.removesuffix('Stub')}")
    .methods_by_name
}
ESCO = "http://data.europa.eu/esco/skill/"
PDF = b"%PDF-1.7\n" + b"evidence " * 50


class Caller:
    """Somebody with an access token; every RPC of the portfolio is an attribute."""

    def __init__(self, served: Served, access_token: str, subject: str = "") -> None:
        self.subject = subject
        self.holder = f"holders/{subject}"
        self._served, self._token = served, access_token

    def __getattr__(self, rpc: str) -> Any:
        if rpc not in SERVICE_OF:
            raise AttributeError(rpc)
        stub = self._served.stub(SERVICE_OF[rpc], self._token)
        self.__dict__.update((name, call) for name, call in vars(stub).items() if name in SERVICE_OF)
        return self.__dict__[rpc]


@dataclass
class Portfolio:
    """A served portfolio with its database."""

    served: Served
    database: Database
    organisation: str = "organisations/pes"

    @property
    def app(self) -> Any:
        """The app of the server."""
        return self.served.app

    def person(self, **fields: Any) -> Caller:
        """A learner with a portfolio."""
        caller = self.learner()
        caller.CreateHolder(holder_pb2.CreateHolderRequest(holder=holder_pb2.Holder(**fields)))
        return caller

    def learner(self, subject: str = "") -> Caller:
        """A learner without one."""
        subject = subject or str(uuid.uuid4())
        return Caller(self.served, token("learner", subject=subject), subject)

    def counsellor(self, organisation: str = "", subject: str = "") -> Caller:
        """A counsellor without any mandate."""
        subject = subject or str(uuid.uuid4())
        org = organisation or self.organisation
        return Caller(self.served, token("counsellor", subject=subject, org=org), subject)

    def staff(self, role: str, organisation: str = "", subject: str = "") -> Caller:
        """Somebody who works for an organisation, or for the office."""
        subject = subject or str(uuid.uuid4())
        return Caller(self.served, token(role, subject=subject, org=organisation), subject)

    def anybody(self) -> Caller:
        """Somebody without a token."""
        return Caller(self.served, "")

    def mandated(
        self,
        person: Caller,
        purpose: Any = mandate_pb2.MANDATE_PURPOSE_GUIDANCE,
        organisation: str = "",
        **more: Any,
    ) -> Caller:
        """A counsellor with a mandate of `person`."""
        counsellor = self.counsellor(organisation)
        request = mandate(person, counsellor, organisation or self.organisation, purpose)
        request.mandate.MergeFrom(mandate_pb2.Mandate(**more))
        person.CreateMandate(request)
        return counsellor


def mandate(person: Caller, counsellor: Caller, organisation: str, purpose: Any) -> Any:
    """A request for a mandate of a week."""
    return mandate_pb2.CreateMandateRequest(
        parent=person.holder,
        mandate=mandate_pb2.Mandate(
            counsellor=counsellor.subject,
            organisation=organisation,
            purpose=purpose,
            expire_time=soon(days=7),
        ),
    )


def soon(**ahead: float) -> Timestamp:
    """A time ahead of now."""
    moment = Timestamp()
    moment.FromDatetime(datetime.now(UTC) + timedelta(**ahead))
    return moment


def entry(person: Caller, title: str = "Welder", **fields: Any) -> entry_pb2.Entry:
    """Creates an entry."""
    made = entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_WORK, title=title, **fields)
    answer: entry_pb2.Entry = person.CreateEntry(
        entry_pb2.CreateEntryRequest(parent=person.holder, entry=made)
    )
    return answer


def skill(person: Caller, concept: str = "welding", **fields: Any) -> skill_claim_pb2.SkillClaim:
    """Creates a skill claim."""
    made = skill_claim_pb2.SkillClaim(concept_uri=ESCO + concept, taxonomy_version="esco-1.1.1", **fields)
    answer: skill_claim_pb2.SkillClaim = person.CreateSkillClaim(
        skill_claim_pb2.CreateSkillClaimRequest(parent=person.holder, skill_claim=made)
    )
    return answer


def evidence_of(body: bytes = PDF, **fields: Any) -> evidence_pb2.Evidence:
    """What is said of a file before its upload."""
    facts: dict[str, Any] = {
        "file_name": "certificate.pdf",
        "content_type": "application/pdf",
        "size_bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return evidence_pb2.Evidence(**(facts | fields))


def pathway(person: Caller, **fields: Any) -> pathway_pb2.Pathway:
    """Creates a pathway to a qualification."""
    target = pathway_pb2.Target(qualification_uri="http://example.org/qualification/welder", eqf_level=4)
    answer: pathway_pb2.Pathway = person.CreatePathway(
        pathway_pb2.CreatePathwayRequest(
            parent=person.holder, pathway=pathway_pb2.Pathway(target=target, **fields)
        )
    )
    return answer


def step(caller: Caller, of: str, **fields: Any) -> pathway_pb2.Pathway:
    """Adds a step and returns the pathway."""
    facts: dict[str, Any] = {"kind": pathway_pb2.Step.KIND_COURSE, "title": "Course"}
    answer: pathway_pb2.Pathway = caller.AddStep(
        pathway_pb2.AddStepRequest(pathway=of, step=pathway_pb2.Step(**(facts | fields)))
    )
    return answer


def share(
    person: Caller, fields: list[str], *, pin: str = "", max_uses: int = 10, **options: Any
) -> share_link_pb2.CreateShareLinkResponse:
    """Creates a share link of a day."""
    link = share_link_pb2.ShareLink(fields=fields, max_uses=max_uses, expire_time=soon(days=1), **options)
    answer: share_link_pb2.CreateShareLinkResponse = person.CreateShareLink(
        share_link_pb2.CreateShareLinkRequest(parent=person.holder, share_link=link, pin=pin)
    )
    return answer


def refused(call: Any, request: Any) -> error_details_pb2.ErrorInfo:
    """Calls, expects a refusal, and returns its ErrorInfo; the code must be the catalogue's."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    info = detail_of(caught.value, error_details_pb2.ErrorInfo)
    value = reason_pb2.Reason.DESCRIPTOR.values_by_name[f"REASON_{info.reason}"]
    assert caught.value.code().value[0] == value.GetOptions().Extensions[reason_pb2.info].code
    return info


def reason_of(call: Any, request: Any) -> str:
    """Calls, expects a refusal, and returns its reason."""
    return str(refused(call, request).reason)


def outcome(call: Any, request: Any) -> str:
    """Calls; returns the reason of a refusal, else OK."""
    try:
        call(request)
    except grpc.RpcError as error:
        return str(detail_of(error, error_details_pb2.ErrorInfo).reason)
    return "OK"


@contextmanager
def running(postgres: str, folder: Path, environ: dict[str, str] | None = None) -> Iterator[Portfolio]:
    """A portfolio service with an empty database."""
    databases = Databases(postgres)
    made = databases("portfolio")
    served = start(DEFINITION, made.url, folder, environ=environ)
    yield Portfolio(served, made)
    served.stop()
    databases.drop()


@pytest.fixture(scope="module")
def portfolio(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portfolio]:
    """A portfolio service shared by the tests of a module, each with people of its own; no object store."""
    with running(postgres, tmp_path_factory.mktemp("portfolio")) as made:
        yield made


@pytest.fixture
def lonely_portfolio(postgres: str, tmp_path: Path) -> Iterator[Portfolio]:
    """A portfolio service of one test."""
    with running(postgres, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def portfolio_with_files(
    postgres: str, s3: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portfolio]:
    """A portfolio service shared by the tests of a module, with a real object store."""
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
        "WAYMARK_S3_PUBLIC_ENDPOINT": s3.endpoint,
    }
    with running(postgres, tmp_path_factory.mktemp("files"), environ) as made:
        yield made
