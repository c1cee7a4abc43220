"""Five refusals: what must not happen does not, and the answer says why."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import course_pb2, course_pb2_grpc
from waymark.portfolio.v1 import holder_pb2, holder_pb2_grpc
from waymark.vouchers.v1 import redemption_pb2, redemption_pb2_grpc, voucher_pb2, voucher_pb2_grpc

from services.cli.amounts import json_date
from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.programme import LEARNER, check, push
from services.cli.demo.voucher import execution_day
from services.cli.exits import Failure

STRANGER = "Ruben"
DEBTOR_IBAN = "BE46735123456736"


def not_eligible(journey: Journey) -> str:
    """REST: a person in work applies; the refusal names each clause that failed, with its reason."""
    push(journey, STRANGER, journey.data.facts_in_work)
    answer = check(journey, STRANGER, journey.facts.session)
    expect(not answer.get("eligible", False), "an employed person with a degree should not be eligible")
    application = {
        "learner": journey.learner(STRANGER),
        "programme": journey.facts.programme,
        "session": journey.facts.session,
    }
    body = {"application": application, "requestId": request_id()}
    decided = journey.person("learner", STRANGER).rest("POST", "/v1/applications", body)
    expect(decided["state"] == "STATE_REFUSED", f"the application is {decided['state']}")
    failed = {clause["reasonCode"] for clause in answer["clauses"] if clause["outcome"] == "OUTCOME_FAILED"}
    expect(failed == set(decided["reasonCodes"]), "check and decision give different reasons")
    return f"refused for {', '.join(sorted(failed))}"


def no_accreditation(journey: Journey) -> str:
    """gRPC: the voucher is presented for a session of a provider without accreditation."""
    courses = journey.client.anonymous().stub(course_pb2_grpc.CourseServiceStub)
    listed = courses.ListCourses(course_pb2.ListCoursesRequest(organisation=journey.facts.other)).courses
    sessions = [session.name for course in listed for each in course.offerings for session in each.sessions]
    expect(bool(sessions), "the other provider has no session")
    redemptions = journey.person("learner", LEARNER).stub(redemption_pb2_grpc.RedemptionServiceStub)
    with refused("PROVIDER_NOT_ACCREDITED") as seen:
        redemptions.ReserveRedemption(
            redemption_pb2.ReserveRedemptionRequest(
                voucher=journey.facts.voucher, session=sessions[0], request_id=request_id()
            )
        )
    return f"{seen.failure.reason}: {seen.failure.text}"


def double_spend(journey: Journey) -> str:
    """gRPC: the provider presents the voucher's code although its value is reserved already."""
    learner = journey.person("learner", LEARNER).stub(voucher_pb2_grpc.VoucherServiceStub)
    code = learner.IssueVoucherCode(
        voucher_pb2.IssueVoucherCodeRequest(name=journey.facts.voucher, request_id=request_id())
    ).code
    provider = journey.person("provider", "Sanne", journey.facts.partner)
    with refused("VOUCHER_SPENT") as seen:
        provider.stub(redemption_pb2_grpc.RedemptionServiceStub).ReserveRedemption(
            redemption_pb2.ReserveRedemptionRequest(
                code=code, session=journey.facts.session, request_id=request_id()
            )
        )
    return f"{seen.failure.reason}: {seen.failure.text}"


def own_batch(journey: Journey) -> str:
    """REST: held money stays out of a batch, a second person clears it; the maker may not approve."""
    maker, checker = journey.person("finance", "Karim"), journey.person("finance", "Eline")
    hold = {"target": journey.facts.redemption, "reason": "attendance list looks odd"}
    placed = maker.rest("POST", "/v1/holds", {"hold": hold, "requestId": request_id()})
    held = left_out(journey, maker)
    finding = {"finding": "list and register agree", "requestId": request_id()}
    released = checker.rest("POST", f"/v1/{placed['name']}:release", finding)
    expect(released.get("released", False), "the hold is still there")
    made = gather(maker)
    frozen = maker.rest("POST", f"/v1/{made['name']}:freeze", {"requestId": request_id()})
    expect(pays(frozen, journey.facts.partner), "the batch does not pay our provider")
    with refused("SAME_PERSON") as seen:
        maker.rest("POST", f"/v1/{frozen['name']}:approve", {"requestId": request_id()})
    journey.facts.batch = frozen["name"]
    return f"{held} while held; then {seen.failure.reason}: {seen.failure.text}"


def left_out(journey: Journey, maker: Caller) -> str:
    """Gathers a batch while the hold stands: there is nothing to pay, or only what others are owed."""
    try:
        others = gather(maker)
    except Failure as failure:
        expect(failure.reason == "NOTHING_TO_PAY", f"expected NOTHING_TO_PAY, got {failure.reason}")
        return failure.reason
    expect(not pays(others, journey.facts.partner), "the batch pays what is held")
    return "left out of a batch"


def gather(maker: Caller, kind: str = "KIND_REDEMPTIONS") -> dict[str, Any]:
    """Has everything of a kind that may be paid put into a new batch."""
    batch = {
        "kind": kind,
        "executionDate": json_date(execution_day()),
        "debtorName": "Employment Service",
        "debtorIban": DEBTOR_IBAN,
    }
    body = {"payoutBatch": batch, "requestId": request_id()}
    made: dict[str, Any] = maker.rest("POST", "/v1/payoutBatches", body)
    return made


def pays(batch: dict[str, Any], provider: str) -> bool:
    """True when a batch has a payment to a provider."""
    return any(payment["organisation"] == provider for payment in batch.get("payouts", []))


def stranger_reads(journey: Journey) -> str:
    """gRPC: another person asks for the portfolio and does not even learn that it exists."""
    request = holder_pb2.GetHolderRequest(name=journey.facts.holder)
    with refused("NOT_FOUND") as seen:
        journey.person("learner", STRANGER).stub(holder_pb2_grpc.HolderServiceStub).GetHolder(request)
    nobody = holder_pb2.GetHolderRequest(name=f"holders/{journey.subject('nobody')}")
    with refused("NOT_FOUND") as unknown:
        journey.person("learner", STRANGER).stub(holder_pb2_grpc.HolderServiceStub).GetHolder(nobody)
    expect(seen.failure.text == unknown.failure.text, "the answer gives away that the portfolio exists")
    return f"{seen.failure.reason}: {seen.failure.text}"


NOT_ELIGIBLE = Step("refused-not-eligible", "Refused: not eligible, with reasons", ("V1", "V3"), not_eligible)
NO_ACCREDITATION = Step(
    "refused-provider", "Refused: provider without accreditation", ("V7", "C21"), no_accreditation
)
DOUBLE_SPEND = Step("refused-double-spend", "Refused: the same money twice", ("V4",), double_spend)
OWN_BATCH = Step("refused-own-batch", "Refused: a batch approved by its maker", ("V8",), own_batch)
STRANGER_READS = Step("refused-stranger", "Refused: a stranger reads a portfolio", ("P19",), stranger_reads)
