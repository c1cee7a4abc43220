"""Nobody sees a row that is not theirs (I8): a running stack, every RPC that reads, real names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import product
from typing import Any

import grpc
import pytest
from buf.validate import validate_pb2
from google.api import resource_pb2
from google.protobuf import descriptor_pool
from google.protobuf.message import Message

from services.cli.amounts import json_date
from services.cli.demo import portfolio
from services.cli.demo.rows import ground
from services.platform.edge.contract import Contract, Rpc
from services.platform.identity.principals import ROLE_NAMES
from tests.e2e.faults import cases, company, instruments, office, partners, questionnaires, wallets
from tests.e2e.faults.test_traces import upload
from tests.support.portfolio import PDF
from tests.support.refusals import reason_of
from tests.support.requests import smallest
from tests.support.stand import Learner, Stand
from tests.support.traffic import RPCS, Journal, Person
from tests.support.uploads import put

pytestmark = [pytest.mark.timeout(600)]
READING = ("Get", "List", "Check", "Search", "Verify")
# What there is only once a bank has answered or money was taken back, which this stand does not see; who
# sees it is held by tests/integration/vouchers (test_bank_results, test_claw_back, test_statement).
AFTER_A_BANK = {
    "GetBankReport",
    "GetDemandLetter",
    "GetReceivable",
    "ListBankReportEntries",
    "ListReceivables",
    "ListStatementLines",
}
# Answers whoever was shown a QR, and nobody by name; held by tests/integration/vouchers/test_wallet.py.
BY_TOKEN = {"CheckVoucherQr"}
# What there is only once a provider was delisted, as the stand's is not; held by test_rebooking.
AFTER_A_DELISTING = {"GetRebooking"}
# What officers find out about occupations is of nobody, and for every counsellor to see.
OF_NOBODY = {"GetAssessment", "ListAssessments", "ListMarketChanges"}
# What group programmes there are, for everybody who may join one, and nothing of who did.
OF_NOBODY |= {"GetGroupProgramme", "ListGroupProgrammes"}
# Reads a credential into a picture that comes with the request; held by tests/integration/portfolio.
WITH_A_PICTURE = {"GetBakedCredential"}
# Asked by days, and kept some seconds after it was shown; held by tests/integration/catalogue.
BY_DAY = {"ListExposures"}
# What there is only once nothing has moved for weeks; held by tests/integration/portfolio.
AFTER_WEEKS = {"ListStalledPathways"}
NOT_HERE = AFTER_WEEKS | WITH_A_PICTURE | AFTER_A_BANK | BY_TOKEN | AFTER_A_DELISTING | OF_NOBODY | BY_DAY
READS = {
    name: rpc
    for name, rpc in RPCS.items()
    if name.startswith(READING) and name not in NOT_HERE and not rpc.policy.public
}
ROLES = ("learner", "provider", "counsellor", "employer", "observer")
ELSEWHERE = "organisations/elsewhere"


class Owners:
    """A learner, a provider and a counsellor, and the names of everything that is theirs."""

    def __init__(self, stand: Stand) -> None:
        first, facts = len(stand.callers.journal.entries), stand.journey.facts
        seeker = stand.seeker()
        self._ask(stand, seeker)  # before the grant, which would stand in the way of both
        self._wait(stand, seeker)
        learner = stand.learner(seeker, pathway=True)
        self._fill(stand, learner)
        self._look_at(stand, learner, stand.spend(learner))
        hook = {"url": "http://127.0.0.1:9/", "event_types": ["waymark.vouchers.v1.RedemptionReserved"]}
        endpoint = stand.register.surely("CreateWebhookEndpoint", webhook_endpoint=hook).webhook_endpoint
        self._hand_in(stand, learner)
        stand.register.surely("ListWebhookDeliveries", parent=endpoint.name)
        finance, manager = stand.callers.person("finance"), stand.callers.person("catalogue_manager")
        finance.surely("ListBankAccounts", parent=facts.partner)
        finance.surely("ListHolds")
        maker = stand.callers.person("programme_manager")
        maker.surely("ListBudgets", parent=facts.programme)
        maker.surely("SimulateProgrammeVersion", name=facts.version)
        digital = ground.publish(stand.journey, "aptic-digital-voucher", short="allocated").programme
        maker.surely("CreateAllocation", programme=digital, size_bytes=1, sha256="0" * 64)
        manager.surely("ListFeedRuns", source=facts.feeds[0][0])
        employer = stand.callers.person("employer", organisation="organisations/yard")
        observer = stand.callers.person("observer")
        instruments.fill(stand.callers, stand.journey.run, employer, observer, facts.partner)
        wallets.fill(stand.callers, learner.person, learner.holder, stand.provider)
        company.fill(learner.person, learner.holder, stand.provider, stand.counsellor)
        questionnaires.fill(stand.callers, learner.person, learner.holder, stand.counsellor)
        cases.fill(learner.person, learner.holder, stand.counsellor)
        office.fill(stand.callers, learner.person, learner.holder)
        told = partners.fill(stand.callers, stand.journey, stand.provider, employer, stand.caseworker)
        self.names = told | Journal(stand.callers.journal.entries[first:]).names()
        self.names |= {learner.name, facts.partner, facts.feeds[0][0], facts.batch, facts.version}
        self.names |= {facts.programme, facts.shortage_version, f"fundingSources/state-{stand.journey.run}"}
        self.people = {"learner": learner.person, "provider": stand.provider, "counsellor": stand.counsellor}
        self.people |= {"employer": employer, "observer": observer}

    def _hand_in(self, stand: Stand, learner: Learner) -> None:
        """A training that is delivered with the paper that its learner completed it."""
        name = stand.reserve(learner)
        learner.person.surely("AuthoriseRedemption", name=name)
        stand.provider.surely("StartRedemption", name=name)
        paper = {
            "size_bytes": len(PDF),
            "sha256": sha256(PDF).hexdigest(),
            "content_type": "application/pdf",
            "kind": "KIND_COMPLETION",
        }
        made = stand.provider.surely("CreateDeliveryEvidence", parent=name, evidence=paper)
        put(made.upload_uri, made.upload_headers, PDF).raise_for_status()
        stand.provider.surely("DeliverRedemption", name=name, evidence=[made.name])

    def _ask(self, stand: Stand, person: Person) -> None:
        """An application that waits for what only the learner can tell, and a question about it."""
        unknown = {"id": "asked", "expression": "learner.works_hours_per_week < 40", "reasonCode": "ASKED"}

        def undecided(version: dict[str, Any]) -> None:
            version["clauses"].append(unknown)
            version["amountRule"]["noDoubleFunding"] = False

        journey = stand.journey
        programme = ground.publish(journey, "shortage-training", short="asked", change=undecided).programme
        wanted = {
            "learner": f"learners/{person.subject}",
            "programme": programme,
            "session": journey.facts.session,
        }
        waiting = person.surely("CreateApplication", application=wanted)
        due = json_date(datetime.now(UTC).date() + timedelta(days=30))
        question = {"kind": "KIND_PROOF_OF_WORK", "due_date": due}
        stand.caseworker.surely("CreateInquiry", parent=waiting.name, inquiry=question)

    def _look_at(self, stand: Stand, learner: Learner, redemption: str) -> None:
        """Everything about the quality of one redemption."""
        person, finance = learner.person, stand.callers.person("finance")
        person.surely("FileComplaint", parent=redemption, complaint={"kind": "KIND_OTHER"})
        course = stand.journey.facts.course
        person.surely("FileCourseComplaint", parent=course, complaint={"kind": "KIND_OTHER"})
        marks = {"satisfaction": 4, "skills_gained": 4}
        person.surely("GiveFeedback", name=f"{redemption}/feedback", feedback=marks)
        outcome = {"status": "STATUS_SEEKING"}
        stand.register.surely("ReportOutcome", name=f"{redemption}/outcome", outcome=outcome)
        stand.register.surely("ReportLeaving", name=f"{redemption}/leaving", leaving={"qualified": True})
        rule = {"hold_on": "HOLD_ON_NOTHING", "sample": {"share_basis_points": 1}}
        finance.surely("DraftMonitoringRule", monitoring_rule_id="strangers", monitoring_rule=rule)
        finance.surely("RaiseAlert", alert={"target": redemption, "reason": "looks odd"})
        warning = {"organisation": stand.journey.facts.partner, "kind": "KIND_WARNING", "reason": "odd"}
        proposed = finance.surely("ProposeSanction", sanction=warning)
        stand.callers.person("finance").surely("ImposeSanction", name=proposed.name)

    def _fill(self, stand: Stand, learner: Learner) -> None:
        person, holder = learner.person, learner.holder
        entry = person.surely("CreateEntry", parent=holder, entry={"kind": "ENTRY_KIND_WORK", "title": "x"})
        person.surely("UpdateEntry", entry={"name": entry.name, "title": "y"})  # leaves a revision behind
        person.surely("ListEntryRevisions", parent=entry.name)
        claim = {"concept_uri": "http://data.europa.eu/esco/skill/x"}
        person.surely("CreateSkillClaim", parent=holder, skill_claim=claim)
        upload(stand, learner)
        link = {"fields": ["holder"], "max_uses": 1, "expire_time": portfolio.in_days(1)}
        person.surely("CreateShareLink", parent=holder, share_link=link)
        mandate = {
            "counsellor": stand.counsellor.subject,
            "organisation": stand.counsellor.organisation,
            "purpose": "MANDATE_PURPOSE_GUIDANCE",
            "act_on_behalf": True,
            "expire_time": portfolio.in_days(1),
        }
        given = person.surely("CreateMandate", parent=holder, mandate=mandate).name
        offer = {"mandate": given, "counsellor": "x", "organisation": "organisations/third"}
        stand.counsellor.surely("CreateHandover", parent=holder, handover=offer)

    def _wait(self, stand: Stand, person: Person) -> None:
        """The learner waits for money that is not there."""

        def even_if_funded(version: dict[str, Any]) -> None:
            version["amountRule"]["noDoubleFunding"] = False

        sample, euro = "dutch-temporary-training-voucher", {"KIND_STATE": "1.00"}
        published = ground.publish(stand.journey, sample, short="wait", change=even_if_funded, funds=euro)
        application = {
            "learner": f"learners/{person.subject}",
            "programme": published.programme,
            "session": stand.journey.facts.session,
        }
        refused = person.surely("CreateApplication", application=application)
        person.surely("JoinWaitingList", name=refused.name)


@pytest.fixture(scope="module")
def owners(stand: Stand) -> Owners:
    return Owners(stand)


@pytest.fixture(scope="module")
def strangers(stand: Stand) -> dict[str, Person]:
    """People in the same roles to whom nothing belongs."""
    return {role: stand.callers.person(role, organisation=ELSEWHERE) for role in ROLES}


def resource_patterns() -> dict[str, str]:
    """Pattern of the names of each kind of resource, `holders/{holder}/entries/{entry}`, by its type."""
    found = {}
    for file in Contract().files:
        for message in file.message_type:
            resource = message.options.Extensions[resource_pb2.resource]
            if resource.type:
                found[resource.type] = resource.pattern[0]
    return found


RESOURCES = resource_patterns()


def pattern_of(field: Any) -> str:
    """What a field that names a resource lets through, by its rules or by the resource it refers to; empty
    for any other field."""
    refers = field.GetOptions().Extensions[resource_pb2.resource_reference]
    named = RESOURCES[refers.type or refers.child_type] if refers.type or refers.child_type else ""
    if refers.child_type:  # the parent
        named = "/".join(named.split("/")[:-2])
    if named:
        return "^" + re.sub(r"{[^}]+}", "[^/]+", named) + "$"
    return str(field.GetOptions().Extensions[validate_pb2.field].string.pattern)


def requests(rpc: Rpc, names: set[str]) -> Iterator[Any]:
    """Valid requests that name the owners' things: each field takes the names that its pattern lets through,
    and a filter is left out as well."""
    method = descriptor_pool.Default().FindMethodByName(f"{rpc.interface}.{rpc.name}")
    choices: dict[str, list[str]] = {}
    for field in method.input_type.fields:
        pattern = pattern_of(field)
        if "/" in pattern:
            fitting = sorted(name for name in names if re.search(pattern, name))
            assert fitting, f"no name for {rpc.name}.{field.name}"
            rules = field.GetOptions().Extensions[validate_pb2.field]
            optional = rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
            choices[field.name] = fitting + ([""] if optional else [])
    for values in product(*choices.values()):
        request: Any = smallest(method)
        for name, value in zip(choices, values, strict=True):
            setattr(request, name, value)
        yield request


def answers(person: Person, rpc: Rpc, names: set[str]) -> list[Message | str]:
    """What somebody gets for each of these requests: the answer, or the reason of the refusal."""
    found: list[Message | str] = []
    for request in requests(rpc, names):
        try:
            found.append(person.call(rpc.name, request))
        except grpc.RpcError as error:
            found.append(reason_of(error))
    return found


def roles_with_a_way(rpc: Rpc) -> set[str]:
    assert rpc.policy is not None
    return {ROLE_NAMES[allow.role] for allow in rpc.policy.allow} & set(ROLES)


@pytest.mark.parametrize("name", sorted(READS))
def test_a_stranger_gets_no_data_and_the_owner_does(
    stand: Stand, owners: Owners, strangers: dict[str, Person], name: str
) -> None:
    rpc = READS[name]
    for role in ROLES:
        got = answers(strangers[role], rpc, owners.names)
        told = {each for each in got if isinstance(each, str)}
        data = [each for each in got if isinstance(each, Message) and each.ByteSize()]
        assert data == [], role
        assert told <= {"NOT_FOUND" if role in roles_with_a_way(rpc) else "PERMISSION_DENIED"}, role
        if role in roles_with_a_way(rpc):  # control: the same requests by whom it belongs to
            own = answers(owners.people[role], rpc, owners.names)
            assert any(isinstance(each, Message) and each.ByteSize() for each in own), (role, own)
    assert set(answers(stand.callers.anybody(), rpc, owners.names)) == {"UNAUTHENTICATED"}
