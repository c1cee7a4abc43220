"""The checks of the tables stand when the code fails; without them the damage is real money."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import bank_account_pb2, hold_pb2, redemption_pb2
from waymark.vouchers.v1 import payout_batch_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.domain.redemption import Redemption
from services.vouchers.domain.states import RedemptionState
from services.vouchers.domain.voucher import Voucher
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, World, cents, eur

# An active version cannot be changed, but added.
ACTIVE = """INSERT INTO programme_versions
  (programme_id, number, state, effective_date, rules, drafted_by, activated_by)
  SELECT programme_id, 99, 2, effective_date, rules, drafted_by, {} FROM programme_versions"""
# For each check a statement that only this check stops, on a world with a frozen batch and a hold.
ATTEMPTS = {
    "applications_appeal_decided_by_someone": "UPDATE applications SET appeal_outcome = 1",
    "applications_appeal_second_person": """UPDATE applications
      SET decided_by = 'a', appealed_at = now(), appeal_decided_by = 'a'""",
    "applications_not_ones_own": "UPDATE applications SET decided_by = split_part(learner, '/', 2)",
    "applications_not_negative": "UPDATE applications SET amount_cents = -1",
    "authorisation_codes_expire": "UPDATE authorisation_codes SET expires_at = NULL",
    "authorisation_codes_used_once": "UPDATE authorisation_codes SET used_at = now()",
    "bank_accounts_confirmed_by_someone": "UPDATE bank_accounts SET confirmed_by = ''",
    "bank_accounts_change_waits": "UPDATE bank_accounts SET is_first = false",
    "bank_accounts_maker_checker": "UPDATE bank_accounts SET confirmed_by = proposed_by",
    "bank_accounts_withdrawn_by_someone": "UPDATE bank_accounts SET state = 3",
    "budgets_period": "UPDATE budgets SET end_date = start_date - 1",
    "acceptances_real_money": "UPDATE acceptances SET currency = 'XTS'",
    "employer_obligations_maker_checker": """UPDATE employer_obligations
      SET write_off_by = 'a', written_off_by = 'a'""",
    "employer_obligations_not_negative": "UPDATE employer_obligations SET paid_cents = -1",
    "employer_obligations_within_owed": "UPDATE employer_obligations SET paid_cents = 1",
    "employer_obligations_written_off_by_someone": """UPDATE employer_obligations
      SET owed_cents = 1, written_off_cents = 1""",
    "fund_returns_decided_by_someone": "UPDATE fund_returns SET state = 3",
    "fund_returns_maker_checker": "UPDATE fund_returns SET state = 2, decided_by = 'a', decided_at = now()",
    "fund_returns_some_amount": "UPDATE fund_returns SET cents = 0",
    "holds_maker_checker": "UPDATE holds SET released_by = placed_by, released_at = now()",
    "holds_released_by_someone": "UPDATE holds SET released_at = now()",
    "operations_counts": "UPDATE operations SET done = -1",
    "operations_failed_for_a_reason": "UPDATE operations SET state = 4",
    "inquiries_answered_once": "UPDATE inquiries SET state = 2",
    "inquiries_fact_named": "UPDATE inquiries SET fact_key = ''",
    "openings_committed_before": "UPDATE openings SET created_at = open_at",
    "openings_done_within_drawn": "UPDATE openings SET done_count = application_count + 1",
    "openings_seed_as_committed": "UPDATE openings SET state = 2, seed = 'x'",
    "openings_seed_revealed_when_drawn": "UPDATE openings SET state = 2",
    "openings_window": "UPDATE openings SET close_at = open_at",
    "levy_claims_decided_by_someone": "UPDATE levy_claims SET state = 3",
    "levy_claims_maker_checker": (
        "UPDATE levy_claims SET state = 2, decided_by = 'a', decided_at = now(), decided_on = now()"
    ),
    "levy_claims_some_amount": "UPDATE levy_claims SET amount_cents = 0",
    "levy_years_not_negative": "UPDATE levy_years SET reserved_cents = -1",
    "levy_years_within_contributed": "UPDATE levy_years SET claimed_cents = contributed_cents + 1",
    "obligation_payments_maker_checker": "UPDATE obligation_payments SET undone_by = 'a', undone_at = now()",
    "obligation_payments_some_amount": "UPDATE obligation_payments SET cents = 0",
    "obligation_payments_undone_by_someone": "UPDATE obligation_payments SET undone_at = now()",
    "obligation_trainees_approved_by_someone": "UPDATE obligation_trainees SET state = 2",
    "obligation_trainees_hiring_corrected_by_another": """UPDATE obligation_trainees
      SET hiring = 3, decided_by = 'b', correction_by = 'b'""",
    "obligation_trainees_hiring_decided_by_someone": "UPDATE obligation_trainees SET hiring = 2",
    "obligation_trainees_hiring_maker_checker": """UPDATE obligation_trainees
      SET reported_by = 'b', decided_by = 'b'""",
    "obligation_trainees_maker_checker": "UPDATE obligation_trainees SET approved_by = enrolled_by",
    "outcome_contracts_activated_by_someone": "UPDATE outcome_contracts SET state = 2",
    "outcome_contracts_maker_checker": "UPDATE outcome_contracts SET activated_by = 'a'",
    "outcome_contracts_not_negative": "UPDATE outcome_contracts SET available_cents = -1",
    "outcome_contracts_repaid_by_someone": "UPDATE outcome_contracts SET state = 3, activated_by = 'b'",
    "outcome_contracts_repayment_maker_checker": """UPDATE outcome_contracts
      SET proposed_by = 'c', repaid_by = 'c'""",
    "outcome_reports_decided_by_someone": "UPDATE outcome_reports SET state = 2",
    "outcome_reports_corrected_by_another": """UPDATE outcome_reports
      SET state = 3, decided_by = 'b', correction_by = 'b'""",
    "outcome_reports_maker_checker": "UPDATE outcome_reports SET decided_by = 'a'",
    "payout_batches_approved_by_someone": "UPDATE payout_batches SET state = 3",
    "payout_batches_cancelled_before_the_bank": """UPDATE payout_batches
      SET state = 7, cancelled_by = 'a', cancelled_at = now(),
      file_read_at = now(), file_retracted_by = 'a'""",
    "payout_batches_cancelled_by_someone": "UPDATE payout_batches SET state = 7",
    "payout_batches_frozen_by_someone": "UPDATE payout_batches SET frozen_by = ''",
    "payout_batches_maker_checker": "UPDATE payout_batches SET state = 3, approved_by = created_by",
    "payables_some_amount": "UPDATE payables SET cents = 0",
    "payables_wait_in_no_batch": "UPDATE payables SET state = 2",
    "payables_investors_are_repaid": """UPDATE payables SET state = 4,
      batch_id = (SELECT id FROM payout_batches LIMIT 1)""",
    "payment_shares_real_money": """INSERT INTO payment_shares (id, transaction, movement, redemption_id,
      voucher_id, programme_id, version_number, funding_source_id, cents, currency, created_at)
      SELECT gen_random_uuid(), gen_random_uuid(), 1, r.id, voucher_id, programme_id, version_number, f.id, 1,
        'XTS', now() FROM redemptions r, funding_sources f LIMIT 1""",
    "payout_batches_sandbox_from_no_account": "UPDATE payout_batches SET currency = 'XTS'",
    "payout_batches_sent_by_someone": "UPDATE payout_batches SET state = 4, approved_by = 'another'",
    "payouts_result": "UPDATE payouts SET result = 4",
    "payouts_some_amount": "UPDATE payouts SET amount_cents = 0",
    "pots_not_negative": "UPDATE pots SET available_cents = -1",
    "programme_versions_activated_by_someone": ACTIVE.format("''"),
    "programme_versions_maker_checker": ACTIVE.format("drafted_by[1]"),
    "redemptions_accepted_within_reserved": "UPDATE redemptions SET accepted_cents = amount_cents + 1",
    "receivable_payments_maker_checker": "UPDATE receivable_payments SET undone_by = 'a', undone_at = now()",
    "receivable_payments_some_amount": "UPDATE receivable_payments SET cents = 0",
    "receivable_payments_undone_by_someone": "UPDATE receivable_payments SET undone_at = now()",
    "receivables_maker_checker": "UPDATE receivables SET write_off_by = 'a', written_off_by = 'a'",
    "receivables_not_negative": "UPDATE receivables SET set_off_cents = -1",
    "receivables_within_amount": "UPDATE receivables SET set_off_cents = amount_cents + 1",
    "receivables_written_off_by_someone": "UPDATE receivables SET written_off_cents = 1",
    "redemptions_clawed_within_accepted": "UPDATE redemptions SET clawed_cents = accepted_cents + 1",
    "redemptions_not_negative": "UPDATE redemptions SET held_cents = -1",
    "redemptions_owed_within_accepted": "UPDATE redemptions SET cleared_cents = accepted_cents + 1",
    "redemptions_some_amount": """UPDATE redemptions
      SET amount_cents = 0, accepted_cents = 0, held_cents = 0, cleared_cents = 0""",
    "set_offs_some_amount": "UPDATE set_offs SET cents = 0",
    "voucher_changes_maker_checker": "UPDATE voucher_changes SET approved_by = asked_by",
    "voucher_changes_second_person": "UPDATE voucher_changes SET kind = 14",
    "vouchers_never_beyond_value": "UPDATE vouchers SET available_cents = available_cents + 1",
    "vouchers_not_negative": "UPDATE vouchers SET available_cents = -1, returned_cents = returned_cents + 1",
    "waiting_list_held_while_offered": "UPDATE waiting_list SET state = 2",
    "waiting_list_not_negative": "UPDATE waiting_list SET offered_cents = -1",
    "alerts_found_by_another": "UPDATE alerts SET found_by = raised_by",
    "alerts_found_by_someone": "UPDATE alerts SET outcome = 0",
    "alerts_verified_by_another": "UPDATE alerts SET closed_by = found_by",
    "alerts_verified_by_someone": "UPDATE alerts SET closed_by = ''",
    "feedback_one_to_five": "UPDATE feedback SET satisfaction = 6",
    "holds_finding_verified": """UPDATE holds
      SET verified_by = '', released_by = 'another', released_at = now()""",
    "funding_sources_retention": "UPDATE funding_sources SET retention_years = 4",
    "monitoring_rules_activated_by_someone": "UPDATE monitoring_rules SET activated_by = ''",
    "monitoring_rules_maker_checker": "UPDATE monitoring_rules SET activated_by = drafted_by",
    "sanctions_decided_by_a_third": "UPDATE sanctions SET decided_by = imposed_by",
    "sanctions_decided_by_someone": "UPDATE sanctions SET decided_by = ''",
    "sanctions_imposed_by_someone": "UPDATE sanctions SET imposed_by = ''",
    "sanctions_lifted_by_another": "UPDATE sanctions SET lift_proposed_by = 'a', lifted_by = 'a'",
    "sanctions_maker_checker": "UPDATE sanctions SET imposed_by = proposed_by",
    "webhook_endpoints_former_ends": "UPDATE webhook_endpoints SET former_until = now()",
}


INQUIRY = """INSERT INTO inquiries (id, application_id, kind, fact_key, due_date, state, asked_by)
  SELECT gen_random_uuid(), id, 1, 'education_level', now(), 1, 'a' FROM applications"""
RECEIVABLE = (
    """INSERT INTO fund_returns (id, budget_id, pot_id, source_id, cents, state, proposed_by)
      SELECT gen_random_uuid(), budget_id, id, funding_source_id, 1, 1, 'a' FROM pots""",
    """INSERT INTO receivables (id, redemption_id, organisation, currency, shard, amount_cents, created_by)
      SELECT gen_random_uuid(), id, organisation, currency, shard, 1, 'a' FROM redemptions""",
    """INSERT INTO receivable_payments (id, receivable_id, cents, recorded_by)
      SELECT gen_random_uuid(), id, 1, 'a' FROM receivables""",
    """INSERT INTO set_offs SELECT b.id, r.id, r.organisation, 1 FROM payout_batches b, receivables r""",
    """INSERT INTO webhook_endpoints (id, url, state, sealed_secret, created_by)
      VALUES (gen_random_uuid(), '', 2, '', 'a')""",
)
WALLET = (
    """INSERT INTO authorisation_codes (redemption_id, code_hmac, expires_at)
    SELECT id, 'x', now() FROM redemptions LIMIT 1""",
    """INSERT INTO openings (programme_id, number, open_at, close_at, seed_sha256, sealed_seed)
      SELECT programme_id, number, now() + interval '1 h', now() + interval '2 h', '', ''
      FROM programme_versions""",
    """INSERT INTO waiting_list (id, application_id, learner, programme_id, currency)
      SELECT gen_random_uuid(), id, learner, programme_id, currency FROM applications""",
    """INSERT INTO voucher_changes (id, voucher_id, kind, place, asked_by, beyond_rule)
      SELECT gen_random_uuid(), id, 13, 1, 'a', true FROM vouchers""",
)
QUALITY = (
    """INSERT INTO monitoring_rules (code, number, state, drafted_by, activated_by)
      VALUES ('r', 1, 2, 'a', 'b')""",
    """INSERT INTO alerts (id, kind, target, state, raised_by, outcome, evidence, found_by, closed_by)
      VALUES (gen_random_uuid(), 7, 'courses/c', 3, 'a', 1, 'case 1', 'b', 'c')""",
    """INSERT INTO holds (id, target, placed_by, alert_id, verified_by)
      SELECT gen_random_uuid(), target, raised_by, id, closed_by FROM alerts""",
    """INSERT INTO sanctions
      (id, organisation, kind, state, appeal_days, proposed_by, imposed_by, imposed_at, decided_by)
      VALUES (gen_random_uuid(), 'organisations/o', 1, 4, 30, 'a', 'b', now(), 'c')""",
    """INSERT INTO feedback (redemption_id, satisfaction, skills_gained, updated_at)
      SELECT id, 1, 1, now() FROM redemptions""",
)
LEVY = (
    """INSERT INTO levy_schemes (id, currency, funding_source_id, carry_over_years)
      SELECT 'levy', 'EUR', id, 1 FROM funding_sources LIMIT 1""",
    """INSERT INTO levy_accounts (id, scheme_id, employer, currency, shard)
      VALUES (gen_random_uuid(), 'levy', 'organisations/yard', 'EUR', 0)""",
    """INSERT INTO levy_years (account_id, year, contributed_cents, expires_on)
      SELECT id, 2026, 100, '2027-12-31' FROM levy_accounts""",
    """INSERT INTO levy_claims (id, account_id, amount_cents, training_date, evidence_reference, state,
      created_by) SELECT gen_random_uuid(), id, 1, now(), 'F-1', 1, 'a' FROM levy_accounts""",
)
OBLIGATION = (
    """INSERT INTO employer_obligations (id, employer, state, currency, creditor_id, hire_percent,
      refund_cents, due_date, shard)
      SELECT gen_random_uuid(), 'organisations/yard', 1, 'EUR', id, 80, 1, now(), 0 FROM funding_sources
      LIMIT 1""",
    """INSERT INTO obligation_trainees (id, obligation_id, learner, cost_cents, state, enrolled_by)
      SELECT gen_random_uuid(), id, 'learners/l', 1, 1, 'a' FROM employer_obligations""",
    """INSERT INTO obligation_payments (id, obligation_id, cents, recorded_by)
      SELECT gen_random_uuid(), id, 1, 'a' FROM employer_obligations""",
)
PAYABLE = """INSERT INTO payables (id, subject, organisation, currency, shard, cents)
  VALUES (gen_random_uuid(), 'levyAccounts/l/claims/c', 'organisations/yard', 'EUR', 0, 1)"""
OUTCOMES = (
    """INSERT INTO outcome_contracts (id, state, currency, payer_id, start_date, repay_date, shard,
      created_by) SELECT 'bond', 1, 'EUR', id, now(), now(), 0, 'a' FROM funding_sources LIMIT 1""",
    """INSERT INTO outcome_participants (id, contract_id, learner)
      VALUES (gen_random_uuid(), 'bond', 'learners/l')""",
    """INSERT INTO outcome_reports (participant_id, outcome, state, occurred_on, evidence_reference,
      reported_by) SELECT id, 1, 1, now(), 'E-1', 'a' FROM outcome_participants""",
)


@pytest.fixture
def owed(world: World) -> World:
    """A world in which the school is owed 1 000 euro."""
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.redemption = world.accepted(learner, voucher)
    world.bank_account()
    return world


def place(world: World) -> Any:
    """Places a hold on the provider."""
    hold = hold_pb2.Hold(target=world.organisation, reason="looks fictitious")
    return world.payer.holds.PlaceHold(hold_pb2.PlaceHoldRequest(hold=hold))


def frozen(world: World) -> Any:
    """Returns a frozen batch."""
    request = pb.FreezePayoutBatchRequest(name=world.batch().name)
    return world.payer.batches.FreezePayoutBatch(request)


def drop(world: World, check: str) -> None:
    """Takes a check out of this world's database."""
    with transaction(world.app) as tx:
        tx.execute(text(f"ALTER TABLE {table_of(check)} DROP CONSTRAINT {check}"))
    world.app.engine.dispose()  # the driver forgets prepared statements on a connection that changed tables


