"""Nouns of those who look after partners on the command line, on a real stack."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from services.cli.demo.papers import logo
from tests.support.stacks import Stack
from tests.support.terminal import Person
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(400)]


@pytest.mark.parametrize(
    "command",
    [
        ("agreement", "list"),
        ("partner", "list", "--state", "open"),
        ("api", "grant", "list"),
        ("complaint", "courses", "--state", "open"),
    ],
)
def test_every_list_is_a_table_for_people_and_a_list_for_programs(
    employer: Person, command: tuple[str, ...]
) -> None:
    assert employer.prints(*command)
    assert isinstance(employer.gets(*command), list)


def test_organisations_in_a_tree_with_a_logo(stack: Stack, tmp_path: Path) -> None:
    staff, tag = Person(stack), secrets.token_hex(4)
    head = staff.gets("organisation", "create", "Head", "--id", f"head-{tag}", "--sector", "public")["name"]
    north = staff.gets("organisation", "create", "North", "--branch-of", head, "--role", "provider")["name"]
    assert [each["name"] for each in staff.gets("organisation", "list", "--branch-of", head)] == [north]
    assert staff.fails("organisation", "move", head, north)[1] == "ORGANISATION_LOOP"
    assert not staff.gets("organisation", "move", north).get("parent")
    staff.prints("organisation", "site", north, "Dock 3", "--town", "Antwerpen", "--region", "BE211")
    assert "Dock 3" in staff.prints("organisation", "show", north)
    site = staff.gets("organisation", "show", north)["sites"][0]["name"]
    staff.prints("organisation", "remove-site", site)
    assert "Dock 3" not in staff.prints("organisation", "show", north)
    assert "Dock 3" in staff.prints("organisation", "show", north, "--removed")
    staff.prints("organisation", "restore-site", site)
    source = staff.gets("organisation", "source", north, "csv")["name"]
    staff.prints("feed", "close", source, "--yes")
    assert staff.gets("feed", "reopen", source, "mistake")["reopenReason"] == "mistake"
    eventually(lambda: staff.run("organisation", "close", north, "--yes").returncode == 0)  # its source opens
    assert "mistake" in staff.prints("organisation", "reopen", north, "mistake")
    assert staff.gets("organisation", "usage", head, "--from", "2026-01-01") == []
    assert staff.gets("search", "nothing like it", "--kind", "workshop", "--sector", "third", "--online")
    picture = tmp_path / "our.png"
    picture.write_bytes(logo(b"\1\2\3"))
    staff.prints("organisation", "brand", head, "--logo", str(picture), "--narrative", "en=We train.")
    shown = staff.prints("organisation", "show", head)
    assert "We train." in shown
    assert f"{head}/logos/" in shown
    fetched = tmp_path / "fetched.png"
    assert f"{fetched}: {picture.stat().st_size} bytes" in staff.prints(
        "organisation", "logo", head, "--out", str(fetched)
    )
    assert fetched.read_bytes() == picture.read_bytes()
    none = staff.run("organisation", "logo", north, "--out", str(tmp_path / "none.png"))
    assert (none.returncode, "has no logo" in none.stderr) == (5, True)


def test_an_accreditation_is_granted_and_reviewed(stack: Stack) -> None:
    staff = Person(stack)
    name = staff.gets("organisation", "create", "Harbour", "--id", f"harbour-{secrets.token_hex(4)}")["name"]
    accredit = ("organisation", "accredit", name, "2099-12-31", "--criterion")
    assert staff.fails(*accredit, "4.2=59/60")[1] == "ACCREDITATION_CRITERIA_NOT_MET"
    assert staff.run(*accredit, "4.2").returncode == 2
    held = staff.gets(*accredit, "4.2=70/60", "--review-by", "2098-12-31")
    assert (held["score"], held["reviewDate"]["year"]) == (70, 2098)
    assert staff.gets("organisation", "review", held["name"], "--criterion", "4.2=90/60")["score"] == 90
    staff.prints("organisation", "withdraw", held["name"], "audit 7")
    assert not staff.gets("organisation", "show", name)["organisation"]["accredited"]
    changed = staff.gets("organisation", "change", name, "--sector", "third", "--legal-id", "kbo=0123")
    assert (changed["sector"], changed["legalIds"]) == ("SECTOR_THIRD", {"kbo": "0123"})


def test_from_sign_up_to_a_reviewed_agreement_that_shares_data(stack: Stack) -> None:
    staff, tag = Person(stack), secrets.token_hex(4)
    applicant = ("--as", f"provider:{tag}")
    wish = staff.gets("partner", "apply", "Quayside", "third", "kbo", "0123456789", *applicant)["name"]
    assert staff.fails("partner", "apply", "Quayside", "third", "kbo", "1", *applicant)[1] == (
        "PARTNER_APPLICATION_OPEN"
    )
    partner = staff.gets("partner", "admit", wish, "--id", f"quayside-{tag}")["organisation"]
    assert partner in staff.prints("partner", "show", wish)
    office = staff.gets("organisation", "create", "Office", "--id", f"office-{tag}")["name"]
    staff.prints("contact", "set", office, "--email", "info@office.example", "--phone", "+32 3 555 01 00")
    draft = ("agreement", "draft", "Welding", office, partner)
    share = ("--share", f"{office}:placement:email")
    lacks = staff.gets(*draft, "--form", "legally-binding")["name"]
    assert staff.fails("agreement", "activate", lacks)[1] == "AGREEMENT_INCOMPLETE"
    filled = ("--standard", "ISO 29993", "--volume", "places=120", "--until", "2099-12-31")
    assert staff.gets("agreement", "change", lacks, *filled)["volumes"][0]["quantity"] == "120"
    staff.prints("agreement", "activate", lacks)
    handed = staff.gets("agreement", "change", lacks, "--owner", "catalogue_manager:new")
    assert staff.gets("agreement", "show", lacks)["owner"] == handed["owner"]
    staff.prints("agreement", "end", lacks)
    name = staff.gets(*draft, "--model", "agile", "--volume", "places=120", *share)["name"]
    year = ("2026-01-01", "2099-12-31")
    placed = staff.gets("agreement", "target", name, "Placed", "people", "0", "80", *year)["name"]
    staff.prints("agreement", "activate", name)
    own = ("--as", f"provider:{tag}", "--org", partner)
    read = staff.gets("contact", "show", office, "--for", "placement", *own)
    assert (read["email"], read.get("phone", "")) == ("info@office.example", "")
    staff.prints("agreement", "review", name, "--value", f"{placed}=40")
    assert staff.gets("agreement", "targets", name)[0]["progressBasisPoints"] == "5000"
    staff.prints("agreement", "tell", name, "4", "--comment", "Quick answers.", *own)
    staff.prints("agreement", "tell", name, "5", "--of", partner)
    assert len(staff.gets("agreement", "feedback", name)) == 2
    assert len(staff.gets("agreement", "reviews", name)) == 1
    assert "places" in staff.prints("agreement", "show", name)
    assert staff.gets("agreement", "end", name, "replaced")["state"] == "STATE_ENDED"


def test_an_application_is_refused(stack: Stack) -> None:
    staff = Person(stack)
    applicant = ("--as", f"provider:{secrets.token_hex(4)}")
    wish = staff.gets("partner", "apply", "Late", "private", "kbo", "1", *applicant)["name"]
    refused = staff.gets("partner", "refuse", wish, "no-need", "--note", "enough of these")
    assert refused["refusalReason"] == "PARTNER_REFUSAL_REASON_NO_NEED"
    assert "enough of these" in staff.prints("partner", "show", wish, *applicant)


def test_access_is_sold_keyed_and_counted(stack: Stack, tmp_path: Path) -> None:
    staff, tag = Person(stack), secrets.token_hex(4)
    partner = staff.gets("organisation", "create", "Yard", "--id", f"yard-{tag}", "--sector", "private")[
        "name"
    ]
    broker = staff.gets("organisation", "create", "Broker", "--id", f"broker-{tag}", "--sector", "third")[
        "name"
    ]
    rules = ("--rule", "refuse:third=Public and private only.", "--rule", "allow")
    product = staff.gets(
        "api", "product", "create", f"p-{tag}", "Products", "catalogue.v1.ApiProductService", *rules
    )
    name = product["name"]
    assert "Public and private only." in staff.prints("api", "product", "show", name)
    assert staff.run("api", "product", "eligibility", name, "--rule", "perhaps").returncode == 2
    plan = staff.gets("api", "plan", "create", name, "year", "A year", "6000", "year", "--day", "1")["name"]
    assert "6000.00 EUR" in staff.prints("api", "plan", "list", name)
    grant = staff.gets("api", "grant", "request", partner, plan)["name"]
    assert "Public and private only." in staff.prints("api", "grant", "request", broker, plan)
    assert len(staff.gets("api", "grant", "list", "--state", "refused", "--of", broker)) == 1
    own = ("--as", f"provider:{tag}", "--org", partner)
    first = staff.gets("api", "key", "create", grant, "--label", "site", *own)
    second = staff.gets("api", "key", "rotate", first["name"], "--hours", "1", *own)
    with httpx.Client(base_url=stack.state.edge, trust_env=False, verify=False) as client:
        said = [
            client.get("/v1/apiProducts", headers={"x-api-key": each["secret"]}).status_code
            for each in (first, second)
        ]
    assert said == [200, 429]
    assert staff.gets("api", "key", "revoke", first["name"])["revokeTime"]
    assert first["secret"] not in staff.prints("api", "key", "list", grant)
    month = f"{datetime.now(UTC):%Y-%m}"
    assert "6000.00 EUR" in staff.prints("api", "usage", grant, month)
    staff.prints("api", "usage", grant, month, "--out", str(tmp_path / "calls.csv"))
    assert (tmp_path / "calls.csv").read_text().startswith("day,key,")
    assert staff.gets("api", "plan", "close", plan)["closed"]
    assert staff.gets("api", "product", "eligibility", name, "--rule", "allow")["eligibility"]
    assert staff.gets("api", "grant", "end", grant, "Over.")["state"] == "STATE_ENDED"
    assert "Over." in staff.prints("api", "grant", "show", grant)
    assert name in staff.prints("api", "product", "list")
