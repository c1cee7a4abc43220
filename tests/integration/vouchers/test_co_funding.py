"""Every euro paid is borne by named sources, and traced both ways."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import import_module
from typing import Any

import grpc
import pytest
import sqlalchemy
from sqlalchemy import text
from waymark.vouchers.v1 import funding_source_pb2, ledger_pb2
from waymark.vouchers.v1 import payment_share_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.store import payment_shares
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_bank_results import approved, import_, reference, sent
from tests.integration.vouchers.test_claw_back import claw_back
from tests.support.bank import Booking, camt054
from tests.support.refusals import reason_of
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, Person, World, cents, day_message

Share = pb.PaymentShare


def source(world: World, name: str) -> str:
    """Returns a new funding source."""
    wanted = funding_source_pb2.FundingSource(
        kind=funding_source_pb2.FundingSource.KIND_EU_FUND, display_names={"en": name}
    )
    request = funding_source_pb2.CreateFundingSourceRequest(funding_source=wanted, funding_source_id=name)
    return str(world.maker.sources.CreateFundingSource(request).name)


@pytest.fixture
def shared(world: World) -> World:
    """A world whose programme is borne by three sources, with a bank account."""
    parts = {"esf": 4300, "region": 4300, "own": 1400}
    declared = [
        {"fundingSource": source(world, name), "basisPoints": points} for name, points in parts.items()
    ]
    world.plan = world.programme(**NO_EVIDENCE, coFunding=declared)
    world.bank_account()
    return world


def listed(person: Person, **filters: Any) -> list[Any]:
    """Returns every share, page by page."""
    found, request = [], pb.ListPaymentSharesRequest(page_size=2, **filters)
    while True:
        answer = person.payment_shares.ListPaymentShares(request)
        found += answer.payment_shares
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def borne(shares: list[Any]) -> dict[str, int]:
    """Returns the cents of each source."""
    found: dict[str, int] = {}
    for share in shares:
        found[share.funding_source] = found.get(share.funding_source, 0) + cents(share.amount)
    return found


def transaction_of(world: World, redemption: str, operation: str = "payout") -> str:
    """Returns the ledger's transaction of a payout."""
    request = ledger_pb2.ListLedgerEntriesRequest(reference=redemption)
    entries = world.auditor.ledger.ListLedgerEntries(request).entries
    return next(str(entry.transaction) for entry in entries if entry.operation == operation)


def test_a_payout_is_split_and_traced_to_its_sources_and_back(shared: World) -> None:
    learner, voucher = shared.voucher(shared.plan)
    redemption = shared.accepted(learner, voucher, amount=33_333)
    batch = approved(shared)
    trace = shared.auditor.payment_shares.GetPaymentTrace(
        pb.GetPaymentTraceRequest(transaction=transaction_of(shared, redemption.name))
    )
    assert [entry.operation for entry in trace.entries] == ["payout", "payout"]
    assert borne(trace.payment_shares) == {
        "fundingSources/esf": 14_333,
        "fundingSources/region": 14_333,
        "fundingSources/own": 4_667,
    }
    assert {share.payout_batch for share in trace.payment_shares} == {batch.name}
    assert {share.programme_version for share in trace.payment_shares} == {f"{shared.plan}/versions/1"}
    assert trace.pot.startswith(f"{shared.plan}/budgets/")
    assert trace.pot.endswith("/pots/general")
    assert trace.pot_funding_source not in borne(trace.payment_shares)  # it gave the money first
    issued = {entry.account_owner: cents(entry.amount) for entry in trace.issue_entries}
    assert issued == {trace.pot: -100_000, voucher: 100_000}
    for name, part in borne(trace.payment_shares).items():
        (back,) = listed(shared.auditor, funding_source=name)
        assert (back.transaction, cents(back.amount), back.redemption) == (
            trace.transaction,
            part,
            redemption.name,
        )
    assert len(listed(shared.payer, payout_batch=batch.name)) == 3