def table_of(check: str) -> str:
    """Returns the table that the statement for a check changes."""
    return ATTEMPTS[check].replace("INSERT INTO", "INTO", 1).split()[1]


def run(world: World, statement: str) -> int:
    """Runs a statement past the code; returns how many rows it changed."""
    with transaction(world.app) as tx:
        return int(tx.execute(text(statement)).rowcount)


OPERATION = "INSERT INTO operations (id, kind, state, requested_by) VALUES (gen_random_uuid(), 'x', 1, 'a')"


def test_each_check_stops_what_nothing_else_does(owed: World) -> None:
    frozen(owed)
    run(owed, OPERATION)
    place(owed)
    for statement in (INQUIRY, *RECEIVABLE, *WALLET, *QUALITY, *LEVY, *OBLIGATION, *OUTCOMES, PAYABLE):
        run(owed, statement)
    with transaction(owed.app) as tx:
        known = (
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        )
        assert set(tx.execute(text(known)).scalars()) == ATTEMPTS.keys()
    for check, attempt in ATTEMPTS.items():
        with pytest.raises(Exception, match=f'"{check}"'):
            run(owed, attempt)
        assert alone(owed, check) > 0, f"{check} is not what stops it"


def alone(world: World, check: str) -> int:
    """Control: returns how many rows the statement changes without the check, and takes both back."""
    with world.app.engine.connect() as connection:
        connection.execute(text(f"ALTER TABLE {table_of(check)} DROP CONSTRAINT {check}"))
        changed = connection.execute(text(ATTEMPTS[check])).rowcount
        connection.rollback()
    world.app.engine.dispose()  # as in `drop`
    return changed


