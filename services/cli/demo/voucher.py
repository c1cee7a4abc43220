"""Chapter 3: a voucher is granted, spent on a training that takes place, and paid."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from google.type import money_pb2
from lxml import etree
from waymark.vouchers.v1 import (
    payout_batch_pb2,
    payout_batch_pb2_grpc,
    redemption_pb2,
    redemption_pb2_grpc,
    voucher_pb2,
    voucher_pb2_grpc,
)

from services.cli.client import request_id, sha256
from services.cli.demo.journey import Journey, Step, StepFailed, expect
from services.cli.demo.papers import certificate
from services.cli.demo.programme import LEARNER
from services.cli.legal_day import legal_day
from services.cli.output import money

Redemption = redemption_pb2.Redemption
PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


def be_granted(journey: Journey) -> str:
    """REST: an application that verified facts decide at once; the voucher has a signed QR."""
    caller = journey.person("learner", LEARNER)
    application = {
        "learner": journey.learner(LEARNER),
        "programme": journey.facts.programme,
        "session": journey.facts.session,
    }
    answer = caller.rest("POST", "/v1/applications", {"application": application, "requestId": request_id()})
    expect(
        answer["state"] == "STATE_GRANTED",
        f"{answer['state']} for {', '.join(answer.get('reasonCodes', []))}",
    )
    expect(answer.get("automatic", False), "no person should have had to decide")
    journey.facts.application, journey.facts.voucher = answer["name"], answer["voucher"]
    qr = caller.rest("GET", f"/v1/{answer['voucher']}:qr")
    expect(qr["token"].count(".") == 2, "the QR holds no signed token")
    return f"{money(answer['amount'])} granted by rules, pinned to {answer['shortageListVersion']}"


def reserve(journey: Journey) -> str:
    """gRPC: value is reserved, given back, reserved again, and the learner agrees to this one spend."""
    caller = journey.person("learner", LEARNER)
    redemptions = caller.stub(redemption_pb2_grpc.RedemptionServiceStub)
    vouchers = caller.stub(voucher_pb2_grpc.VoucherServiceStub)
    request = redemption_pb2.ReserveRedemptionRequest(
        voucher=journey.facts.voucher, session=journey.facts.session, request_id=request_id()
    )
    first = redemptions.ReserveRedemption(request)
    again = redemptions.ReserveRedemption(request)
    expect(again.name == first.name, "the same request_id reserved twice")
    voided = redemptions.VoidRedemption(
        redemption_pb2.VoidRedemptionRequest(
            name=first.name, reason="another date suits better", request_id=request_id()
        )
    )
    expect(voided.state == Redemption.STATE_VOIDED, "the first reservation should be void")
    voucher = vouchers.GetVoucher(voucher_pb2.GetVoucherRequest(name=journey.facts.voucher))
    expect(voucher.available == voucher.value, "the value did not come back")
    request.request_id = request_id()
    reserved = redemptions.ReserveRedemption(request)
    authorised = redemptions.AuthoriseRedemption(
        redemption_pb2.AuthoriseRedemptionRequest(name=reserved.name, request_id=request_id())
    )
    expect(authorised.state == Redemption.STATE_AUTHORISED, "the learner's word was not taken")
    journey.facts.redemption = reserved.name
    return f"{euros(reserved.amount)} reserved and authorised; {euros(reserved.learner_share)} left to pay"


def deliver(journey: Journey) -> str:
    """gRPC: the training starts, evidence is uploaded through the edge, a caseworker accepts."""
    provider = journey.person("provider", "Sanne", journey.facts.partner)
    redemptions = provider.stub(redemption_pb2_grpc.RedemptionServiceStub)
    name = journey.facts.redemption
    redemptions.StartRedemption(redemption_pb2.StartRedemptionRequest(name=name, request_id=request_id()))
    paper = certificate(journey.run)
    evidence = redemptions.CreateDeliveryEvidence(
        redemption_pb2.CreateDeliveryEvidenceRequest(
            parent=name,
            evidence=redemption_pb2.DeliveryEvidence(
                size_bytes=len(paper),
                content_type="application/pdf",
                sha256=sha256(paper),
                kind=redemption_pb2.DeliveryEvidence.KIND_ATTENDANCE,
            ),
            request_id=request_id(),
        )
    )
    provider.upload(evidence.upload_uri, evidence.upload_headers, paper)
    delivered = redemptions.DeliverRedemption(
        redemption_pb2.DeliverRedemptionRequest(name=name, evidence=[evidence.name], request_id=request_id())
    )
    expect(delivered.state == Redemption.STATE_DELIVERED, "the delivery was not taken")
    caseworker = journey.person("caseworker", "Noor").stub(redemption_pb2_grpc.RedemptionServiceStub)
    accepted = caseworker.AcceptRedemption(
        redemption_pb2.AcceptRedemptionRequest(name=name, request_id=request_id())
    )
    expect(accepted.accepted_amount == accepted.amount, "another amount was accepted than reserved")
    return f"{len(paper)} bytes of evidence; {euros(accepted.accepted_amount)} accepted and held"


def pay(journey: Journey) -> str:
    """gRPC and REST: a second person approves the batch; the bank file adds up."""
    checker = journey.person("finance", "Eline")
    batches = checker.stub(payout_batch_pb2_grpc.PayoutBatchServiceStub)
    approved = batches.ApprovePayoutBatch(
        payout_batch_pb2.ApprovePayoutBatchRequest(name=journey.facts.batch, request_id=request_id())
    )
    expect(approved.state == payout_batch_pb2.PayoutBatch.STATE_APPROVED, "the batch was not approved")
    file = checker.rest_bytes("GET", f"/v1/{approved.name}:bankFile")
    header = etree.fromstring(file).find(f"{PAIN}CstmrCdtTrfInitn/{PAIN}GrpHdr")
    if header is None:
        raise StepFailed("the bank file is no pain.001.001.09")
    total = header.findtext(f"{PAIN}CtrlSum")
    expect(total == euros(approved.total).split()[0], f"the file sums to {total}")
    paid = journey.person("finance", "Eline").rest("GET", f"/v1/{journey.facts.redemption}")
    expect(paid["state"] == "STATE_PAID", f"the redemption is {paid['state']}")
    return f"{total} EUR in {header.findtext(f'{PAIN}NbOfTxs')} payments, pain.001.001.09, {len(file)} bytes"


def execution_day() -> date:
    """The day a batch is executed: tomorrow."""
    return legal_day() + timedelta(days=1)


def euros(amount: money_pb2.Money) -> str:
    """An amount as people read it."""
    parts: dict[str, Any] = {
        "currencyCode": amount.currency_code,
        "units": amount.units,
        "nanos": amount.nanos,
    }
    return money(parts)


GRANT = Step("voucher-granted", "The learner applies and is granted a voucher", ("V1", "V3"), be_granted)
RESERVE = Step("voucher-reserved", "The learner books and agrees to the spend", ("V4", "V7"), reserve)
PAY = Step("provider-paid", "A second person approves, the bank file leaves", ("V8", "V13"), pay)