def test_partial_payments_of_a_voucher_add_up_to_the_cent(shared: World) -> None:
    learner, voucher = shared.voucher(shared.plan)
    parts = (101, 7, 1, 33_333, 1, 1)
    for amount in parts[:3]:
        shared.accepted(learner, voucher, amount=amount)
    approved(shared)
    for amount in parts[3:]:
        shared.accepted(learner, voucher, amount=amount)
        approved(shared)
    shares = listed(shared.auditor)
    assert all(cents(share.amount) > 0 for share in shares)
    assert sum(borne(shares).values()) == sum(parts)
    exact = {name: sum(parts) * points / 10_000 for name, points in (("esf", 4300), ("own", 1400))}
    assert all(abs(borne(shares)[f"fundingSources/{name}"] - each) < 1 for name, each in exact.items())


def test_what_the_bank_returns_and_what_is_set_off_goes_back_to_whoever_bore_it(shared: World) -> None:
    first = shared.accepted(*shared.voucher(shared.plan), amount=10_001)
    shared.redemption = first
    batch = sent(shared)
    paid = borne(listed(shared.auditor, redemption=first.name))
    import_(
        shared,
        camt054("BACK-1", [Booking(reference(batch), 10_001, back=True, reason="AC04")], account=OTHER_IBAN),
    )
    returned = [share for share in listed(shared.auditor, redemption=first.name) if share.movement == 2]
    assert borne(returned) == {name: -part for name, part in paid.items()}
    sent(shared)  # paid again
    claw_back(shared, 3_333)
    alone = shared.programme(**NO_EVIDENCE)
    second = shared.accepted(*shared.voucher(alone), amount=50_000)
    approved(shared)
    mine = listed(shared.auditor, redemption=first.name)
    recovered = [share for share in mine if share.movement == Share.MOVEMENT_RECOVERY]
    assert sum(borne(recovered).values()) == -3_333
    assert sum(borne(mine).values()) == 10_001 - 3_333
    (whole,) = listed(shared.auditor, redemption=second.name)
    assert cents(whole.amount) == 50_000  # though the bank paid less
    assert whole.funding_source not in borne(mine)
    sums = shared.payer.payment_shares.GetPaymentShareSums(pb.GetPaymentShareSumsRequest()).sums
    assert sum(cents(each.net) for each in sums) == shared.balances()[7] == 50_000 + 10_001 - 3_333
    esf = next(each for each in sums if each.funding_source == "fundingSources/esf")
    assert cents(esf.net) == cents(esf.paid) - cents(esf.returned) - cents(esf.recovered)
    only = pb.GetPaymentShareSumsRequest(programme=alone)
    assert [cents(each.net) for each in shared.payer.payment_shares.GetPaymentShareSums(only).sums] == [
        50_000
    ]


def test_sums_are_of_the_days_asked_for(shared: World) -> None:
    shared.accepted(*shared.voucher(shared.plan), amount=10_000)
    approved(shared)

    def total(**days: Any) -> int:
        request = pb.GetPaymentShareSumsRequest(**{name: day_message(day) for name, day in days.items()})
        sums = shared.auditor.payment_shares.GetPaymentShareSums(request).sums
        return sum(cents(each.paid) for each in sums)

    yesterday = shared.today - timedelta(days=1)
    assert total() == total(start_date=shared.today) == total(end_date=shared.today) == 10_000
    assert total(start_date=date.min, end_date=shared.today) == 10_000
    assert total(end_date=yesterday) == 0
    for last, first in ((yesterday, shared.today), (date.max, shared.today)):
        assert list(
            violations_of(lambda days=(first, last): total(start_date=days[0], end_date=days[1]))
        ) == ["end_date"]


def test_old_versions_go_on_as_they_are_and_a_new_one_shares(world: World) -> None:
    plan = world.programme(**NO_EVIDENCE)
    old = world.accepted(*world.voucher(plan), amount=10_000)
    world.bank_account()
    approved(world)
    (share,) = listed(world.auditor, redemption=old.name)
    trace = world.auditor.payment_shares.GetPaymentTrace(
        pb.GetPaymentTraceRequest(transaction=transaction_of(world, old.name))
    )
    assert (share.funding_source, cents(share.amount)) == (trace.pot_funding_source, 10_000)


