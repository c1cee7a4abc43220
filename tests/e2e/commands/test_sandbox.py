"""A provider tries its integration on the command line and over REST, alone, on a real stack."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.cli.client import Client, sha256
from services.cli.demo.papers import certificate
from tests.support.stacks import Stack
from tests.support.terminal import Person
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(400)]
SAMPLES = Path(__file__).resolve().parents[3] / "samples"


def opened(staff: Person) -> str:
    """Opens the sandbox, once by staff for all providers; returns its programme."""
    rules = str(SAMPLES / "programmes" / "sandbox.json")
    version = staff.gets("programme", "create", rules)["version"]["name"]
    staff.prints("programme", "activate", version)
    programme = version.partition("/versions/")[0]
    assert "1000000.00 XTS" in staff.prints("sandbox", "fund", programme, "1000000")
    assert programme in [each["name"] for each in staff.gets("sandbox", "programmes")]
    assert programme not in [each["name"] for each in staff.gets("programme", "list", "--limit", "500")]
    return programme


def school(staff: Person) -> tuple[str, str]:
    """Brings a provider on board that is not accredited yet; returns its name and one of its sessions."""
    partner = f"school-{secrets.token_hex(4)}"
    name = staff.gets("organisation", "create", "School", "--id", partner)["name"]
    source = staff.gets("organisation", "source", name, "csv")["name"]
    staff.prints("feed", "import", source, str(SAMPLES / "feeds" / "harbour-crafts.csv"))
    client = Client(staff.stack.home)
    (course, *_) = client.anonymous().rest("GET", "/v1/courses", organisation=name)["courses"]
    session = client.anonymous().rest("GET", f"/v1/{course['name']}/sessions")["sessions"][0]["name"]
    client.close()
    return name, session


def test_a_provider_goes_its_whole_path_alone(stack: Stack) -> None:
    staff = Person(stack)
    programme, (name, session) = opened(staff), school(staff)
    own = Person(stack, "--as", "provider:Sanne", "--org", name)
    ask = ("sandbox", "voucher", name, programme, session)
    eventually(lambda: own.run(*ask).returncode == 0)  # until the catalogue's events are there
    code = own.gets(*ask)["code"]
    client = Client(stack.home)
    caller = client.acting_as("provider", "provider:Sanne", name)

    def post(path: str, body: dict[str, Any]) -> Any:
        return caller.rest("POST", f"/v1/{path}", body)

    redemption = post("redemptions:reserve", {"code": code, "session": session})["name"]
    assert "authorised" in own.prints("sandbox", "authorise", redemption)
    post(f"{redemption}:start", {})
    paper = certificate("sandbox")
    about = {
        "sizeBytes": len(paper),
        "contentType": "application/pdf",
        "sha256": sha256(paper),
        "kind": "KIND_ATTENDANCE",
    }
    piece = post(f"{redemption}/evidence", about)
    caller.upload(piece["uploadUri"], piece["uploadHeaders"], paper)
    post(f"{redemption}:deliver", {"evidence": [piece["name"]]})
    client.close()
    accepted = own.gets("sandbox", "accept", redemption)["acceptedAmount"]["units"]
    assert staff.fails("redemption", "accept", redemption) == (4, "SANDBOX_APART")
    assert own.gets("sandbox", "pay", redemption, "--returned", "AC04")["state"] == "STATE_ACCEPTED"
    assert own.gets("sandbox", "pay", redemption)["state"] == "STATE_PAID"
    today = datetime.now(UTC).date().isoformat()
    statement = ("statement", "show", name, today, today, "--currency", "XTS")
    shown = own.gets(*statement)
    assert (shown["paid"]["units"], shown["returned"]["units"]) == (str(2 * int(accepted)), accepted)
    assert own.gets("statement", "show", name, today, today)["paid"]["units"] == "0"
    assert [each["name"] for each in own.gets("sandbox", "list", name)] == [redemption]
    assert own.fails("sandbox", "reject", redemption, "other") == (4, "WRONG_STATE")
    assert staff.gets("ledger", "verify")["intact"]
    assert "clawed back" in own.prints("sandbox", "claw-back", redemption, "not_attended", "--amount", "1.00")
    (owing,) = own.gets("sandbox", "receivables", name)
    assert (owing["redemption"], owing["outstanding"]["units"]) == (redemption, "1")
    assert own.gets(*statement)["clawedBack"]["units"] == "1"
    assert owing["name"] not in [each["name"] for each in staff.gets("receivable", "list", "--limit", "500")]