def test_control_without_the_check_the_maker_approves_and_the_money_leaves(owed: World) -> None:
    batch = frozen(owed)
    drop(owed, "payout_batches_maker_checker")
    assert (
        run(owed, "UPDATE payout_batches SET state = 3, approved_by = created_by, approved_at = now()") == 1
    )
    file = owed.payer.batches.GetBankFile(pb.GetBankFileRequest(name=batch.name)).data
    assert b"1000.00" in file


def test_control_without_the_check_one_person_swaps_the_account_and_is_paid(owed: World) -> None:
    account = bank_account_pb2.BankAccount(holder_name="Thief", iban=OTHER_IBAN)
    propose = bank_account_pb2.ProposeBankAccountRequest(parent=owed.organisation, bank_account=account)
    owed.provider.accounts.ProposeBankAccount(propose)
    drop(owed, "bank_accounts_maker_checker")
    swap = """UPDATE bank_accounts SET state = 2, confirmed_by = proposed_by, confirmed_at = now(),
      effective_at = now() + interval '72 hours' WHERE state = 1"""
    assert run(owed, swap) == 1
    owed.let_accounts_age()
    frozen(owed)
    with transaction(owed.app) as tx:
        assert tx.execute(text("SELECT holder_name, iban FROM payouts")).one() == ("Thief", OTHER_IBAN)


