"""What somebody can give beside a mandate, one of each kind: a link, a look, a case, pages, a match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from google.protobuf.message_factory import GetMessageClass
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import attestation_pb2, break_glass_pb2
from waymark.portfolio.v1 import questionnaire_pb2 as questionnaires
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.mentoring_match_pb2 import MentoringMatch
from waymark.portfolio.v1.page_pb2 import PAGE_FORMAT_HTML, PageBlock
from waymark.portfolio.v1.page_submission_pb2 import PageSubmission
from waymark.portfolio.v1.validation_pb2 import (
    DocumentElementsRequest,
    ElementDocument,
    SubmitValidationCaseRequest,
    ValidationCase,
)

from services.platform.identity.principals import ROLE_NAMES
from tests.support.mentoring import matched, offered
from tests.support.owned import CALLS, Owned
from tests.support.pages import handing_in, inviting, page
from tests.support.portfolio import Caller, Portfolio, share, skill, soon
from tests.support.questionnaires import answers, begun, published
from tests.support.validations import SHOWN, identified

# Relationships to what an organisation keeps itself: nobody gave it, and so nobody ends it.
KEPT = {"issuer.staff", "mentor.self", "group.leader"}
EXPIRED, TOMORROW = "expires_at = now()", "expires_at = now() + interval '1 day'"


class Grant(NamedTuple):
    """What a caller was given: the calls that it opens, its row in the database, the changes that end it, and
    the one that puts it into force again."""

    caller: Caller
    requests: dict[str, Any]
    table: str
    name: str
    over: dict[str, str]
    in_force: str
    refusal: str = "NOT_FOUND"

    @property
    def row(self) -> dict[str, str]:
        """Key of its row."""
        holder, *rest = self.name.split("/")[1::2]
        return {"holder": holder, "row": ".".join(rest)}


def kinds() -> dict[str, set[str]]:
    """The calls that each kind of grant opens, by the contract: a relationship and a role, or the links of a
    service."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, call in CALLS.items():
        policy = call.GetOptions().Extensions[options_pb2.policy]
        if policy.public and "token" in call.input_type.fields_by_name:
            found[f"link of {call.containing_service.name}"].add(name)
        for allow in policy.allow:
            relation = allow.relationship
            if relation not in {"", "self", *KEPT} and not relation.startswith("mandate."):
                found[f"{relation} {ROLE_NAMES[allow.role]}"].add(name)
    return dict(found)


KINDS = kinds()


def grants_of(portfolio: Portfolio, stored: Callable[[Caller], Evidence]) -> dict[str, Grant]:
    """Gives one of each kind; `stored` uploads a file."""
    return (
        _looks(portfolio)
        | _cases(portfolio, stored)
        | _pages(portfolio, stored)
        | _matches(portfolio)
        | _asked(portfolio)
    )


def _requests(kind: str, **fields: Any) -> dict[str, Any]:
    """A request for each call of a kind, of what it takes of these fields."""
    return {
        name: GetMessageClass(CALLS[name].input_type)(
            **{field: fields[field] for field in CALLS[name].input_type.fields_by_name if field in fields}
        )
        for name in KINDS[kind]
    }


def _looks(portfolio: Portfolio) -> dict[str, Grant]:
    owned, made = Owned(portfolio), {}
    for role in ("counsellor", "caseworker"):
        kind, caller = f"break_glass {role}", portfolio.staff(role, portfolio.organisation)
        look = break_glass_pb2.BreakGlassAccess(ground=1, reason="found unconscious")  # type: ignore[arg-type]
        opening = break_glass_pb2.CreateBreakGlassAccessRequest(
            parent=owned.person.holder, break_glass_access=look
        )
        over = {
            "EXPIRED": EXPIRED,
            "ENDED": "ended_at = now()",
            "REVIEWED": "reviewer = 'x', verdict = 1, reviewed_at = now(), ended_at = now()",
        }
        made[kind] = Grant(
            caller,
            {name: owned.requests[name] for name in KINDS[kind]},
            "break_glass_accesses",
            caller.CreateBreakGlassAccess(opening).name,
            over,
            f"{TOMORROW}, ended_at = NULL, reviewed_at = NULL, reviewer = '', verdict = 0",
        )
    return made


def _cases(portfolio: Portfolio, stored: Callable[[Caller], Evidence]) -> dict[str, Grant]:
    given = identified(portfolio)
    file = stored(given.person).name
    shown = [ElementDocument(element=each, rating=SHOWN, evidence=[file]) for each in ("arc", "gas")]  # type: ignore[arg-type]
    given.person.DocumentElements(DocumentElementsRequest(name=given.name, documents=shown))
    given.person.SubmitValidationCase(SubmitValidationCaseRequest(name=given.name))
    given.assigned(given.assessor)
    withdrawn = {"WITHDRAWN": f"state = {ValidationCase.STATE_WITHDRAWN}"}
    again = f"state = {ValidationCase.STATE_ASSESSMENT}, assessor = '{given.assessor.subject}'"
    fields: dict[str, Any] = {"name": given.name, "evidence": file, "assessor": given.second.subject}
    fields["assessments"] = given.deciding(SHOWN, SHOWN).assessments
    made = {}
    for relation, caller, over in (
        ("awarding", given.head, withdrawn),
        ("assessor", given.assessor, withdrawn | {"of another": "assessor = 'another'"}),
    ):
        kind = f"validation.{relation} provider"
        requests = _requests(kind, **fields)
        made[kind] = Grant(caller, requests, "validation_cases", given.name, over, again)
    return made


