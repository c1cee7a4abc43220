"""Mentors, groups and pages on the command line, on a real stack."""

from __future__ import annotations

import secrets
from pathlib import Path

import httpx
import pytest

from tests.support.portfolio import PDF
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
SAMPLE = str(Path(__file__).resolve().parents[3] / "samples" / "groups" / "launch-pad.json")


def test_a_mentor_is_offered_found_asked_and_thanked(learner: Person, stack: Stack) -> None:
    organisation, who = f"organisations/{secrets.token_hex(4)}", f"provider:{secrets.token_hex(4)}"
    staff = Person(stack, "--as", "provider:Ward", "--org", organisation)
    bea = Person(stack, "--as", who, "--org", organisation)
    mentor = staff.gets("mentor", "offer", who, "--isco", "7212", "--language", "nl")["name"]
    assert staff.gets("mentor", "update", mentor, "--takes", "2")["capacity"] == 2
    assert mentor in staff.prints("mentor", "list")
    suggestions = learner.gets("mentoring", "suggest", "--isco", "7212", "--language", "nl")
    assert mentor in [each["mentor"] for each in suggestions]
    asked = learner.gets("mentoring", "ask", mentor, "--isco", "7212", "--show", "holder.given_name")["name"]
    assert asked in bea.prints("mentor", "requests", mentor)
    assert bea.fails("mentoring", "read", asked) == (4, "WRONG_STATE")
    assert "active" in bea.prints("mentoring", "agree", asked)
    shown = bea.prints("mentoring", "read", asked)
    assert "Noor" in shown
    assert "Verbeke" not in shown
    assert "7212" in learner.prints("mentoring", "show", asked)
    assert "ended" in learner.prints("mentoring", "end", asked)
    assert asked in learner.prints("mentoring", "list")
    assert "retired" in staff.prints("mentor", "retire", mentor)
    assert "7212" in staff.prints("mentor", "show", mentor)


def test_a_counsellor_proposes_a_mentor(learner: Person, stack: Stack) -> None:
    organisation, who = f"organisations/{secrets.token_hex(4)}", f"counsellor:{secrets.token_hex(4)}"
    staff = Person(stack, "--as", "provider:Ward", "--org", organisation)
    mentor = staff.gets("mentor", "offer", "provider:Bea", "--isco", "7212", "--language", "nl")["name"]
    learner.prints("mandate", "create", who, "organisations/office")
    counsellor = Person(stack, "--as", who, "--org", "organisations/office")
    holder = learner.gets("holder", "show")["name"]
    proposed = counsellor.gets("mentoring", "propose", holder, mentor, "--isco", "7212")["name"]
    agreed = learner.gets("mentoring", "agree", proposed, "--show", "entries")
    assert (agreed["state"], agreed["fields"]) == ("STATE_PROPOSED", ["entries"])


def test_a_group_works_by_a_plan(learner: Person, stack: Stack) -> None:
    organisation = f"organisations/{secrets.token_hex(4)}"
    leader = Person(stack, "--as", f"provider:{secrets.token_hex(4)}", "--org", organisation)
    days = ("2020-01-01", "2099-01-01")
    name = leader.gets("group", "create", SAMPLE, *days, "--size", "1")["name"]
    assert name in learner.prints("group", "list", "--of", organisation)
    assert "Practise an interview" in learner.prints("group", "show", name)
    joined = learner.gets("group", "join", name, "Noor")["name"]
    assert joined in learner.prints("group", "memberships")
    learner.prints("group", "task", joined, "cv", "done")
    assert "on the way" in learner.prints("group", "rate", joined, "network", "on-the-way")
    assert "cv" in learner.prints("group", "membership", joined)
    assert "cv done" in leader.prints("group", "progress", name)
    assert learner.fails("group", "join", name, "Noor") == (4, "GROUP_FULL")
    assert "left" in learner.prints("group", "leave", joined)
    assert "completed" in leader.prints("group", "complete", name)
    assert all(row["withheld"] for row in leader.gets("group", "map", name))


