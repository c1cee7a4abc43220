"""The whole way of a voucher through the real server, and what each step leaves in the ledger."""

from waymark.vouchers.v1 import payout_batch_pb2, redemption_pb2, report_pb2, voucher_pb2

from tests.support.vouchers import NO_EVIDENCE, World, cents

AVAILABLE, V_AVAILABLE, V_RESERVED, HELD, CLEARED, BANK = 2, 3, 4, 5, 6, 7


def test_from_grant_to_bank_file(world: World) -> None:
    programme = world.programme(fund=500_000, **NO_EVIDENCE)
    learner, voucher = world.voucher(programme)
    assert cents(world.wallet(learner, voucher).available) == 100_000
    assert world.balances()[V_AVAILABLE] == 100_000

    accepted = world.accepted(learner, voucher, accept=80_000)
    assert accepted.state == redemption_pb2.Redemption.STATE_ACCEPTED
    assert cents(accepted.accepted_amount) == 80_000
    wallet = world.wallet(learner, voucher)
    assert wallet.state == voucher_pb2.Voucher.STATE_PARTLY_USED
    assert cents(wallet.available) == 20_000

    world.bank_account()
    batch = world.batch()
    assert cents(batch.total) == 80_000
    assert [payout.redemption_count for payout in batch.payouts] == [1]
    name = payout_batch_pb2.FreezePayoutBatchRequest(name=batch.name)
    world.payer.batches.FreezePayoutBatch(name)
    approve = payout_batch_pb2.ApprovePayoutBatchRequest(name=batch.name)
    approved = world.approver.batches.ApprovePayoutBatch(approve)
    assert approved.state == payout_batch_pb2.PayoutBatch.STATE_APPROVED
    file = world.payer.batches.GetBankFile(payout_batch_pb2.GetBankFileRequest(name=batch.name))
    assert file.content_type == "application/xml"
    assert batch.payouts[0].end_to_end_id.encode() in file.data

    balances = world.balances()
    assert balances == {1: -500_000, AVAILABLE: 400_000, V_AVAILABLE: 20_000, BANK: 80_000}
    assert sum(balances.values()) == 0
    report = world.verify()
    assert report.intact, report.findings
    assert report.entry_count > 8


def test_statistics_count_the_month(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    learner, voucher = world.voucher(programme)
    world.accepted(learner, voucher)
    world.apply(world.learner(employment_status="employed"), programme)
    month = f"{world.today:%Y-%m}"
    request = report_pb2.GetMonthlyStatisticsRequest(month=month, programme=programme)
    (found,) = world.auditor.reports.GetMonthlyStatistics(request).programmes
    assert (found.applications, found.granted, found.refused) == (2, 1, 1)
    assert dict(found.refusals_by_reason) == {"NOT_A_JOBSEEKER": 1}
    assert (found.reserved, found.accepted) == (1, 1)
    assert cents(found.accepted_amount) == cents(found.issued) == 100_000