def _pages(portfolio: Portfolio, stored: Callable[[Caller], Evidence]) -> dict[str, Grant]:
    person = portfolio.person()
    file = stored(person).name
    shown = page(person, PageBlock(evidence=file)).name
    fields: dict[str, Any] = {"evidence": file, "format": PAGE_FORMAT_HTML, "feedback": "x"}
    made = {}
    for role in ("counsellor", "provider"):
        kind, caller = f"submission.recipient {role}", portfolio.staff(role, portfolio.organisation)
        handed = person.CreatePageSubmission(handing_in(person, shown, caller, portfolio.organisation)).name
        made[kind] = Grant(
            caller,
            _requests(kind, name=handed, **fields),
            "page_submissions",
            handed,
            {"EXPIRED": EXPIRED, "WITHDRAWN": f"state = {PageSubmission.STATE_WITHDRAWN}"},
            f"{TOMORROW}, state = {PageSubmission.STATE_SUBMITTED}",
        )
    link, kind = share(person, ["pages"], pages=[shown], files=True), "link of ShareLinkService"
    ends = {"EXPIRED": EXPIRED, "REVOKED": "revoked_at = now()", "EXHAUSTED": "uses = max_uses"}
    made[kind] = Grant(
        portfolio.anybody(),
        _requests(kind, token=link.token, **fields),
        "share_links",
        link.share_link.name,
        ends | {"LOCKED": "pin_failures = 100"},
        f"{TOMORROW}, revoked_at = NULL, uses = 0, pin_failures = 0",
        "SHARE_LINK_ENDED",
    )
    invited, kind = person.CreatePageInvitation(inviting(person, shown)), "link of PageCommentService"
    made[kind] = Grant(
        portfolio.anybody(),
        _requests(kind, token=invited.token, author="x", text="x"),
        "page_invitations",
        invited.page_invitation.name,
        {"EXPIRED": EXPIRED, "WITHDRAWN": "withdrawn_at = now()", "USED_UP": "comments = max_comments"},
        f"{TOMORROW}, withdrawn_at = NULL, comments = 0",
        "SHARE_LINK_ENDED",
    )
    return made


def _matches(portfolio: Portfolio) -> dict[str, Grant]:
    kind, mentor = "mentoring.mentor provider", offered(portfolio)
    name, states = matched(portfolio.person(), mentor).name, MentoringMatch.State
    over = {
        "EXPIRED": EXPIRED,
        "DECLINED": f"state = {states.STATE_DECLINED}",
        "ENDED": f"state = {states.STATE_ENDED}",
        "not agreed to": f"state = {states.STATE_PROPOSED}, holder_agreed = NULL",
    }
    again = f"{TOMORROW}, state = {states.STATE_ACTIVE}, holder_agreed = now()"
    requests = _requests(kind, name=name)
    return {kind: Grant(mentor.caller, requests, "mentoring_matches", name, over, again)}


def _asked(portfolio: Portfolio) -> dict[str, Grant]:
    """Links by which others say something: of a skill, and in a questionnaire."""
    person = portfolio.person()
    wanted = attestation_pb2.AttestationRequest(skill_claim=skill(person).name, expire_time=soon(days=1))
    asked = person.CreateAttestationRequest(
        attestation_pb2.CreateAttestationRequestRequest(parent=person.holder, attestation_request=wanted)
    )
    states = attestation_pb2.AttestationRequest.State
    ends = {"WITHDRAWN": f"state = {states.STATE_WITHDRAWN}", "GIVEN": f"state = {states.STATE_GIVEN}"}
    said = attestation_pb2.Attestation(attester="Tom Maes", employer="Yard", position="head", level=1)  # type: ignore[arg-type]
    kind = "link of AttestationService"
    attesting = Grant(
        portfolio.anybody(),
        _requests(kind, token=asked.token, attestation=said),
        "attestation_requests",
        asked.attestation_request.name,
        {"EXPIRED": EXPIRED} | ends,
        f"{TOMORROW}, state = {states.STATE_OPEN}",
        "SHARE_LINK_ENDED",
    )
    instrument = published(portfolio, "school-questionnaire")
    part = f"{begun(person, instrument).name}/parts/health"
    asking = questionnaires.AskQuestionnairePartRequest(name=part, expire_time=soon(days=1))
    token, parts = person.AskQuestionnairePart(asking).token, questionnaires.QuestionnairePart.State
    filled, kind = answers(instrument, "health", 1), "link of QuestionnaireService"
    filling = Grant(
        portfolio.anybody(),
        _requests(kind, token=token, giver="Dr Maes", answers=filled),
        "questionnaire_parts",
        part,
        {"EXPIRED": EXPIRED, "FILLED": f"state = {parts.STATE_FILLED}"},
        f"{TOMORROW}, state = {parts.STATE_ASKED}",
        "SHARE_LINK_ENDED",
    )
    return {"link of AttestationService": attesting, kind: filling}
