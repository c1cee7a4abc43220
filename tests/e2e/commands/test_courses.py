"""Nouns of those who look after feeds and courses, and of who keeps a copy, on a real stack."""

from __future__ import annotations

import gzip
import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.client import Client
from services.cli.demo import catalogue
from services.cli.demo.data import SAMPLES
from tests.support.stacks import WAYMARK, Stack, bare_environment
from tests.support.terminal import Person
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(400)]
VERSION = ("--version", "commands-1")
GUIDANCE, DEGREE = (str(SAMPLES / "feeds" / f"harbour-{name}.csv") for name in ("guidance", "degree"))


@pytest.fixture
def staff(stack: Stack) -> Person:
    return Person(stack)


@pytest.fixture
def sources(stack: Stack, staff: Person) -> Iterator[list[str]]:
    """Two partners' sources, from the first of which everything may vanish at once."""
    client, tag = Client(stack.home), secrets.token_hex(4)
    manager = client.acting_as("catalogue_manager")
    made = []
    for name, limit in (("harbour", 100), ("market", 20)):
        owner = staff.gets("organisation", "create", name.title(), "--id", f"{name}-{tag}")["name"]
        form = "FEED_FORMAT_CSV_TEMPLATE"
        made.append(catalogue.new_source(manager, owner, form, removalLimitPercent=limit))
    yield made
    client.close()


def test_a_feed_is_followed_and_rolled_back(
    staff: Person, sources: list[str], stack: Stack, tmp_path: Path
) -> None:
    source, out = sources[0], tmp_path / "courses.ndjson.gz"
    good = staff.gets("feed", "import", source, GUIDANCE)["run"]["name"]
    made = staff.gets("course", "snapshot", "--out", str(out), "--anew")
    whole = gzip.decompress(out.read_bytes()).splitlines()
    assert len(whole) == int(made["courseCount"]) >= 2
    half = out.with_name(f".{out.name}.{made['name'].rpartition('/')[2]}.part")  # as a break leaves it
    half.write_bytes(out.read_bytes()[:100])
    staff.prints("course", "snapshot", "--out", str(out))
    assert gzip.decompress(out.read_bytes()).splitlines() == whole
    half.write_bytes(b"x" * 100)
    assert staff.run("course", "snapshot", "--out", str(out)).returncode == 1  # not the bytes stored
    staff.prints("course", "snapshot", "--out", str(out))

    with following(stack, made["changeToken"]) as followed:
        staff.prints("feed", "import", source, DEGREE)
        changes = staff.gets("course", "changes", "--since", made["changeToken"])["courseChanges"]
        assert [change["removed"] for change in changes].count(True) == 3
        lines = [followed.stdout.readline() for _ in changes]  # type: ignore[union-attr]
        followed.kill()
    assert {json.loads(line)["name"] for line in lines} == {change["name"] for change in changes}

    told = staff.prints("feed", "roll-back", source, "--dry-run")
    assert "removed" in told
    assert "A plan for the second half of my career" in told
    done = staff.gets("feed", "roll-back", source, "--to", good, "--yes")["run"]
    assert (done["rollsBackTo"], done["coursesRemoved"]) == (good, "1")
    kinds = [change["kind"] for change in staff.gets("feed", "changes", done["name"])]
    assert kinds == ["KIND_REMOVED", *["KIND_CREATED"] * 3]


