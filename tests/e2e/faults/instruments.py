"""Levy accounts, outcome contracts, promises to hire and targets on a running stack, to be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.traffic import Callers, Person

EURO = {"currency_code": "EUR", "units": 100}
NAMES = {"en": "x"}


def fill(callers: Callers, run: str, employer: Person, observer: Person, provider: str) -> None:
    """Makes one of each, with all that can be read of it; they are this employer's and this observer's, and
    what is to be paid is the employer's and the provider's."""
    maker, finance = callers.person("programme_manager"), callers.person("finance")
    caseworker = callers.person("caseworker")
    source = maker.surely(
        "CreateFundingSource", funding_source={"kind": "KIND_INVESTOR", "display_names": NAMES}
    ).name
    _levy(maker, finance, employer, source, run)
    _contract(callers, caseworker, observer, source, run)
    _obligation(maker, caseworker, finance, employer, source, provider)
    _target(maker)
    account = {"iban": "BE68539007547034", "holder_name": "Yard"}
    employer.surely("ProposeBankAccount", parent=employer.organisation, bank_account=account)
    finance.surely("ListPayables")


def _day(ahead: int = 0) -> dict[str, int]:
    day = datetime.now(UTC).date() + timedelta(days=ahead)
    return {"year": day.year, "month": day.month, "day": day.day}


def _levy(maker: Person, finance: Person, employer: Person, source: str, run: str) -> None:
    scheme: dict[str, Any] = {
        "display_names": NAMES,
        "currency_code": "EUR",
        "funding_source": source,
        "rates": [{"effective_date": {"year": 2020, "month": 1, "day": 1}, "parts_per_100000": 450}],
    }
    name = maker.surely("CreateLevyScheme", levy_scheme=scheme, levy_scheme_id=f"levy-{run}").name
    month = f"{datetime.now(UTC):%Y-%m}"
    file = f"employer,month,gross_payroll_cents\n{employer.organisation},{month},10000000\n"
    finance.surely("ImportLevyContributions", name=name, content=file.encode())
    (account,) = employer.surely("ListLevyAccounts", employer=employer.organisation).levy_accounts
    claim = {"amount": EURO, "training_date": _day(), "evidence_reference": "F-1"}
    made = employer.surely("CreateLevyClaim", parent=account.name, claim=claim)
    finance.surely("ApproveLevyClaim", name=made.name)


def _contract(callers: Callers, caseworker: Person, observer: Person, source: str, run: str) -> None:
    contract = {
        "display_names": NAMES,
        "currency_code": "EUR",
        "payer": source,
        "planned_participants": 1,
        "start_date": _day(),
        "repay_date": _day(1),
        "investors": [{"funding_source": source, "amount": EURO}],
        "milestones": [{"code": "first", "measure": "MEASURE_ENROLLED", "threshold": 1, "amount": EURO}],
        "repayment_steps": [{"repay_basis_points": 10_000}],
        "observers": [observer.subject],
    }
    draft = {"outcome_contract": contract, "outcome_contract_id": f"bond-{run}"}
    name = callers.person("programme_manager").surely("CreateOutcomeContract", **draft).name
    callers.person("programme_manager").surely("ActivateOutcomeContract", name=name)
    caseworker.surely("EnrolParticipants", parent=name, learners=["learners/participant"])


def _obligation(
    maker: Person, caseworker: Person, finance: Person, employer: Person, source: str, provider: str
) -> None:
    promise = {
        "employer": employer.organisation,
        "display_names": NAMES,
        "currency_code": "EUR",
        "hire_percent": 80,
        "refund_per_trainee": EURO,
        "creditor": source,
        "due_date": _day(30),
        "payers": [{"funding_source": source, "share_basis_points": 10_000}],
    }
    name = maker.surely("CreateEmployerObligation", employer_obligation=promise).name
    people = {"learners": ["learners/trainee"], "cost": EURO, "provider": provider}
    (trainee,) = caseworker.surely("EnrolTrainees", parent=name, **people).trainees
    finance.surely("ApproveTrainees", parent=name, trainees=[trainee.name])


def _target(maker: Person) -> None:
    target = {
        "display_names": NAMES,
        "measure": "MEASURE_VOUCHERS_ISSUED",
        "value": 10,
        "start_date": _day(),
        "due_date": _day(30),
    }
    name = maker.surely("CreateTarget", target=target).name
    maker.surely("RecordTargetReview", parent=name, review={"verdict": "VERDICT_KEEP"})
