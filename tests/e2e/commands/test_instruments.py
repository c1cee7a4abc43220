"""Levies, outcome contracts, promises to hire and targets on the command line, on a real stack."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.client import Client
from tests.support.stacks import Stack
from tests.support.terminal import Person
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(400)]
READY = Path(__file__).resolve().parents[3] / "samples" / "programmes"
SOURCES = ("laec", "brussels-region", "impact-fund", "foundation", "iefp", "esf-portugal", "upskill-company")


@pytest.fixture(scope="module")
def staff(stack: Stack) -> Person:
    """Whoever the commands act as by default, on a stack with the funding sources of the samples."""
    client = Client(stack.home)
    maker = client.acting_as("programme_manager", "maker")
    for name in SOURCES:
        source = {"kind": "KIND_STATE", "displayNames": {"en": name}}
        maker.rest("POST", "/v1/fundingSources", source, funding_source_id=name)
    client.close()
    return Person(stack)


def contributed(staff: Person, levy: str, wages: Path, today: date) -> None:
    """Imports a payroll of the yard that is wrong at first, and ends with 100 000 euro of this month."""
    wages.write_text(f"employer,month,gross_payroll_cents\norganisations/yard,{today:%Y-%m},x\n")
    assert "gross_payroll_cents" in staff.prints("levy", "import", levy, str(wages), "--try")
    assert staff.fails("levy", "import", levy, str(wages)) == (4, "LEVY_FILE_INVALID")
    wages.write_text(f"employer,month,gross_payroll_cents\norganisations/yard,{today:%Y-%m},10000000\n")
    assert staff.gets("levy", "import", levy, str(wages))["appliedCount"] == 1
    for gross in (20_000_000, 10_000_000):
        wages.write_text(f"employer,month,gross_payroll_cents\norganisations/yard,{today:%Y-%m},{gross}\n")
        assert staff.fails("levy", "import", levy, str(wages)) == (4, "LEVY_FILE_INVALID")
        assert staff.gets("levy", "import", levy, str(wages), "--correct")["correctedCount"] == 1


def paid_at_last(staff: Person, today: date, out: Path) -> str:
    """Pays what waits for the yard, after two batches that were given up; returns the batch."""
    staff.prints("bank-account", "propose", "organisations/yard", "Yard", "BE68539007547034")
    account_name = staff.gets("bank-account", "list", "organisations/yard")[0]["name"]
    staff.prints("bank-account", "confirm", account_name)
    paying = ("payout", "create", today.isoformat(), "Service", "NL91ABNA0417164300", "--payables")
    wrong = staff.gets(*paying)["name"]
    assert "wrong account" in staff.prints("payout", "cancel", wrong, "wrong account")
    assert staff.fails("payout", "cancel", wrong, "once more") == (4, "WRONG_STATE")
    batch = staff.gets(*paying)["name"]
    staff.prints("payout", "freeze", batch)
    staff.prints("payout", "approve", batch)
    file = ("payout", "file", batch, "--out", str(out))
    staff.prints(*file)
    assert staff.fails("payout", "cancel", batch, "wrong day") == (4, "BANK_FILE_FETCHED")
    assert "file retracted" in staff.prints("payout", "retract", batch)
    staff.prints("payout", "cancel", batch, "wrong day")
    batch = staff.gets(*paying)["name"]
    staff.prints("payout", "freeze", batch)
    staff.prints("payout", "approve", batch)
    assert not staff.gets("payout", "list", "--unanswered", "1")
    assert batch in [each["name"] for each in staff.gets("payout", "list", "--state", "approved")]
    return str(batch)


def test_a_levy_from_wages_to_the_statement(staff: Person, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    levy = staff.gets("levy", "create", str(READY / "greek-laec.json"), "fundingSources/laec")["name"]
    contributed(staff, levy, tmp_path / "wages.csv", today)
    (account,) = staff.gets("levy", "accounts", "--employer", "organisations/yard")
    assert "450.00 EUR" in staff.prints("levy", "account", account["name"])
    own = ("--as", "employer", "--org", "organisations/yard")
    claim = staff.gets("levy", "claim", account["name"], "100.00", today.isoformat(), "F-1", *own)["name"]
    again = ("levy", "claim", account["name"], "1.00", today.isoformat(), "F-1", *own)
    assert staff.fails(*again) == (4, "LEVY_EVIDENCE_USED")
    assert "approved" in staff.prints("levy", "approve", claim)
    batch = paid_at_last(staff, today, tmp_path / "batch.xml")
    (payable,) = staff.gets("payout", "payables", "--payee", "organisations/yard")
    assert (payable["subject"], payable["state"]) == (claim, "STATE_PAID")
    assert staff.gets("payout", "payable", payable["name"]) == payable
    assert batch in staff.prints("payout", "payable", payable["name"])
    assert staff.fails("payout", "payable", "payables/0198") == (5, "NOT_FOUND")
    other = staff.gets("levy", "claim", account["name"], "1.00", today.isoformat(), "F-2", *own)["name"]
    assert "not training" in staff.prints("levy", "reject", other, "not-training")
    assert [each["name"] for each in staff.gets("levy", "claims", account["name"])] == [other, claim]
    assert "350.00 EUR" in staff.prints("levy", "statement", account["name"], str(today.year), *own)
    out = tmp_path / "statement.csv"
    staff.prints("levy", "statement", account["name"], str(today.year), "--out", str(out))
    assert out.read_text().splitlines()[-1].endswith(",closing,,EUR,,,350.00")
    later = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    assert "240" in staff.prints("levy", "rate", levy, later.isoformat(), "240", "--law", "Law 1")
    assert staff.prints("levy", "list")


def test_a_bond_from_its_draft_to_the_repayment(staff: Person, tmp_path: Path) -> None:
    sample: dict[str, Any] = json.loads((READY / "brussels-becode-bond.json").read_text())
    sample["outcomeContract"]["milestones"][0]["threshold"] = 1
    fund = staff.gets("organisation", "create", "Impact fund")["name"]
    sample["outcomeContract"]["investors"][0]["organisation"] = fund
    file = tmp_path / "bond.json"
    file.write_text(json.dumps(sample))
    checking = ("outcome", "create", str(file), "--check")
    before = staff.gets("outcome", "list")
    eventually(lambda: staff.run(*checking).returncode == 0)  # until the catalogue's event is there
    assert "2083450.00 EUR" in staff.prints(*checking)
    assert staff.gets("outcome", "list") == before
    name = staff.gets("outcome", "create", str(file), "--id", "becode")["name"]
    assert "active" in staff.prints("outcome", "activate", name)
    (person,) = staff.gets("outcome", "enrol", name, "learners/somebody")
    report = ("outcome", "report", name, "placed", "2026-01-31", "list-1", person["name"])
    assert staff.gets(*report)["appliedCount"] == 1
    assert staff.gets("outcome", "verify", name, "placed", person["name"])["appliedCount"] == 1
    assert "placed: verified" in staff.prints("outcome", "participants", name)
    assert "500000.00 EUR" in staff.prints("outcome", "release", name, "first-150")
    assert staff.fails("outcome", "release", name, "all-450") == (4, "MILESTONE_NOT_REACHED")
    assert "women" in staff.prints("outcome", "mix", name)
    staff.prints("outcome", "repay", name)
    staff.prints("outcome", "reject", name)
    staff.prints("outcome", "repay", name)
    assert "500000.00 EUR" in staff.prints("outcome", "approve", name)
    assert staff.gets("outcome", "show", name)["state"] == "STATE_REPAYMENT_APPROVED"
    assert fund in staff.prints("outcome", "show", name)
    (waiting,) = staff.gets("payout", "payables", "--payee", fund)
    assert (waiting["subject"], waiting["state"]) == (f"{name}/investors/1", "STATE_WAITING")
    first, second = staff.gets("outcome", "repayment", name)["investors"]
    assert (first["outstanding"], second["outstanding"]["units"]) == (waiting["amount"], "0")
    assert "bank has yet to confirm" in staff.prints("outcome", "repayment", name)
    assert staff.gets("outcome", "repayment", name)["placed"] == 1
    assert staff.fails("outcome", "show", name, "--as", "observer:Eva") == (5, "NOT_FOUND")


def test_a_promise_to_hire_to_its_last_payment(staff: Person) -> None:
    name = staff.gets("obligation", "create", "organisations/acme", str(READY / "portuguese-upskill.json"))[
        "name"
    ]
    (trainee,) = staff.gets("obligation", "enrol", name, "6000.00", "learners/somebody")
    assert "approved" in staff.prints("obligation", "approve", name, trainee["name"])
    hired = ("obligation", "hired", name, "2026-06-30", "contracts/1", trainee["name"])
    assert "reported" in staff.prints(*hired)
    assert "refuted" in staff.prints("obligation", "verify", name, trainee["name"], "--refute")
    assert "3600.00 EUR" in staff.prints("obligation", "assess", name)
    assert staff.fails("obligation", "paid", name, "3600.01") == (4, "AMOUNT_TOO_HIGH")
    staff.prints("obligation", "paid", name, "600.00")
    assert "3000.00 EUR" in staff.prints("obligation", "write-off", name, "insolvent")
    assert staff.fails("obligation", "approve-write-off", name, "--as", "finance:maker") == (
        4,
        "SAME_PERSON",
    )
    assert "written off" in staff.prints("obligation", "approve-write-off", name)
    assert staff.prints("obligation", "show", name, "--as", "employer", "--org", "organisations/acme")
    assert staff.gets("obligation", "list", "--employer", "organisations/acme")[0]["name"] == name
    assert staff.gets("obligation", "trainees", name)[0]["hiring"] == "HIRING_REFUTED"


def test_a_target_and_its_review(staff: Person) -> None:
    days = ("2026-01-01", "2027-12-31")
    name = staff.gets("target", "set", "Points", "service-points", "0", "10", *days)["name"]
    assert "service points" in staff.prints("target", "report", name)
    assert staff.gets("target", "review", name, "--value", "20")["formerValue"] == "10"
    assert staff.gets("target", "reviews", name)[0]["value"] == "20"
    assert name in [target["name"] for target in staff.gets("target", "list", "--limit", "500")]
    wrong = ("target", "set", "Points", "service-points", "5", "5", *days)
    assert staff.fails(*wrong) == (4, "INVALID_ARGUMENT")
