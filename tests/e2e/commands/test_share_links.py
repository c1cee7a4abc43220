"""Links that show a portfolio to others on the command line, on a real stack."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.support.portfolio import PDF
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]


def test_a_link_and_its_pin_are_shown_once_and_open_what_they_list(learner: Person, employer: Person) -> None:
    learner.prints("entry", "create", "work", "Welder", "--organisation", "Scheldt Logistics")
    made = learner.gets("share", "create", "holder.given_name", "entries.title", "--label", "dock")
    link, pin = made["link"], made["pin"]
    listed = learner.prints("share", "list")
    assert "dock" in listed
    assert made["token"] not in listed
    assert pin not in listed
    assert employer.fails("share", "open", link) == (4, "SHARE_LINK_PIN_WRONG")
    opened = employer.prints("share", "open", link, "--pin", pin)
    assert re.search(r"^given name +Noor$", opened, re.MULTILINE)
    assert "Welder" in opened
    assert "Verbeke" not in opened
    assert "Scheldt" not in opened
    by_token = employer.gets("share", "open", made["token"], "--pin", pin)
    assert by_token["remainingUses"] == 1
    assert [each["action"] for each in learner.gets("access-log")] == ["OpenShareLink"] * 2
    learner.prints("share", "revoke", made["shareLink"]["name"])
    assert employer.fails("share", "open", link, "--pin", pin) == (4, "SHARE_LINK_ENDED")


def test_a_link_shows_no_name_or_gives_the_files(learner: Person, employer: Person, tmp_path: Path) -> None:
    learner.prints("entry", "create", "work", "Welder", "--text", "Noor welds")
    link = learner.gets("share", "create", "entries", "--anonymous", "--no-pin")["link"]
    seen = employer.gets("share", "open", link)["portfolio"]["entries"][0]
    assert (seen["title"], seen["description"]) == ("Welder", {"en": "… welds"})
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(PDF)
    stored = learner.gets("evidence", "upload", str(paper))["name"]
    link = learner.gets("share", "create", "evidence", "--files", "--no-pin")["link"]
    address = employer.gets("share", "file", link, stored)["url"]
    assert httpx.get(address, trust_env=False).content == PDF
    assert "GetSharedFile" in learner.prints("access-log")


def test_people_read_link_and_pin_and_may_choose_or_leave_out_the_pin(
    learner: Person, employer: Person
) -> None:
    shown = learner.prints("share", "create", "holder", "--pin", "2468")
    assert re.search(r"^PIN +2468$", shown, re.MULTILINE)
    link = re.search(r"^link +(\S+)$", shown, re.MULTILINE)
    assert link is not None
    assert "Verbeke" in employer.prints("share", "open", link[1], "--pin", "2468")
    shown = learner.prints("share", "create", "pathways", "--no-pin")
    assert not re.search(r"^PIN", shown, re.MULTILINE)
    link = re.search(r"^link +(\S+)$", shown, re.MULTILINE)
    assert link is not None
    employer.prints("share", "open", link[1])
    assert learner.fails("share", "create", "shoe_size") == (4, "SHARE_FIELD_UNKNOWN")
