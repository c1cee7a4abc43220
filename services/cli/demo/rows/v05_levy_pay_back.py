"""Greek LAEC: an employer's levy pays for its own training."""

from __future__ import annotations

from base64 import b64encode
from datetime import date
from typing import Any

from services.cli.amounts import json_date, json_money
from services.cli.client import request_id
from services.cli.demo.catalogue import bank_account
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import payables
from services.cli.demo.rows.ground import MAKER, funding_source
from services.cli.legal_day import legal_day
from services.cli.output import money
from services.cli.programme import read_json

GROSS = 25_000_000  # cents of wages a month
IBAN = "GR1601101250000000012300695"


def show(journey: Journey) -> str:
    """REST: wages become contributions; the employer claims, a second person approves, a batch pays."""
    scheme, employer = _scheme(journey), f"organisations/yard-{journey.run}"
    finance, checker = journey.person("finance", "Joris"), journey.person("finance", "Eline")
    today = legal_day()
    file = _wages(employer, [*_months(today.year - 1, 12), *_months(today.year, today.month)])
    wrong = finance.rest(
        "POST", f"/v1/{scheme}:importContributions", _body(file + f"{employer},soon,1\n", dry=True)
    )
    expect(len(wrong.get("findings", [])) == 1, "the dry run should find one wrong row")
    done = finance.rest("POST", f"/v1/{scheme}:importContributions", _body(file))
    again = finance.rest("POST", f"/v1/{scheme}:importContributions", _body(file))
    expect(again.get("appliedCount", 0) == 0, "the same file was booked twice")
    staff = journey.person("employer", "Petra", employer)
    (account,) = staff.rest("GET", "/v1/levyAccounts", employer=employer)["levyAccounts"]
    with refused("LEVY_BALANCE_TOO_LOW"):
        staff.rest("POST", f"/v1/{account['name']}/claims", _claim(today, "1000000.00", "F-0"))
    claim = staff.rest("POST", f"/v1/{account['name']}/claims", _claim(today, "14000.00", "F-1"))
    with refused("LEVY_EVIDENCE_USED"):
        staff.rest("POST", f"/v1/{account['name']}/claims", _claim(today, "1.00", "F-1"))
    approved = checker.rest("POST", f"/v1/{claim['name']}:approve", {"requestId": request_id()})
    expect(approved["state"] == "STATE_APPROVED", f"the claim is {approved['state']}")
    bank_account(journey, employer, staff, "Yard", IBAN)
    paid = payables.paid(journey, employer, [claim["name"]])
    expect(paid == money(approved["amount"]), f"{paid} left for the bank")
    told = staff.rest("GET", f"/v1/{account['name']}/statement", year=today.year)
    file_ = staff.rest_bytes("GET", f"/v1/{account['name']}:statementFile", year=today.year)
    expect(b"closing" in file_, "the statement's file has no closing balance")
    return (
        f"{done['appliedCount']} months of wages paid in {money(done['appliedAmount'])} at 0.45 %; "
        f"{paid} claimed, of {len(approved['parts'])} years, and in the bank file; "
        f"{money(told['openingBalance'])} carried over into {today.year}, "
        f"{money(told['closingBalance'])} left"
    )


def _scheme(journey: Journey) -> str:
    """The sample's levy with a source of its own for this walk."""
    maker = journey.person("programme_manager", MAKER)
    content = read_json(SAMPLES / "programmes" / "greek-laec.json", "levyScheme")
    source = funding_source(maker, "KIND_EMPLOYER_LEVY", f"laec-{journey.run}")
    body = content["levyScheme"] | {"fundingSource": source}
    return str(maker.rest("POST", "/v1/levySchemes", body, levy_scheme_id=f"laec-{journey.run}")["name"])


def _months(year: int, count: int) -> list[str]:
    return [f"{year}-{month:02d}" for month in range(1, count + 1)]


def _wages(employer: str, months: list[str]) -> str:
    rows = "".join(f"{employer},{month},{GROSS}\n" for month in months)
    return "employer,month,gross_payroll_cents\n" + rows


def _body(file: str, *, dry: bool = False) -> dict[str, Any]:
    content = b64encode(file.encode()).decode()
    return {"content": content, "validateOnly": dry, "requestId": request_id()}


def _claim(today: date, amount: str, evidence: str) -> dict[str, Any]:
    return {
        "amount": json_money(amount),
        "trainingDate": json_date(today),
        "evidenceReference": evidence,
    }


STEP = Step("levy-pay-back", "Greek LAEC: an employer's levy pays for its own training", ("V5",), show)