def test_shares_that_cannot_be_are_refused_with_the_place(world: World) -> None:
    known = source(world, "known")

    def draft(*parts: tuple[str, int]) -> Any:
        declared = [{"fundingSource": name, "basisPoints": points} for name, points in parts]
        return lambda: world.programme(fund=0, coFunding=declared)

    assert violations_of(draft((known, 9_000))) == {
        "version.co_funding": "sums to 9000 basis points and must sum to 10000"
    }
    assert list(violations_of(draft((known, 5_000), (known, 5_000)))) == [
        "version.co_funding[1].funding_source"
    ]
    lost = violations_of(draft((known, 5_000), ("fundingSources/nowhere", 5_000)))
    assert lost == {
        "version.co_funding[1].funding_source": "there is no fundingSources/nowhere; create it first"
    }
    assert refused(draft((known, 5_000))) == "RULE_INVALID"


def test_a_transaction_that_pays_nobody_has_no_trace_and_others_may_not_ask(shared: World) -> None:
    learner, voucher = shared.voucher(shared.plan)
    issued = pb.GetPaymentTraceRequest(transaction=transaction_of(shared, voucher, "issue"))
    assert refused(lambda: shared.auditor.payment_shares.GetPaymentTrace(issued)) == "NOT_FOUND"
    for person in (learner, shared.provider, shared.caseworker):
        with pytest.raises(grpc.RpcError) as raised:
            listed(person)
        assert reason_of(raised.value) == "PERMISSION_DENIED"


def test_shares_stay_whatever_the_code_does(shared: World) -> None:
    shared.accepted(*shared.voucher(shared.plan), amount=100)
    approved(shared)
    for statement in ("UPDATE payment_shares SET cents = cents + 1", "DELETE FROM payment_shares"):
        with pytest.raises(sqlalchemy.exc.ProgrammingError), transaction(shared.app) as tx:
            tx.execute(text(statement))
    with transaction(shared.app) as tx:  # control: without the rule they could be changed
        tx.execute(text("SAVEPOINT before"))
        tx.execute(text("ALTER TABLE payment_shares DISABLE TRIGGER USER"))
        tx.execute(text("GRANT UPDATE ON payment_shares TO CURRENT_USER"))
        changed = tx.execute(text("UPDATE payment_shares SET cents = cents + 1"))
        assert changed.rowcount
        tx.execute(text("ROLLBACK TO SAVEPOINT before"))


def test_control_without_the_sum_before_partial_payments_drift(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = payment_shares.add_up
    monkeypatch.setattr(payment_shares, "add_up", lambda tx, sums: dict.fromkeys(honest(tx, sums), 0))
    learner, voucher = shared.voucher(shared.plan)
    for _ in range(5):
        shared.accepted(learner, voucher, amount=1)
        approved(shared)
    assert len(borne(listed(shared.auditor))) == 1  # one source bears every first cent


def test_what_was_paid_before_is_shared_out_by_the_migration(shared: World) -> None:
    """The statements of the migration give, from the ledger alone, what the payments wrote themselves."""
    plan = shared.programme(**NO_EVIDENCE)
    shared.redemption = shared.accepted(*shared.voucher(plan), amount=10_001)
    batch = sent(shared)
    import_(
        shared,
        camt054("BACK-1", [Booking(reference(batch), 10_001, back=True, reason="AC04")], account=OTHER_IBAN),
    )
    sent(shared)
    claw_back(shared, 3_333)
    shared.accepted(*shared.voucher(plan), amount=2_000)
    shared.accepted(*shared.voucher(plan), amount=2_000)
    approved(shared)
    migration = import_module("services.vouchers.migrations.versions.0016_reports")
    columns = (
        "transaction, movement, redemption_id, voucher_id, batch_id, funding_source_id, cents, created_at"
    )
    with transaction(shared.app) as tx:
        kept = text(f"SELECT {columns} FROM payment_shares ORDER BY 1, 2, 3, 6")
        totals = text("SELECT voucher_id, cents FROM payment_totals ORDER BY 1")
        before = [tuple(row) for row in tx.execute(kept)], [tuple(row) for row in tx.execute(totals)]
        tx.execute(text("DROP TABLE payment_shares, payment_totals"))
        for statements in (migration.SHARES, migration.BEFORE):
            tx.connection.exec_driver_sql(statements)
        after = [tuple(row) for row in tx.execute(kept)], [tuple(row) for row in tx.execute(totals)]
        assert len(before[0]) > 5
        assert after == before