def test_a_page_is_made_shared_commented_and_handed_in(
    learner: Person, employer: Person, stack: Stack, tmp_path: Path
) -> None:
    about, out = tmp_path / "about.txt", tmp_path / "page.html"
    about.write_text("# About\nI weld.")
    entry = learner.gets("entry", "create", "work", "Shipyard hand")["name"]
    paper = tmp_path / "seam.pdf"
    paper.write_bytes(PDF)
    file = learner.gets("evidence", "upload", str(paper))["name"]
    page = learner.gets("page", "create", "My seams", f"@{about}", entry, file)["name"]
    assert "overview" in learner.prints("page", "update", page, "--template", "overview")
    assert "I weld." in learner.prints("page", "show", page)
    learner.prints("page", "render", page, "--out", str(out))
    assert b"Shipyard hand" in out.read_bytes()
    whole = learner.gets("page", "collect", "All", page)["name"]
    assert page in learner.prints("page", "arrange", whole, page, "--title", "Everything")
    assert "Everything" in learner.prints("page", "collection", whole)
    assert whole in learner.prints("page", "collections")
    link = learner.gets("share", "create", "pages", "--page", whole, "--no-pin")["link"]
    assert "Shipyard hand" in employer.prints("share", "open", link)
    employer.prints("share", "pages", link, "--out", str(out))
    assert b"Shipyard hand" in out.read_bytes()
    learner.prints("page", "render-collection", whole, "--format", "pdf", "--out", str(out))
    assert out.read_bytes().startswith(b"%PDF-")
    invited = learner.gets("comment", "invite", page, "--label", "the foreman")
    assert "I weld." in employer.prints("comment", "open", invited["link"])
    employer.prints("comment", "give", invited["link"], "Straight seams.", "--author", "Tom Maes")
    again = ("comment", "give", invited["link"], "More.", "--author", "Tom Maes")
    assert employer.fails(*again) == (4, "SHARE_LINK_ENDED")
    (said,) = learner.gets("comment", "list")
    assert "published" in learner.prints("comment", "publish", said["name"])
    assert "Straight seams." in employer.prints("share", "open", link)
    assert "hidden" in learner.prints("comment", "hide", said["name"])
    assert "the foreman" in learner.prints("comment", "invitations")
    assert "withdrawn" in learner.prints("comment", "withdraw", invited["pageInvitation"]["name"])
    hand_in(learner, stack, whole, page, file, out)
    assert page in learner.prints("page", "list")
    assert learner.prints("page", "delete-collection", whole) == f"{whole} is gone\n"
    assert learner.prints("page", "delete", page) == f"{page} is gone\n"


def hand_in(learner: Person, stack: Stack, source: str, page: str, file: str, out: Path) -> None:
    """A counsellor reads what was frozen, a file on it too, and answers."""
    who = f"counsellor:{secrets.token_hex(4)}"
    counsellor = Person(stack, "--as", who, "--org", "organisations/office")
    name = learner.gets("submission", "create", source, who, "organisations/office")["name"]
    learner.prints("page", "update", page, "--title", "Changed")
    assert name in counsellor.prints("submission", "received")
    assert "My seams" in counsellor.prints("submission", "read", name)
    counsellor.prints("submission", "render", name, "--format", "pdf", "--out", str(out))
    assert out.read_bytes().startswith(b"%PDF-")
    address = counsellor.gets("submission", "file", name, file)["url"]
    assert httpx.get(address, trust_env=False).content == PDF
    assert "Well done." in counsellor.prints("submission", "return", name, "Well done.")
    assert "Well done." in learner.prints("submission", "show", name)
    assert "withdrawn" in learner.prints("submission", "withdraw", name)
    for gone in (("read", name), ("file", name, file)):
        assert counsellor.fails("submission", *gone) == (5, "NOT_FOUND")
    assert name in learner.prints("submission", "list")