def following(stack: Stack, token: str) -> subprocess.Popen[str]:
    command = [*WAYMARK, *f"course changes --since {token} --follow --json --home {stack.home}".split()]
    environment = {**bare_environment(), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def brought(staff: Person, source: str) -> list[dict[str, Any]]:
    (run,) = staff.gets("feed", "runs", "--source", source)
    found: list[dict[str, Any]] = staff.gets("feed", "changes", run["name"])
    return found


def test_skills_of_courses_are_looked_over(staff: Person, sources: list[str]) -> None:
    skills = str(SAMPLES / "taxonomy" / "skills_en.csv")
    staff.run("taxonomy", "import", skills, "--scheme", "esco-skills", "--columns", "esco-skills", *VERSION)
    staff.prints("feed", "import", sources[0], str(SAMPLES / "feeds" / "harbour-crafts.csv"))
    course = next(each["course"] for each in brought(staff, sources[0]) if each["externalId"] == "HC-101")
    eventually(lambda: staff.gets("tag", "reviews", "--course", course))
    named = {each["label"]: each["name"] for each in staff.gets("tag", "reviews", "--course", course)}
    review = named["read welding drawings"]
    assert review in {each["name"] for each in staff.gets("tag", "reviews", "--limit", "500")}
    staff.prints("tag", "decide", review, "rejected", "--course", course)
    assert "read welding drawings" not in staff.prints("course", "show", course)
    staff.prints("tag", "decide", review, "waiting", "--course", course)
    assert "read welding drawings" in staff.prints("course", "show", course)
    assert staff.fails("tag", "decide", review, "replaced")[1] == "INVALID_ARGUMENT"


def test_a_correction_stands_beside_what_the_feed_says(staff: Person, sources: list[str]) -> None:
    crafts = str(SAMPLES / "feeds" / "harbour-crafts.csv")
    staff.prints("feed", "import", sources[0], crafts)
    listed = staff.gets("course", "list", "--source", sources[0])
    course = next(each for each in listed if each["externalId"] == "HC-101")
    name, (before,) = course["name"], course["titles"].values()
    changed = staff.gets("course", "correct", name, "--title", "en=Welding for all", "--eqf-level", "5")
    assert (changed["titles"], changed["eqfLevel"]) == ({"en": "Welding for all"}, 5)
    staff.prints("feed", "import", sources[0], crafts)  # and it outlives the next feed
    told = staff.prints("course", "show", name)
    assert "Welding for all" in told
    assert before in told
    (about,) = course["descriptions"].values()
    labels = [each["label"] for each in course["occupations"]]
    assert [
        words for words in (about[:40], course["url"], course["kind"], *labels) if words not in told
    ] == []
    assert [words for words in ("on hold", "removed") if words in told] == []
    stale = staff.fails("course", "correct", name, "--kind", "exam", "--etag", course["etag"])
    assert stale[1] == "ETAG_STALE"
    for wrong in ((), ("--title", "Welding"), ("--kind", "exam", "--take-back", "kind")):
        assert staff.run("course", "correct", name, *wrong).returncode == 2
    back = staff.gets("course", "correct", name, "--take-back", "titles", "--take-back", "eqfLevel")
    assert (back["titles"], back["correctedFields"]) == (course["titles"], [])
    (session,) = staff.gets("course", "sessions", name)
    cancelled = staff.gets("course", "correct", name, "--cancel", session["name"])
    assert cancelled["cancelledSessions"] == [session["name"]]
    assert "cancelled" in staff.prints("course", "sessions", name)
    staff.gets("course", "correct", name, "--take-back", "cancelledSessions")
    assert "scheduled" in staff.prints("course", "sessions", name)
    assert staff.gets("course", "sessions", name)[0]["name"].startswith(f"{name}/sessions/")
    assert staff.gets("feed", "guard", sources[0], "--grace", "2")["removalGraceFeeds"] == 2
    assert "100" in staff.prints("feed", "guard", sources[0])


def test_what_two_sources_have_in_common_and_what_courses_lack(staff: Person, sources: list[str]) -> None:
    for source in sources:
        staff.prints("feed", "import", source, GUIDANCE)
    mine = {change["course"] for source in sources for change in brought(staff, source)}

    def linked() -> dict[str, Any] | None:
        links = staff.gets("course", "duplicates", "--limit", "500")
        return next((each for each in links if set(each["courses"]) <= mine), None)

    link = eventually(linked)
    assert staff.gets("course", "decide", link["name"], "same")["verdict"] == "VERDICT_SAME"
    first, second = sorted(link["courses"], key=lambda name: staff.gets("course", "show", name)["sameAs"])
    assert staff.gets("course", "show", second)["sameAs"] == first
    assert "feed" in staff.prints("course", "show", first, "--composed")
    assert link["name"] in staff.prints("course", "duplicates", "--said", "same", "--limit", "500")
    assert staff.gets("feed", "precedence", sources[1], "10", "--field", "url=-1")["precedence"] == 10
    found = staff.prints("search", "career", "--collapse-same", "--all")
    assert "in all" in found
    counted = (
        "--count",
        "month",
        "--count",
        "provider",
        "--order",
        "start",
        "--from",
        "2026-01-01",
        "--max-price",
        "9",
    )
    assert {each["facet"] for each in staff.gets("search", "--all", *counted)["facets"]} == {
        "FACET_START_MONTH",
        "FACET_ORGANISATION",
    }
    owners = {staff.gets("course", "show", name)["organisation"] for name in link["courses"]}
    lacking = [staff.gets("course", "completeness", "--organisation", owner) for owner in owners]
    assert {each["course"] for found in lacking for each in found} == mine
    assert "+" in staff.prints("course", "completeness")