SKIP_THE_WAIT = "UPDATE bank_accounts SET effective_at = now() WHERE iban = 'NL91ABNA0417164300'"


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "control"])
def test_a_changed_account_is_not_paid_early_whatever_the_code_does(owed: World, checked: bool) -> None:
    owed.bank_account(iban=OTHER_IBAN)
    if checked:
        with pytest.raises(Exception, match="bank_accounts_change_waits"):
            run(owed, SKIP_THE_WAIT)
        with pytest.raises(Exception, match="bank_accounts_one_first"):
            run(owed, "UPDATE bank_accounts SET is_first = true")
    else:
        drop(owed, "bank_accounts_change_waits")
        assert run(owed, SKIP_THE_WAIT) == 1
    frozen(owed)
    with transaction(owed.app) as tx:
        paid_to = tx.execute(text("SELECT iban FROM payouts")).scalar_one()
    assert (paid_to == OTHER_IBAN) is not checked


def test_control_without_the_check_who_placed_a_hold_ends_it_and_money_leaves(owed: World) -> None:
    place(owed)
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    drop(owed, "holds_maker_checker")
    assert run(owed, ATTEMPTS["holds_maker_checker"]) == 1
    assert cents(owed.batch().total) == 100_000


def careless(self: Voucher, amount: int, now: Any, **_: Any) -> Voucher:
    """`Voucher.reserve` of somebody who forgot to ask what is left."""
    return replace(self, available=self.available - amount, reserved=self.reserved + amount)


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "control"])
def test_a_careless_reservation_ends_at_zero(
    world: World, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.reserve(learner, voucher, amount=80_000)
    monkeypatch.setattr(Voucher, "reserve", careless)
    if checked:
        assert refused(lambda: world.reserve(learner, voucher, amount=80_000)) == "INTERNAL"
        assert world.verify().intact
        return
    drop(world, "vouchers_not_negative")
    world.reserve(learner, voucher, amount=80_000)
    with transaction(world.app) as tx:
        assert tx.execute(text("SELECT available_cents, reserved_cents FROM vouchers")).one() == (
            -60_000,
            160_000,
        )
    assert not world.verify().intact


def generous(self: Redemption, amount: int, _limit: int) -> Redemption:
    """`Redemption.accept` of somebody who forgot what was reserved."""
    return replace(self, state=RedemptionState.ACCEPTED, accepted=amount)


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "control"])
def test_a_provider_gets_no_more_than_the_learner_agreed_to(
    world: World, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    delivered = world.delivered(learner, voucher, amount=50_000)
    monkeypatch.setattr(Redemption, "accept", generous)
    accept = redemption_pb2.AcceptRedemptionRequest(name=delivered.name, amount=eur(80_000))
    if checked:
        assert refused(lambda: world.caseworker.redemptions.AcceptRedemption(accept)) == "INTERNAL"
        return
    drop(world, "redemptions_accepted_within_reserved")
    world.caseworker.redemptions.AcceptRedemption(accept)
    world.bank_account()
    assert cents(world.batch().total) == 80_000  # of which the learner agreed to 50 000


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "control"])
def test_a_voucher_is_not_spent_beyond_its_value(world: World, checked: bool) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.accepted(learner, voucher)
    gift = "UPDATE vouchers SET state = 3, available_cents = value_cents"
    if checked:
        with pytest.raises(Exception, match="vouchers_never_beyond_value"):
            run(world, gift)
        assert refused(lambda: world.reserve(learner, voucher)) == "VOUCHER_SPENT"
        return
    drop(world, "vouchers_never_beyond_value")
    assert run(world, gift) == 1
    world.offer(price=200_000)  # no session is paid beyond its price in any case
    world.accepted(learner, voucher)
    world.bank_account()
    assert cents(world.batch().total) == 200_000  # on a voucher of 100 000
    assert {finding.kind for finding in world.verify().findings} & {"NEGATIVE", "BALANCE"}
