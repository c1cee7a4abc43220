"""The demand for what a provider owes back: what is left, by when, to which account, by which reference."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lxml import html
from stdnum import iban
from waymark.vouchers.v1 import decision_letter_pb2, payout_batch_pb2
from waymark.vouchers.v1 import receivable_pb2 as pb

from services.vouchers.letters import words
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_bank_results import import_, reference, sent
from tests.integration.vouchers.test_claw_back import claw_back, listed, owe_more, owed, paid
from tests.support import sandbox
from tests.support.bank import Booking, camt054
from tests.support.pdf import text_of
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, World, eur

__all__ = ["owed", "paid"]
HTML = decision_letter_pb2.GetDecisionLetterRequest.FORMAT_HTML


def letter(who: Any, name: str, language: str = "en", **fields: Any) -> Any:
    """Asks for a demand, HTML unless said otherwise."""
    request = pb.GetDemandLetterRequest(name=name, language_code=language, **{"format": HTML, **fields})
    return who.receivables.GetDemandLetter(request)


def said(who: Any, name: str, language: str = "en") -> str:
    """Returns the words of a demand, blanks as single ones."""
    page = html.fromstring(letter(who, name, language).data.decode())
    return " ".join(page.find("body").text_content().split())


def pay(world: World, name: str, cents: int) -> None:
    request = pb.RecordReceivablePaymentRequest(name=name, amount=eur(cents))
    world.payer.receivables.RecordReceivablePayment(request)


def refusal(world: World, name: str) -> str:
    return refused(lambda: letter(world.provider, name))


def test_a_demand_says_what_to_pay_by_when_to_whom_and_how_in_each_language(paid: World) -> None:
    claw_back(paid, 80_000)
    (owing,) = listed(paid)
    account = (iban.format(OTHER_IBAN), owing.payment_reference, paid.organisation, paid.redemption.name)
    due = paid.today + timedelta(days=30)
    for language in words.LANGUAGES:
        text = said(paid.provider, owing.name, language)
        amount = " ".join(words.amount(80_000, "EUR", language).split())
        expected = (words.words_of(language)["demand_title"], words.day(due, language), amount, *account)
        assert [part for part in expected if part not in text] == [], language
        assert paid.learner_.learner not in text
    pay(paid, owing.name, 30_000)
    text = said(paid.payer, owing.name)
    assert "Set off, paid or given up so far€300.00" in text.replace("far ", "far")
    assert "To be paid€500.00" in text.replace("paid ", "paid")
    pdf = letter(paid.auditor, owing.name, "nl-BE", format=0)
    assert pdf.content_type == "application/pdf"
    assert owing.payment_reference in " ".join(text_of(pdf.data).split())
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf.data
    assert letter(paid.provider, owing.name, "nl", format=0) == pdf


def test_the_rules_say_how_long_a_provider_has(world: World) -> None:
    rule = {**NO_EVIDENCE["paymentRule"], "repaymentDays": 10}
    world.plan = world.programme(paymentRule=rule)
    world.redemption = world.accepted(*world.voucher(world.plan))
    world.bank_account()
    sent(world)
    claw_back(world)
    (owing,) = listed(world)
    text = said(world.provider, owing.name)
    assert words.day(world.today + timedelta(days=10), "en") in text
    assert words.day(world.today + timedelta(days=30), "en") not in text


def test_nothing_is_demanded_that_is_not_to_be_paid(paid: World) -> None:
    claw_back(paid, 30_000)
    (owing,) = listed(paid)
    owe_more(paid, 20_000)
    frozen = payout_batch_pb2.FreezePayoutBatchRequest(name=paid.batch().name)
    paid.payer.batches.FreezePayoutBatch(frozen)
    text = said(paid.provider, owing.name)  # of 300 euro the frozen batch sets off 200
    assert "To be paid€100.00" in text.replace("paid ", "paid")
    pay(paid, owing.name, 10_000)
    assert refusal(paid, owing.name) == "WRONG_STATE"


def test_a_payment_that_came_back_and_play_money_are_not_demanded(paid: World) -> None:
    claw_back(paid, 30_000)
    (owing,) = listed(paid)
    assert said(paid.provider, owing.name)  # control: before the bank sends it back
    back = [Booking(reference(paid.paid_batch), 100_000, back=True)]
    import_(paid, camt054("N-1", back, account=OTHER_IBAN))
    assert refusal(paid, owing.name) == "WRONG_STATE"
    play = sandbox.paid(paid, sandbox.sandbox(paid))
    sandbox.claw_back(paid, play.name)
    (owing,) = listed(paid, sandbox=True)
    assert refusal(paid, owing.name) == "SANDBOX_APART"


def test_nobody_else_gets_a_demand(paid: World) -> None:
    claw_back(paid)
    (owing,) = listed(paid)
    stranger = paid.person("provider", org="organisations/elsewhere")
    assert refused(lambda: letter(stranger, owing.name)) == "NOT_FOUND"
    for role in ("learner", "caseworker", "counsellor"):
        assert refused(lambda role=role: letter(paid.person(role), owing.name)) == "PERMISSION_DENIED"
    nobody = "receivables/01980000-0000-7000-8000-000000000000"
    assert refused(lambda: letter(paid.payer, nobody)) == "NOT_FOUND"
