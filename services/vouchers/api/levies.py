"""LevyService: what employers pay of a levy, and have back for training."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from google.api import httpbody_pb2
from sqlalchemy import Row, select
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2, levy_pb2_grpc
from waymark.vouchers.v1 import levy_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day, moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings, levies
from services.vouchers.domain.levies import ClaimState, LineKind, Statement, Year
from services.vouchers.domain.money import checked_cents, money
from services.vouchers.domain.states import need
from services.vouchers.levying import rate_conflict, take_in
from services.vouchers.store import ledger, names, payables, programmes
from services.vouchers.store import levies as store
from services.vouchers.store.levy_tables import levy_accounts, levy_claims, levy_schemes


class LevyApi(levy_pb2_grpc.LevyServiceServicer):
    """Keeps levies and employers' accounts."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateLevyScheme(self, tx: Transaction, request: pb.CreateLevySchemeRequest) -> pb.LevyScheme:
        scheme, scheme_id = request.levy_scheme, request.levy_scheme_id or new_id()
        days = [date_of(rate.effective_date, "levy_scheme.rates.effective_date") for rate in scheme.rates]
        levies.check_rates(days, "levy_scheme.rates[{}]")
        source = names.last(scheme.funding_source)
        programmes.need_sources(tx, [source])
        values = {
            "id": scheme_id,
            "display_names": dict(scheme.display_names),
            "currency": scheme.currency_code,
            "funding_source_id": source,
            "carry_over_years": scheme.carry_over_years,
        }
        row = store.add_scheme(tx, values)
        store.add_rates(tx, [_rate_row(scheme_id, *each) for each in zip(scheme.rates, days, strict=True)])
        return _schemes(tx, [row])[0]

    @query
    def GetLevyScheme(self, tx: Transaction, request: pb.GetLevySchemeRequest) -> pb.LevyScheme:
        return _schemes(tx, [store.get_scheme(tx, names.last(request.name))])[0]

    @query
    def ListLevySchemes(
        self, tx: Transaction, request: pb.ListLevySchemesRequest
    ) -> pb.ListLevySchemesResponse:
        order = [levy_schemes.c.created_at, levy_schemes.c.id]
        found = page(tx, self.app.signer, select(levy_schemes), order_by=order, request=request)
        return pb.ListLevySchemesResponse(
            levy_schemes=_schemes(tx, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def AddLevyRate(self, tx: Transaction, request: pb.AddLevyRateRequest) -> pb.LevyScheme:
        scheme = store.get_scheme(tx, names.last(request.name), locked=True)
        first = date_of(request.rate.effective_date, "rate.effective_date")
        levies.check_rates([first], "rate")
        last = store.rates_of(tx, [scheme.id])[scheme.id][-1].effective_date
        rate_conflict(tx, scheme.id, last, first)
        store.add_rates(tx, [_rate_row(scheme.id, request.rate, first)])
        return _schemes(tx, [scheme])[0]

    @mutation
    def ImportLevyContributions(
        self, tx: Transaction, request: pb.ImportLevyContributionsRequest
    ) -> pb.ImportLevyContributionsResponse:
        scheme = names.last(request.name)
        done = take_in(tx, scheme, request.content, dry=request.validate_only, correct=request.correct)
        currency = store.get_scheme(tx, scheme).currency
        return pb.ImportLevyContributionsResponse(
            row_count=done.rows,
            applied_count=done.applied,
            known_count=done.known,
            applied_amount=money(done.cents, currency),
            corrected_count=done.corrected,
            corrected_amount=money(done.difference, currency),
            findings=[
                pb.LevyFinding(line=found.line, column=found.column, text=found.text)
                for found in done.findings
            ],
        )

    @query
    def GetLevyAccount(self, tx: Transaction, request: pb.GetLevyAccountRequest) -> pb.LevyAccount:
        return _accounts(tx, [store.get_account(tx, names.uuid_in(request.name, "levyAccounts"))])[0]

    @query
    def ListLevyAccounts(
        self, tx: Transaction, request: pb.ListLevyAccountsRequest
    ) -> pb.ListLevyAccountsResponse:
        found = page(
            tx,
            self.app.signer,
            store.listed(names.last(request.levy_scheme), request.employer),
            order_by=[levy_accounts.c.id],
            request=request,
            filters={"employer": request.employer, "levy_scheme": request.levy_scheme},
        )
        return pb.ListLevyAccountsResponse(
            levy_accounts=_accounts(tx, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def CreateLevyClaim(self, tx: Transaction, request: pb.CreateLevyClaimRequest) -> pb.LevyClaim:
        account = store.lock_account(tx, names.uuid_in(request.parent, "levyAccounts"))
        claim, today = request.claim, tx.today
        cents = checked_cents("claim.amount", claim.amount, account.currency)
        trained = date_of(claim.training_date, "claim.training_date")
        if trained > today:
            violation = Violation("claim.training_date", "must not be in the future")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        if used := store.with_evidence(tx, account.id, claim.evidence_reference):
            metadata = {"claim": f"{request.parent}/claims/{used}"}
            raise Refusal(reason_pb2.REASON_LEVY_EVIDENCE_USED, metadata=metadata)
        years = store.years_of(tx, [account.id])[account.id]
        parts = levies.draw(years, cents, trained, today)
        values = {
            "id": new_id(),
            "account_id": account.id,
            "amount_cents": cents,
            "training_date": trained,
            "evidence_reference": claim.evidence_reference,
            "state": int(ClaimState.SUBMITTED),
            "created_by": tx.principal.subject,
        }
        return _claims(tx, [store.add_claim(tx, values, parts)], account.currency)[0]

    @query
    def GetLevyClaim(self, tx: Transaction, request: pb.GetLevyClaimRequest) -> pb.LevyClaim:
        account, claim = _parts(request.name)
        currency = store.get_account(tx, account).currency
        return _claims(tx, [store.get_claim(tx, account, claim)], currency)[0]

    @query
    def ListLevyClaims(self, tx: Transaction, request: pb.ListLevyClaimsRequest) -> pb.ListLevyClaimsResponse:
        account = store.get_account(tx, names.uuid_in(request.parent, "levyAccounts"))
        found = page(
            tx,
            self.app.signer,
            store.claims_of(account.id, request.state),
            order_by=[levy_claims.c.id.desc()],
            request=request,
            filters={"parent": request.parent, "state": int(request.state)},
        )
        return pb.ListLevyClaimsResponse(
            claims=_claims(tx, found.rows, account.currency), next_page_token=found.next_page_token
        )

    @mutation
    def ApproveLevyClaim(self, tx: Transaction, request: pb.ApproveLevyClaimRequest) -> pb.LevyClaim:
        account_id, claim = _parts(request.name)
        account = store.lock_account(tx, account_id)
        row = store.get_claim(tx, account_id, claim)
        need(ClaimState(row.state), (ClaimState.SUBMITTED,))
        if row.created_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        row = store.decide(tx, claim, ClaimState.APPROVED)
        name = f"levyAccounts/{account_id}"
        payables.add(tx, request.name, account.employer, account.currency, account.shard, row.amount_cents)
        booking = bookings.claim_levy(new_id(), name, request.name, row.amount_cents)
        ledger.post(tx, ledger.lock_head(tx, account.shard), booking)
        amount = money(row.amount_cents, account.currency)
        tx.publish(
            events_pb2.LevyClaimApproved(
                levy_account=name, claim=request.name, employer=account.employer, amount=amount
            )
        )
        return _claims(tx, [row], account.currency)[0]

    @mutation
    def RejectLevyClaim(self, tx: Transaction, request: pb.RejectLevyClaimRequest) -> pb.LevyClaim:
        account_id, claim = _parts(request.name)
        account = store.lock_account(tx, account_id)
        need(ClaimState(store.get_claim(tx, account_id, claim).state), (ClaimState.SUBMITTED,))
        row = store.decide(tx, claim, ClaimState.REJECTED, request.reason)
        return _claims(tx, [row], account.currency)[0]

    @query
    def GetLevyStatement(self, tx: Transaction, request: pb.GetLevyStatementRequest) -> pb.LevyStatement:
        account = store.get_account(tx, names.uuid_in(request.name, "levyAccounts"))
        found, currency = _statement(tx, account.id, request.year), account.currency
        return pb.LevyStatement(
            levy_account=request.name,
            employer=account.employer,
            year=request.year,
            opening_balance=money(found.opening, currency),
            contributed=money(found.sum_of(LineKind.CONTRIBUTION), currency),
            claimed=money(found.sum_of(LineKind.CLAIM), currency),
            expired=money(found.sum_of(LineKind.EXPIRY), currency),
            corrected=money(found.sum_of(LineKind.CORRECTION), currency),
            closing_balance=money(found.closing, currency),
            lines=[
                pb.LevyStatementLine(
                    date=day(line.day),
                    kind=pb.LevyStatementLine.Kind.ValueType(int(line.kind)),
                    amount=money(line.cents, currency),
                    gross_payroll=None if line.gross is None else money(line.gross, currency),
                    claim=line.claim,
                    balance=money(held, currency),
                )
                for line, held in zip(found.lines, found.balances(), strict=True)
            ],
        )

    @query
    def GetLevyStatementFile(
        self, tx: Transaction, request: pb.GetLevyStatementFileRequest
    ) -> httpbody_pb2.HttpBody:
        account = store.get_account(tx, names.uuid_in(request.name, "levyAccounts"))
        content = _statement(tx, account.id, request.year).csv(request.year, account.currency)
        return httpbody_pb2.HttpBody(content_type="text/csv; charset=utf-8", data=content)


def _statement(tx: Transaction, account: str, year: int) -> Statement:
    moved = store.lines(tx, account, date(year, 1, 1), date(year, 12, 31))
    return Statement(store.opening(tx, account, year), tuple(moved))


def _parts(name: str) -> tuple[str, str]:
    account, _, claim = name.partition("/claims/")
    return names.uuid_in(account, "levyAccounts"), names.uuid_in(f"claims/{claim}", "claims")


def _rate_row(scheme: str, rate: pb.LevyRate, first: date) -> dict[str, Any]:
    return {
        "scheme_id": scheme,
        "effective_date": first,
        "parts": rate.parts_per_100000,
        "legal_reference": rate.legal_reference,
    }


def _schemes(tx: Transaction, rows: Sequence[Row[Any]]) -> list[pb.LevyScheme]:
    rates = store.rates_of(tx, [row.id for row in rows])
    return [
        pb.LevyScheme(
            name=f"levySchemes/{row.id}",
            display_names=row.display_names,
            currency_code=row.currency,
            funding_source=f"fundingSources/{row.funding_source_id}",
            carry_over_years=row.carry_over_years,
            rates=[
                pb.LevyRate(
                    effective_date=day(rate.effective_date),
                    parts_per_100000=rate.parts,
                    legal_reference=rate.legal_reference,
                )
                for rate in rates.get(row.id, [])
            ],
            create_time=moment(row.created_at),
        )
        for row in rows
    ]


def _accounts(tx: Transaction, rows: Sequence[Row[Any]]) -> list[pb.LevyAccount]:
    years = store.years_of(tx, [row.id for row in rows])
    return [_account(row, years[row.id], tx.today) for row in rows]


def _account(row: Row[Any], years: Sequence[Year], today: date) -> pb.LevyAccount:
    return pb.LevyAccount(
        name=f"levyAccounts/{row.id}",
        levy_scheme=f"levySchemes/{row.scheme_id}",
        employer=row.employer,
        balance=money(sum(year.balance for year in years), row.currency),
        available=money(levies.available(years, today, today), row.currency),
        years=[_year(year, row.currency) for year in years],
        create_time=moment(row.created_at),
    )


def _year(year: Year, currency: str) -> pb.LevyYear:
    return pb.LevyYear(
        year=year.year,
        contributed=money(year.contributed, currency),
        reserved=money(year.reserved, currency),
        claimed=money(year.claimed, currency),
        expired=money(year.expired, currency),
        rest=money(year.rest, currency),
        expire_date=day(year.expires),
    )


def _claims(tx: Transaction, rows: Sequence[Row[Any]], currency: str) -> list[pb.LevyClaim]:
    parts = store.parts_of(tx, [str(row.id) for row in rows])
    return [
        pb.LevyClaim(
            name=f"levyAccounts/{row.account_id}/claims/{row.id}",
            amount=money(row.amount_cents, currency),
            training_date=day(row.training_date),
            evidence_reference=row.evidence_reference,
            state=row.state,
            parts=[
                pb.LevyClaimPart(year=year, amount=money(cents, currency))
                for year, cents in parts.get(str(row.id), [])
            ],
            reject_reason=row.reject_reason,
            create_time=moment(row.created_at),
            decide_time=moment(row.decided_at),
        )
        for row in rows
    ]
