"""Feeds on the command line: fetched from a server, pushed from a file, reported on."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

from services.cli.demo.data import SAMPLES
from tests.support.origins import Reply, origin
from tests.support.stacks import Stack
from tests.support.terminal import Person
from tests.support.waiting import eventually

SESSION = {"start_date": {"year": 2099, "month": 3, "day": 1}}
PAGE = SAMPLES.parent / "docs" / "first-feed.md"
COURSE = {"external_id": "B1", "titles": {"en": "Sourdough"}, "sessions": [SESSION]}


def test_feeds_are_fetched_pushed_and_reported_on(stack: Stack, tmp_path: Path) -> None:
    staff = Person(stack)
    bakery = f"bakery-{secrets.token_hex(4)}"
    name = staff.gets("organisation", "create", "Bakery School", "--id", bakery)["name"]
    source = staff.gets("organisation", "source", name, "csv")["name"]
    courses = (SAMPLES / "feeds" / "harbour-crafts.csv").read_bytes()
    with origin(lambda _: Reply(body=courses)) as partner:
        key = tmp_path / "key.json"
        key.write_text(json.dumps({"bearerToken": "hush"}))
        often = ("--every", "3600", "--credentials", str(key))
        fetched = staff.gets("feed", "fetch", source, partner.url, *often)
        assert fetched["pull"]["credentialsKept"]
        assert "hush" not in json.dumps(fetched)

        def runs() -> list[dict[str, str]]:
            found = staff.gets("feed", "runs", "--source", source)
            return [each for each in found if each["state"] == "STATE_SUCCEEDED"]

        eventually(runs)
        (found,) = runs()
        assert partner.asked[0].headers["authorization"] == "Bearer hush"
    assert found["way"] == "WAY_PULL"
    page = tmp_path / "run.html"
    assert "bytes" in staff.prints("feed", "page", found["name"], "--out", str(page))
    assert "</html>" in page.read_text()
    assert "06:00" in staff.prints("feed", "fetch", source, "https://feeds.example.org/x", "--at", "06:00")
    assert staff.fails("feed", "fetch", source, "http://169.254.169.254/")[1] == "FEED_URL_REFUSED"
    staff.prints("feed", "fetch-no-more", source)
    assert staff.fails("feed", "pull", source)[1] == "FEED_NOT_PULLED"
    staff.prints("feed", "report-to", source, "https://feeds.example.org/runs")
    assert staff.gets("feed", "report-secret", source)["secret"].startswith("whsec_")

    pushed = staff.gets("organisation", "source", name, "push")["name"]
    file = tmp_path / "courses.ndjson"
    file.write_text(json.dumps(COURSE) + "\n")
    assert staff.gets("feed", "push", pushed, str(file), "--dry-run")["run"]["coursesCreated"] == "1"
    assert staff.gets("feed", "push", pushed, str(file))["run"]["way"] == "WAY_PUSH"
    file.write_text("no course\n")
    assert staff.fails("feed", "push", pushed, str(file))[0] == 2


def test_a_new_partner_comes_from_an_empty_file_to_a_clean_dry_run(stack: Stack, tmp_path: Path) -> None:
    """Every command of the page, in its order, as the partner."""
    page = PAGE.read_text()
    staff, harbour = Person(stack), f"harbour-{secrets.token_hex(4)}"
    own = staff.gets("organisation", "create", "Harbour", "--id", harbour)["name"]
    partner = Person(stack, "--as", "provider:me", "--org", own)
    file = tmp_path / "courses.csv"
    clean, wrong = re.findall(r"^```csv\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    file.write_text(clean)
    known = {"organisations/harbour": own, "courses.csv": str(file)}
    answers = []
    for line in re.findall(r"^    waymark (.*)$", page, re.MULTILINE):
        answers.append(partner.gets(*(known.get(word, word) for word in line.split())))
        known.setdefault("sources/0198…", answers[0]["name"])
    _, dry, imported, lacking = answers
    for run in (dry, imported):
        assert (run["run"]["recordsIn"], run["run"]["recordsAccepted"], run["findings"]) == ("2", "2", [])
    assert isinstance(lacking, list)
    file.write_text(wrong)
    assert "DATES_REVERSED" in partner.prints("feed", "dry-run", known["sources/0198…"], str(file))
