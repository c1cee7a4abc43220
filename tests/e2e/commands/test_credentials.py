"""Wallet, awarding bodies and attestations on the command line, on a real stack."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest

from services.cli.demo.portfolio_rows.p16_partner_certificates import certificate
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>'
ACHIEVEMENT = ("--id", "https://quay.example/welding", "--title", "Welding", "--description", "Welds plates")


def test_a_certificate_is_brought_trusted_baked_and_removed(
    learner: Person, employer: Person, stack: Stack, tmp_path: Path
) -> None:
    did, content = certificate()
    file, picture, baked = (tmp_path / name for name in ("a.json", "a.svg", "baked.svg"))
    file.write_bytes(content)
    picture.write_text(SVG)
    made = learner.gets("credential", "import", str(file))
    assert learner.fails("credential", "import", str(picture)) == (4, "CREDENTIAL_UNREADABLE")
    assert "issuer unknown" in learner.prints("credential", "show", made["name"])
    manager = Person(stack, "--as", f"catalogue_manager:{secrets.token_hex(4)}")
    trusted = manager.gets("award", "trust", did, "--called", "Partner")["name"]
    assert trusted in employer.prints("award", "trusted", "--limit", "500")
    checked = learner.gets("credential", "check", made["name"])
    assert checked["verdict"]["state"] == "STATE_VALID"
    (claim,) = learner.gets("credential", "claim-skills", made["name"])
    assert (claim["source"], claim["basis"]) == ("SKILL_SOURCE_CREDENTIAL", made["name"])
    learner.prints("credential", "download", made["name"], "--out", str(file))
    assert file.read_bytes() == content
    learner.prints("credential", "bake", made["name"], str(picture), "--out", str(baked))
    assert employer.gets("credential", "verify", str(baked))["verdict"]["state"] == "STATE_VALID"
    assert [each["name"] for each in learner.gets("credential", "list")] == [made["name"]]
    assert manager.prints("award", "distrust", trusted) == f"{trusted} is gone\n"
    assert learner.prints("credential", "delete", made["name"]) == f"{made['name']} is gone\n"


def test_a_school_issues_and_takes_back(
    learner: Person, employer: Person, stack: Stack, tmp_path: Path
) -> None:
    organisation = f"organisations/quay-{secrets.token_hex(4)}"
    manager = Person(stack, "--as", f"catalogue_manager:{secrets.token_hex(4)}")
    body = manager.gets("award", "body", organisation, "--called", "Quay School")["name"]
    staff = Person(stack, "--as", f"provider:{secrets.token_hex(4)}", "--org", organisation)
    holder = learner.gets("holder", "show")["name"]
    issued = staff.gets("award", "issue", body, holder, *ACHIEVEMENT, "--criteria", "Ten plates")
    file = tmp_path / "a.jwt"
    learner.prints("credential", "download", issued["credential"], "--jwt", "--out", str(file))
    checked = employer.gets("credential", "verify", str(file))
    assert (checked["verdict"]["state"], checked["subjectId"]) == ("STATE_VALID", "")
    assert checked["statement"] in employer.prints("credential", "verify", str(file))
    learner.prints("credential", "download", issued["credential"], "--out", str(file))
    (revocation, *_) = json.loads(file.read_text())["credentialStatus"]
    _, _, status_list = revocation["statusListCredential"].partition("/v1/")
    signed = json.loads(employer.prints("award", "status-list", status_list))
    assert (signed["issuer"], bool(signed["proof"])) == (staff.gets("award", "show-body", body)["did"], True)
    assert json.loads(employer.prints("award", "did", body))["id"] == signed["issuer"]
    keys = staff.gets("award", "rotate-key", body)["keys"]
    assert len(keys) == 2
    assert keys[0]["verificationMethod"] in employer.prints("award", "show-body", body)
    assert "Quay School" in employer.prints("award", "bodies", "--limit", "500")
    staff.prints("award", "suspend", issued["name"])
    assert re.search(r"^valid +no$", employer.prints("award", "page", issued["name"]), re.MULTILINE)
    staff.prints("award", "reinstate", issued["name"])
    assert "active" in staff.prints("award", "show", issued["name"])
    staff.prints("award", "revoke", issued["name"])
    assert "revoked" in staff.prints("award", "list", body)
    assert "revoked" in employer.prints("credential", "verify", str(file))


def test_an_employer_attests(learner: Person, employer: Person, tmp_path: Path) -> None:
    claim = learner.gets("skill", "create", "http://data.europa.eu/esco/skill/forklift")["name"]
    asked = learner.gets("attestation", "ask", claim, "--label", "the dock")
    assert "Noor Verbeke" in employer.prints("attestation", "open", asked["link"])
    out = tmp_path / "endorsement.json"
    said = ("--attester", "Tom Maes", "--employer", "Scheldt Logistics", "--level", "advanced")
    employer.prints("attestation", "give", asked["link"], *said, "--out", str(out))
    assert employer.gets("credential", "verify", str(out))["verdict"]["state"] == "STATE_VALID"
    assert employer.fails("attestation", "give", asked["link"], *said) == (4, "SHARE_LINK_ENDED")
    peer = learner.gets("attestation", "ask", claim, "--peer")["link"]
    assert "peer" in employer.prints("attestation", "open", peer)
    word = ("--attester", "Lies Wouters", "--level", "independent")
    employer.prints("attestation", "give", peer, *word)
    assert {"SKILL_SOURCE_PEER", "SKILL_SOURCE_EMPLOYER"} <= {
        each["source"] for each in learner.gets("skill", "list")
    }
    second = learner.gets("attestation", "ask", claim)["attestationRequest"]["name"]
    assert "withdrawn" in learner.prints("attestation", "withdraw", second)
    assert "the dock" in learner.prints("attestation", "list")
