"""What tests of levies, outcome contracts, promises to hire and targets share."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from waymark.vouchers.v1 import (
    employer_obligation_pb2,
    funding_source_pb2,
    levy_pb2,
    outcome_contract_pb2,
)

from tests.support.vouchers import World, day_message, eur, request_id

HEADER = "employer,month,gross_payroll_cents\n"
YARD = "organisations/yard"
Source = funding_source_pb2.FundingSource


def source(world: World, kind: int = Source.KIND_STATE, name: str = "Money") -> str:
    """Makes a funding source; returns its name."""
    request = funding_source_pb2.CreateFundingSourceRequest(
        funding_source=Source(kind=kind, display_names={"en": name})  # type: ignore[arg-type]
    )
    return str(world.maker.sources.CreateFundingSource(request).name)


def levy(world: World, *rates: tuple[date, int], carry_over: int = 1, currency_code: str = "EUR") -> str:
    """Makes a levy, by default of 0.45 % from 2020 on; returns its name."""
    scheme = levy_pb2.LevyScheme(
        display_names={"en": "Levy"},
        currency_code=currency_code,
        funding_source=source(world, Source.KIND_EMPLOYER_LEVY),
        carry_over_years=carry_over,
        rates=[
            levy_pb2.LevyRate(effective_date=day_message(day), parts_per_100000=parts)
            for day, parts in rates or ((date(2020, 1, 1), 450),)
        ],
    )
    request = levy_pb2.CreateLevySchemeRequest(levy_scheme=scheme, request_id=request_id())
    return str(world.maker.levies.CreateLevyScheme(request).name)


def wages(world: World, scheme: str, *rows: tuple[str, str, int], dry: bool = False, **options: Any) -> Any:
    """Imports rows of employer, month and gross payroll in cents; returns the answer."""
    content = HEADER + "".join(f"{employer},{month},{gross}\n" for employer, month, gross in rows)
    request = levy_pb2.ImportLevyContributionsRequest(
        name=scheme, content=content.encode(), request_id=request_id(), validate_only=dry, **options
    )
    return world.payer.levies.ImportLevyContributions(request)


def account_of(world: World, employer: str = YARD) -> Any:
    """Returns an employer's account."""
    request = levy_pb2.ListLevyAccountsRequest(employer=employer)
    (found,) = world.auditor.levies.ListLevyAccounts(request).levy_accounts
    return found


def claim(world: World, account: str, cents: int, evidence: str = "", trained: date | None = None) -> Any:
    """Claims in the employer's name; returns the claim."""
    request = levy_pb2.CreateLevyClaimRequest(
        parent=account,
        claim=levy_pb2.LevyClaim(
            amount=eur(cents),
            training_date=day_message(trained or world.today),
            evidence_reference=evidence or f"F-{request_id()}",
        ),
        request_id=request_id(),
    )
    return employer_of(world).levies.CreateLevyClaim(request)


def employer_of(world: World) -> Any:
    """Returns the employer's staff."""
    return world.person("employer", org=YARD)


def bond(world: World, **changes: Any) -> outcome_contract_pb2.OutcomeContract:
    """Returns a draft: two investors of 1 000.01 euro together, two milestones, a mix, a repayment rule."""
    pb = outcome_contract_pb2
    values: dict[str, Any] = {
        "display_names": {"en": "Bond"},
        "currency_code": "EUR",
        "payer": source(world),
        "planned_participants": 10,
        "start_date": day_message(world.today - timedelta(days=730)),
        "repay_date": day_message(world.today),
        "investors": [
            pb.Investor(funding_source=source(world, Source.KIND_INVESTOR), amount=eur(cents))
            for cents in (60_001, 40_000)
        ],
        "milestones": [
            pb.Milestone(
                code="start", measure=pb.Milestone.MEASURE_ENROLLED, threshold=10, amount=eur(50_000)
            ),
            pb.Milestone(code="placed", measure=pb.Milestone.MEASURE_PLACED, threshold=6, amount=eur(30_000)),
        ],
        "mix_targets": [
            pb.MixTarget(
                code="women",
                expression="learner.gender == 'female'",
                min_percent=30,
                display_names={"en": "Women"},
            )
        ],
        "repayment_steps": [
            pb.RepaymentStep(result_basis_points=0, repay_basis_points=0),
            pb.RepaymentStep(result_basis_points=6_300, repay_basis_points=10_000),
        ],
        "observers": ["the-observer"],
        **changes,
    }
    return pb.OutcomeContract(**values)


def active_bond(world: World, **changes: Any) -> Any:
    """Returns an active contract."""
    pb = outcome_contract_pb2
    draft = pb.CreateOutcomeContractRequest(outcome_contract=bond(world, **changes), request_id=request_id())
    name = world.maker.contracts.CreateOutcomeContract(draft).name
    return world.checker.contracts.ActivateOutcomeContract(pb.ActivateOutcomeContractRequest(name=name))


def obligation(world: World, **changes: Any) -> Any:
    """Makes a promise to hire 80 %, due yesterday, with three payers; returns it."""
    pb = employer_obligation_pb2
    state, own, employer = (source(world, kind) for kind in (1, 2, 4))
    values: dict[str, Any] = {
        "employer": YARD,
        "display_names": {"en": "Upskill"},
        "currency_code": "EUR",
        "hire_percent": 80,
        "refund_per_trainee": eur(100_000),
        "creditor": state,
        "due_date": day_message(world.today - timedelta(days=1)),
        "payers": [
            pb.ObligationPayer(funding_source=state, share_basis_points=3_334),
            pb.ObligationPayer(funding_source=own, share_basis_points=3_333),
            pb.ObligationPayer(funding_source=employer, share_basis_points=3_333, employer=True),
        ],
        **changes,
    }
    request = pb.CreateEmployerObligationRequest(
        employer_obligation=pb.EmployerObligation(**values), request_id=request_id()
    )
    return world.maker.obligations.CreateEmployerObligation(request)
