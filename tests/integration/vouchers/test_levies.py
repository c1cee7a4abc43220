"""Levy accounts: wages in, claims by two people, never more than is there, what lapses, statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from waymark.vouchers.v1 import levy_pb2 as pb

from services.platform.db.transaction import Transaction, transaction
from services.vouchers import jobs
from services.vouchers.store import levies as store
from services.vouchers.store.levy_tables import levy_accounts
from tests.integration.vouchers.refusals import refused, tried, violations_of
from tests.support.instruments import HEADER, YARD, account_of, claim, employer_of, levy, source, wages
from tests.support.meetings import Meanwhile
from tests.support.vouchers import World, cents, day_message, eur, request_id

State = pb.LevyClaim
FUNDER, CLEARED, LEVY = 1, 6, 10


def approve(world: World, name: str) -> Any:
    """Approves a claim."""
    return world.approver.levies.ApproveLevyClaim(pb.ApproveLevyClaimRequest(name=name))


def intact(world: World) -> bool:
    """Verifies the ledger, which must sum to zero."""
    report = world.verify()
    assert report.intact, report.findings
    return sum(world.balances().values()) == 0


def months(world: World, count: int, gross: int = 10_000_000) -> list[tuple[str, str, int]]:
    """Rows of the first months of this year."""
    return [(YARD, f"{world.today.year}-{month:02d}", gross) for month in range(1, count + 1)]


def test_wages_become_contributions_at_the_rate_of_their_month(world: World) -> None:
    year = world.today.year
    scheme = levy(world, (date(2020, 1, 1), 450), (date(year, 2, 1), 240))
    rows = [(YARD, f"{year}-01", 11_111), (YARD, f"{year - 1}-12", 200_000)]
    tried = wages(world, scheme, *rows, dry=True)
    assert (tried.row_count, tried.applied_count, cents(tried.applied_amount)) == (2, 2, 50 + 900)
    assert not world.auditor.levies.ListLevyAccounts(pb.ListLevyAccountsRequest()).levy_accounts
    done = wages(world, scheme, *rows)
    assert (done.applied_count, done.known_count, cents(done.applied_amount)) == (2, 0, 950)
    account = account_of(world)
    assert (cents(account.balance), cents(account.available)) == (950, 950)
    assert [(each.year, cents(each.contributed)) for each in account.years] == [(year - 1, 900), (year, 50)]
    assert account.years[0].expire_date == day_message(date(year, 12, 31))
    balances = world.balances()
    assert (balances[LEVY], balances[FUNDER]) == (950, -950)
    assert intact(world)


def test_the_same_file_again_changes_nothing_and_a_larger_one_adds_what_is_new(world: World) -> None:
    scheme = levy(world)
    wages(world, scheme, *months(world, 1))
    again = wages(world, scheme, *months(world, 1))
    assert (again.row_count, again.applied_count, again.known_count) == (1, 0, 1)
    assert cents(again.applied_amount) == 0
    more = wages(world, scheme, *months(world, 1), ("organisations/mill", f"{world.today.year}-01", 1_000))
    assert (more.applied_count, more.known_count, cents(more.applied_amount)) == (1, 1, 5)
    assert cents(account_of(world).balance) == 45_000


def test_a_payroll_is_corrected_by_its_difference_and_not_below_what_was_claimed(world: World) -> None:
    scheme, year = levy(world), world.today.year  # 0.45 %
    wages(world, scheme, *months(world, 2))  # 450 euro each
    account = account_of(world).name
    less, more = months(world, 1, 4_000_000), (YARD, f"{year}-02", 12_000_000)
    assert tried(lambda: wages(world, scheme, *less)) == "LEVY_FILE_INVALID"  # nobody asked to correct it
    dry = wages(world, scheme, *less, more, dry=True, correct=True)
    assert (dry.corrected_count, cents(dry.corrected_amount)) == (2, -27_000 + 9_000)
    done = wages(world, scheme, *less, more, correct=True)
    assert (done.applied_count, done.known_count, cents(done.corrected_amount)) == (0, 0, -18_000)
    again = wages(world, scheme, *less, more, correct=True)
    assert (again.known_count, again.corrected_count) == (2, 0)
    assert cents(account_of(world).balance) == 72_000 == world.balances()[LEVY]
    assert statement(world, account, year) == (0, 90_000, 0, 0, 72_000)
    claim(world, account, 70_000)
    request = {"content": f"{HEADER}{YARD},{year}-01,3000000\n".encode(), "correct": True, "name": scheme}
    found = violations_of(
        lambda: world.payer.levies.ImportLevyContributions(pb.ImportLevyContributionsRequest(**request))
    )
    assert list(found) == ["content.line[2].gross_payroll_cents"]
    wages(world, scheme, (YARD, f"{year}-01", 3_000_000), (YARD, f"{year}-02", 13_000_000), correct=True)
    assert cents(account_of(world).balance) == 72_000
    assert intact(world)


def test_a_file_with_findings_is_refused_whole_and_a_dry_run_lists_them(world: World) -> None:
    scheme = levy(world)
    wages(world, scheme, *months(world, 1))
    rows = [(YARD, f"{world.today.year}-01", 5), (YARD, "2019-12", 5), ("yard", "2025-01", 5)]
    rows.append((YARD, "2024-05", 77_777))
    found = wages(world, scheme, *rows, dry=True)
    assert [(each.line, each.column) for each in found.findings] == [
        (2, "gross_payroll_cents"),
        (3, "month"),
        (4, "employer"),
    ]
    assert (found.row_count, found.applied_count) == (4, 0)
    assert refused(lambda: wages(world, scheme, *rows)) == "LEVY_FILE_INVALID"
    places = violations_of(lambda: wages(world, scheme, *rows))
    assert places["content.line[3].month"] == "is before the first rate of this levy"
    assert cents(account_of(world).balance) == 45_000
    assert refused(lambda: wages(world, "levySchemes/none", *rows)) == "NOT_FOUND"


def test_a_rate_is_added_after_everything_that_was_computed(world: World) -> None:
    scheme = levy(world)
    wages(world, scheme, (YARD, "2026-03", 1_000))

    def add(day: date) -> Any:
        rate = pb.LevyRate(effective_date=day_message(day), parts_per_100000=240, legal_reference="L. 1")
        request = pb.AddLevyRateRequest(name=scheme, rate=rate, request_id=request_id())
        return world.maker.levies.AddLevyRate(request)

    assert refused(lambda: add(date(2020, 1, 1))) == "LEVY_RATE_CONFLICT"
    assert refused(lambda: add(date(2026, 3, 1))) == "LEVY_RATE_CONFLICT"
    assert refused(lambda: add(date(2026, 4, 2))) == "INVALID_ARGUMENT"
    assert [rate.parts_per_100000 for rate in add(date(2026, 4, 1)).rates] == [450, 240]
    assert cents(wages(world, scheme, (YARD, "2026-04", 100_000)).applied_amount) == 240
    read = world.learner().levies.GetLevyScheme(pb.GetLevySchemeRequest(name=scheme))
    assert read.rates[1].legal_reference == "L. 1"
    assert [
        each.name for each in world.learner().levies.ListLevySchemes(pb.ListLevySchemesRequest()).levy_schemes
    ] == [scheme]


def test_a_levy_exists_once_and_with_rates_in_order(world: World) -> None:
    def make(*days: date) -> Any:
        rates = [pb.LevyRate(effective_date=day_message(day), parts_per_100000=1) for day in days]
        scheme = pb.LevyScheme(
            display_names={"en": "L"}, currency_code="EUR", funding_source=source(world), rates=rates
        )
        request = pb.CreateLevySchemeRequest(levy_scheme=scheme, levy_scheme_id="laec")
        return world.maker.levies.CreateLevyScheme(request)

    assert refused(lambda: make(date(2026, 2, 1), date(2026, 1, 1))) == "INVALID_ARGUMENT"
    make(date(2026, 1, 1))
    assert refused(lambda: make(date(2026, 1, 1))) == "ALREADY_EXISTS"


def test_a_rate_that_begins_in_a_month_is_refused_by_the_name_of_its_field(world: World) -> None:
    rate = pb.LevyRate(effective_date=day_message(date(2026, 4, 2)), parts_per_100000=240)
    request = pb.AddLevyRateRequest(name=levy(world), rate=rate)
    places = violations_of(lambda: world.maker.levies.AddLevyRate(request))
    assert places == {"rate.effective_date": "must be the first of a month"}


def test_an_employer_that_no_name_can_hold_is_a_finding(world: World) -> None:
    found = wages(world, levy(world), ("organisations/ya\0rd", "2026-01", 1), dry=True)
    assert [(each.line, each.column) for each in found.findings] == [(2, "employer")]


def test_a_claim_is_set_aside_and_paid_when_a_second_person_approves(world: World) -> None:
    wages(world, levy(world), *months(world, 2))
    account = account_of(world).name
    made = claim(world, account, 60_000, evidence="F-1")
    assert made.state == State.STATE_SUBMITTED
    assert [(part.year, cents(part.amount)) for part in made.parts] == [(world.today.year, 60_000)]
    open_ = account_of(world)
    assert (cents(open_.balance), cents(open_.available)) == (90_000, 30_000)
    assert refused(lambda: claim(world, account, 1, evidence="F-1")) == "LEVY_EVIDENCE_USED"
    assert refused(lambda: claim(world, account, 30_001)) == "LEVY_BALANCE_TOO_LOW"
    paid = approve(world, made.name)
    assert paid.state == State.STATE_APPROVED
    assert refused(lambda: approve(world, made.name)) == "WRONG_STATE"
    balances = world.balances()
    assert (balances[LEVY], balances[CLEARED]) == (30_000, 60_000)
    assert intact(world)


def test_whoever_claims_does_not_approve(world: World) -> None:
    wages(world, levy(world), *months(world, 1))
    request = pb.CreateLevyClaimRequest(
        parent=account_of(world).name,
        claim=pb.LevyClaim(amount=eur(100), training_date=day_message(world.today), evidence_reference="F-1"),
    )
    own = world.payer.levies.CreateLevyClaim(request)
    name = pb.ApproveLevyClaimRequest(name=own.name)
    assert refused(lambda: world.payer.levies.ApproveLevyClaim(name)) == "SAME_PERSON"
    assert refused(lambda: employer_of(world).levies.ApproveLevyClaim(name)) == "PERMISSION_DENIED"
    assert approve(world, own.name).state == State.STATE_APPROVED


def test_a_rejected_claim_frees_its_money_and_its_evidence(world: World) -> None:
    wages(world, levy(world), *months(world, 1))
    account = account_of(world).name
    made = claim(world, account, 45_000, evidence="F-1")
    reject = pb.RejectLevyClaimRequest(name=made.name, reason=State.REJECT_REASON_EVIDENCE)
    gone = world.approver.levies.RejectLevyClaim(reject)
    assert (gone.state, gone.reject_reason) == (State.STATE_REJECTED, State.REJECT_REASON_EVIDENCE)
    assert refused(lambda: world.approver.levies.RejectLevyClaim(reject)) == "WRONG_STATE"
    assert cents(account_of(world).available) == 45_000
    again = claim(world, account, 45_000, evidence="F-1")
    listed = pb.ListLevyClaimsRequest(parent=account)
    found = world.auditor.levies.ListLevyClaims(listed).claims
    assert [each.name for each in found] == [again.name, made.name]
    listed.state = State.STATE_REJECTED
    assert [each.name for each in world.auditor.levies.ListLevyClaims(listed).claims] == [made.name]


def test_only_sensible_claims_are_taken(world: World) -> None:
    wages(world, levy(world), *months(world, 1))
    account = account_of(world).name
    tomorrow = date.fromordinal(world.today.toordinal() + 1)
    assert refused(lambda: claim(world, account, 1, trained=tomorrow)) == "INVALID_ARGUMENT"
    assert refused(lambda: claim(world, account, 0)) == "INVALID_ARGUMENT"
    last_year = world.today.replace(year=world.today.year - 1, day=1)
    assert refused(lambda: claim(world, account, 1, trained=last_year)) == "LEVY_BALANCE_TOO_LOW"


def test_the_rest_is_carried_over_and_lapses_after_its_last_day(world: World) -> None:
    year = world.today.year
    rows = [(YARD, f"{year - 2}-06", 1_000_000), (YARD, f"{year - 1}-06", 2_000_000)]
    wages(world, levy(world), *rows, *months(world, 1, 3_000_000))
    before = account_of(world)
    assert (cents(before.balance), cents(before.available)) == (27_000, 22_500)
    made = claim(world, before.name, 10_000)
    assert [(part.year, cents(part.amount)) for part in made.parts] == [(year - 1, 9_000), (year, 1_000)]
    approve(world, made.name)
    jobs.expire_levies(world.app)
    jobs.expire_levies(world.app)
    after = account_of(world)
    assert [cents(each.expired) for each in after.years] == [4_500, 0, 0]
    assert cents(after.balance) == 12_500
    with transaction(world.app) as tx:
        kinds = tx.execute(text("SELECT count(*) FROM outbox WHERE type LIKE '%LevyExpired'")).scalar_one()
    assert kinds == 1
    assert intact(world)
    assert statement(world, before.name, year - 1) == (4_500, 9_000, 0, 4_500, 9_000)
    assert statement(world, before.name, year) == (9_000, 13_500, 10_000, 0, 12_500)


def statement(world: World, account: str, year: int) -> tuple[int, ...]:
    """Reads a statement; returns its opening balance, sums, and closing balance."""
    request = pb.GetLevyStatementRequest(name=account, year=year)
    found = employer_of(world).levies.GetLevyStatement(request)
    assert sum(cents(line.amount) for line in found.lines) == cents(found.closing_balance) - cents(
        found.opening_balance
    )
    sums = (found.opening_balance, found.contributed, found.claimed, found.expired, found.closing_balance)
    return tuple(map(cents, sums))


def from_the_first_day(tx: Transaction, account: str, year: int) -> int:
    """What a statement used to begin with: every line before its year."""
    return sum(line.cents for line in store.lines(tx, account, date.min, date(year - 1, 12, 31)))


def test_every_year_begins_with_all_that_moved_before(world: World) -> None:
    year = world.today.year
    scheme = levy(world, carry_over=2)
    payroll = Counter[tuple[str, str]]()
    wage = st.tuples(st.integers(year - 5, year - 1), st.integers(1, 12), st.integers(0, 10**9))

    @settings(max_examples=12, deadline=None)
    @given(st.lists(wage, max_size=6), st.integers(1, 10_000), st.booleans())
    def holds(rows: list[tuple[int, int, int]], claimed: int, lapsed: bool) -> None:
        for each, month, gross in [*rows, (year, 1, 300 * claimed)]:
            payroll[YARD, f"{each}-{month:02d}"] += gross
        wages(world, scheme, *((*key, gross) for key, gross in payroll.items()), correct=True)
        account = account_of(world).name
        assert approve(world, claim(world, account, claimed).name).state == State.STATE_APPROVED
        if lapsed:
            jobs.expire_levies(world.app)
        same(account)

    def same(account: str) -> None:
        with transaction(world.app, read_only=True) as tx:
            id_ = account.removeprefix("levyAccounts/")
            for each in range(year - 6, year + 2):
                assert store.opening(tx, id_, each) == from_the_first_day(tx, id_, each)
        assert world.verify().intact

    holds()
    assert statement(world, account_of(world).name, year + 1)[0] == cents(account_of(world).balance)
    with transaction(world.app) as tx:  # control: one cent would show, in the statement and to an auditor
        tx.execute(text("UPDATE levy_turnover SET cents = cents + 1 WHERE year = :year"), {"year": year})
    (found,) = world.verify().findings
    assert (found.kind, found.text.split()[0]) == ("TURNOVER", "levy_turnover")
    with pytest.raises(AssertionError):
        same(account_of(world).name)


def test_what_an_open_claim_set_aside_does_not_lapse(world: World) -> None:
    wages(world, levy(world), *months(world, 1))
    account = account_of(world).name
    made = claim(world, account, 20_000)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE levy_years SET expires_on = now() - interval '1 day'"))
    jobs.expire_levies(world.app)
    assert cents(account_of(world).balance) == 20_000
    reject = pb.RejectLevyClaimRequest(name=made.name, reason=State.REJECT_REASON_WITHDRAWN)
    world.approver.levies.RejectLevyClaim(reject)
    jobs.expire_levies(world.app)
    assert cents(account_of(world).balance) == 0
    assert intact(world)


def test_the_statement_as_a_file(world: World) -> None:
    wages(world, levy(world), *months(world, 2, 1_000_000))
    account = account_of(world).name
    made = approve(world, claim(world, account, 5_000).name)
    request = pb.GetLevyStatementFileRequest(name=account, year=world.today.year)
    lines = employer_of(world).levies.GetLevyStatementFile(request).data.decode().splitlines()
    year = world.today.year
    assert lines[1:] == [
        f"{year}-01-01,opening,,EUR,,,0.00",
        f"{year}-01-01,contribution,45.00,EUR,10000.00,,45.00",
        f"{year}-02-01,contribution,45.00,EUR,10000.00,,90.00",
        f"{world.today},claim,-50.00,EUR,,{made.name},40.00",
        f"{year}-12-31,closing,,EUR,,,40.00",
    ]


def test_an_employer_sees_its_own_account_and_no_other(world: World) -> None:
    wages(world, levy(world), *months(world, 1), ("organisations/mill", "2026-01", 1_000))
    account = account_of(world).name
    made = claim(world, account, 100)
    mill = world.person("employer", org="organisations/mill")
    nobody = world.person("employer")
    calls: list[Callable[[Any], Any]] = [
        lambda who: who.levies.GetLevyAccount(pb.GetLevyAccountRequest(name=account)),
        lambda who: who.levies.ListLevyAccounts(pb.ListLevyAccountsRequest(employer=YARD)),
        lambda who: who.levies.GetLevyClaim(pb.GetLevyClaimRequest(name=made.name)),
        lambda who: who.levies.ListLevyClaims(pb.ListLevyClaimsRequest(parent=account)),
        lambda who: who.levies.GetLevyStatement(pb.GetLevyStatementRequest(name=account, year=2026)),
        lambda who: who.levies.GetLevyStatementFile(pb.GetLevyStatementFileRequest(name=account, year=2026)),
    ]
    for call in calls:
        assert call(employer_of(world)).ByteSize()
        for stranger in (mill, nobody):
            assert refused(lambda call=call, stranger=stranger: call(stranger)) == "NOT_FOUND"
    everybody = pb.ListLevyAccountsRequest()
    assert refused(lambda: nobody.levies.ListLevyAccounts(everybody)) == "NOT_FOUND"
    assert len(world.auditor.levies.ListLevyAccounts(everybody).levy_accounts) == 2


def race(world: World, monkeypatch: pytest.MonkeyPatch, patience: float) -> list[str]:
    """Claims everything twice, the second while the first stands between reading and writing; returns why
    each was refused, empty when it was not."""
    account = account_of(world).name

    def take() -> None:
        assert claim(world, account, 45_000).state == State.STATE_SUBMITTED

    twin = Meanwhile(monkeypatch, store, "years_of", lambda: tried(take), patience)
    return [tried(take), twin.answer]


def test_two_claims_at_once_take_what_is_there_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wages(world, levy(world), *months(world, 1))
    found = race(world, monkeypatch, 1)
    assert found == ["", "LEVY_BALANCE_TOO_LOW"]


def test_control_without_the_lock_and_the_check_more_is_claimed_than_was_paid_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wages(world, levy(world), *months(world, 1))
    with transaction(world.app) as tx:
        tx.execute(text("ALTER TABLE levy_years DROP CONSTRAINT levy_years_within_contributed"))
    world.app.engine.dispose()

    def read_only(tx: Any, account: str) -> Any:
        return tx.execute(select(levy_accounts).where(levy_accounts.c.id == account)).one()

    monkeypatch.setattr(store, "lock_account", read_only)
    assert race(world, monkeypatch, 30) == ["", ""]
    assert cents(account_of(world).available) == -45_000


def test_verification_sees_a_levy_account_that_somebody_changed(world: World) -> None:
    wages(world, levy(world), *months(world, 1))
    assert intact(world)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE levy_years SET contributed_cents = contributed_cents + 1"))
    assert {finding.kind for finding in world.verify().findings} == {"BALANCE"}


def test_an_empty_file_and_one_that_is_none(world: World) -> None:
    scheme = levy(world)
    assert wages(world, scheme).row_count == 0
    request = pb.ImportLevyContributionsRequest(
        name=scheme, content=HEADER.encode().replace(b"month", b"mois")
    )
    assert refused(lambda: world.payer.levies.ImportLevyContributions(request)) == "LEVY_FILE_INVALID"
