"""Nouns on the command line: people of the portfolio, and those who run the rest, on a real stack."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bank import Status, pain002
from tests.support.portfolio import PDF
from tests.support.stacks import WAYMARK, Stack, free_base

# Two cores cannot start several stacks at once in time, so one worker does all of these.
pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(400)]
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
OFFICE = "organisations/office"
WELDER = "http://data.europa.eu/esco/isco/C7212"


class Person:
    """Somebody who uses the command line."""

    def __init__(self, stack: Stack, *who: str) -> None:
        self.stack = stack
        self.who = who

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command as this person."""
        return self.stack.call(*arguments, *self.who)

    def prints(self, *arguments: str) -> str:
        """What a command that succeeds prints for people."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def gets(self, *arguments: str) -> Any:
        """What a command that succeeds prints for programs."""
        return json.loads(self.prints(*arguments, "--json"))

    def fails(self, *arguments: str) -> tuple[int, str]:
        """Exit code and reason of a command that fails."""
        done = self.run(*arguments, "--json")
        assert not done.stdout
        return done.returncode, json.loads(done.stderr.splitlines()[-1])["error"]["reason"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up."""
    shared = Stack(tmp_path_factory.mktemp("commands"), free_base())
    shared.up()
    yield shared
    shared.call("down")
    shared.until_gone()


@pytest.fixture
def learner(stack: Stack) -> Person:
    """Somebody with a portfolio."""
    person = Person(stack, "--as", f"learner:{secrets.token_hex(4)}")
    person.prints("holder", "create", "--given", "Noor", "--family", "Verbeke", "--email", "noor@example.org")
    return person


@pytest.fixture
def employer(stack: Stack) -> Person:
    """Somebody without an account."""
    return Person(stack)


def counsellor_of(learner: Person, purpose: str = "guidance") -> tuple[Person, str]:
    """A counsellor with a mandate of the learner, and the name of the mandate."""
    name = f"counsellor:{secrets.token_hex(4)}"
    mandate = learner.gets("mandate", "create", name, OFFICE, "--purpose", purpose)["name"]
    return Person(learner.stack, "--as", name, "--org", OFFICE), mandate


def test_a_person_is_read_and_changed_field_by_field(learner: Person) -> None:
    etag = learner.gets("holder", "show")["etag"]
    learner.prints("holder", "update", "--phone", "+32 3 555 01 23", "--born", "1990-05-17", "--etag", etag)
    shown = learner.gets("holder", "show")
    assert (shown["contact"]["email"], shown["contact"]["phone"]) == ("noor@example.org", "+32 3 555 01 23")
    assert (shown["givenName"], shown["birthDate"]["year"]) == ("Noor", 1990)
    assert re.search(r"^born +1990-05-17$", learner.prints("holder", "show"), re.MULTILINE)
    assert learner.fails("holder", "update", "--given", "Eve", "--etag", etag) == (4, "ETAG_STALE")
    assert learner.fails("holder", "create") == (4, "ALREADY_EXISTS")


def test_entries_are_added_changed_and_removed(learner: Person) -> None:
    more = '{"work": {"weeklyHours": 38}}'
    made = learner.gets("entry", "create", "work", "Welder", "--from", "2019-09", "--more", more)
    name = made["name"]
    assert made["startDate"] == {"year": 2019, "month": 9, "day": 0}
    assert made["work"]["weeklyHours"] == 38
    learner.prints("entry", "update", name, "--to", "2024", "--place", "Ghent")
    changed = learner.gets("entry", "update", name, "--title", "Welder II", "--clear", "endDate")
    assert (changed["title"], changed["place"]) == ("Welder II", "Ghent")
    assert not changed.get("endDate")
    assert "from          2019-09\n" in learner.prints("entry", "show", name)
    learner.prints(
        "entry", "create", "driving-licence", "B", "--more", '{"drivingLicence": {"categories": ["B"]}}'
    )
    assert "driving licence" in learner.prints("entry", "list")
    assert [each["name"] for each in learner.gets("entry", "list", "--kind", "work")] == [name]
    assert learner.fails("entry", "delete", name, "--etag", made["etag"]) == (4, "ETAG_STALE")
    assert learner.prints("entry", "delete", name) == f"{name} is gone\n"
    assert learner.fails("entry", "show", name) == (5, "NOT_FOUND")


def test_what_an_entry_said_before_is_shown_and_restored(learner: Person) -> None:
    name = learner.gets("entry", "create", "work", "Welder", "--place", "Ghent")["name"]
    assert learner.prints("entry", "revisions", name) == "it was never changed\n"
    etag = learner.gets("entry", "update", name, "--title", "Baker")["etag"]
    assert "Welder" in learner.prints("entry", "revisions", name)
    (former,) = learner.gets("entry", "revisions", name)
    assert "place         Ghent\n" in learner.prints("entry", "revision", former["name"])
    assert learner.gets("entry", "rollback", name, "1", "--etag", etag)["title"] == "Welder"
    assert learner.fails("entry", "rollback", name, "1", "--etag", etag) == (4, "ETAG_STALE")
    assert learner.fails("entry", "rollback", name, "7") == (5, "NOT_FOUND")


def test_a_list_goes_over_pages_and_says_when_there_is_more(learner: Person) -> None:
    made = [learner.gets("entry", "create", "interest", f"interest {n}")["name"] for n in range(3)]
    listed = learner.run("entry", "list", "--limit", "2", "--json")
    assert [each["name"] for each in json.loads(listed.stdout)] == made[:0:-1]
    assert "--limit shows more" in listed.stderr
    whole = learner.run("entry", "list", "--limit", "3", "--json")
    assert len(json.loads(whole.stdout)) == 3
    assert whole.stderr == ""


def test_wrong_usage_names_what_to_write(learner: Person) -> None:
    assert learner.fails("entry", "create", "work", "Welder", "--from", "2019-13") == (2, "")
    assert learner.fails("entry", "create", "work", "Welder", "--more", "38 hours") == (2, "")
    assert learner.fails("holder", "show", "--token", "nonsense") == (2, "")
    assert learner.run("entry", "create", "hobby", "Welder").returncode == 2


def test_skills_are_claimed_and_withdrawn(learner: Person) -> None:
    concept = "http://data.europa.eu/esco/skill/welding"
    made = learner.gets("skill", "create", concept, "--label", "welding", "--level", "advanced")
    assert "welding" in learner.prints("skill", "list")
    assert learner.gets("skill", "show", made["name"])["level"] == "SKILL_LEVEL_ADVANCED"
    assert learner.fails("skill", "create", concept) == (4, "ALREADY_EXISTS")
    learner.prints("skill", "delete", made["name"])
    assert learner.prints("skill", "list") == "no skill yet\n"


def test_a_file_goes_in_and_comes_out_the_same(learner: Person, tmp_path: Path) -> None:
    paper, copy = tmp_path / "certificate.pdf", tmp_path / "copy.pdf"
    paper.write_bytes(PDF + b"%" * 3_000_000)
    stored = learner.gets("evidence", "upload", str(paper), "--title", "Welding certificate")
    assert stored["state"] == "STATE_STORED"
    assert "Welding certificate" in learner.prints("evidence", "list")
    learner.prints("evidence", "download", stored["name"], "--out", str(copy))
    assert copy.read_bytes() == paper.read_bytes()
    assert learner.gets("entry", "create", "certificate", "MIG", "--evidence", stored["name"])["evidence"]
    note = tmp_path / "note.txt"
    note.write_text("no type that evidence has")
    assert learner.fails("evidence", "upload", str(note)) == (4, "INVALID_ARGUMENT")


def test_a_counsellor_sees_under_a_mandate_and_is_seen(learner: Person) -> None:
    counsellor, mandate = counsellor_of(learner)
    holder = learner.gets("holder", "show")["name"]
    job = learner.gets("entry", "create", "work", "Welder")["name"]
    assert counsellor.gets("holder", "show", holder)["givenName"] == "Noor"
    assert "Welder" in counsellor.prints("entry", "list", holder)
    assert counsellor.fails("entry", "delete", job) == (4, "PERMISSION_DENIED")
    log = learner.gets("access-log")
    assert [each["action"] for each in log] == ["ListEntries", "GetHolder"]
    assert all(each["grant"] == mandate for each in log)
    assert "GetHolder" in learner.prints("access-log")
    assert "guidance" in learner.prints("mandate", "list")
    learner.prints("mandate", "revoke", mandate)
    assert counsellor.fails("holder", "show", holder) == (5, "NOT_FOUND")


def test_a_pathway_is_drawn_up_agreed_and_walked(learner: Person) -> None:
    counsellor, _ = counsellor_of(learner, "pathway")
    holder = learner.gets("holder", "show")["name"]
    name = counsellor.gets("pathway", "create", "To welding", holder, "--occupation", WELDER)["name"]
    first = counsellor.gets("pathway", "add-step", name, "document", "Residence permit")["steps"][0]["name"]
    due = ("--after", first, "--due", "2030-01-31")
    counsellor.prints("pathway", "add-step", name, "exam", "Entry test", *due)
    learner.prints("pathway", "agree", name)
    assert learner.fails("pathway", "start", name) == (4, "WRONG_STATE")
    counsellor.prints("pathway", "agree", name)
    learner.prints("pathway", "start", name)
    learner.prints("pathway", "move-step", first, "evidence-submitted")
    counsellor.prints("pathway", "move-step", first, "confirmed")
    spell = learner.gets("pathway", "add-spell", name, "employed", "2026-09-01")["spells"][0]["name"]
    learner.prints("pathway", "end-spell", spell, "2026-10-31")
    learner.prints("pathway", "pause", name)
    learner.prints("pathway", "resume", name)
    shown = learner.prints("pathway", "show", name)
    for text in ("active", "Residence permit", "confirmed", "2030-01-31", "employed", "2026-10-31"):
        assert text in shown
    assert counsellor.fails("pathway", "achieve", name) == (4, "PATHWAY_STEPS_OPEN")
    assert "To welding" in learner.prints("pathway", "list")
    learner.prints("pathway", "abandon", name, "another plan")
    assert learner.gets("pathway", "show", name)["state"] == "STATE_ABANDONED"


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


def test_a_portfolio_is_erased_after_a_word(learner: Person, employer: Person) -> None:
    learner.prints("entry", "create", "work", "Welder")
    link = learner.gets("share", "create", "holder", "--no-pin")["link"]
    employer.prints("share", "open", link)
    assert re.search(r"^entries +1$", learner.prints("holder", "erase", "--dry-run"), re.MULTILINE)
    refused = learner.run("holder", "erase")  # nobody there to say yes
    assert refused.returncode == 1
    assert "1 entries" in refused.stderr
    assert learner.gets("holder", "show")["givenName"] == "Noor"
    assert learner.gets("holder", "erase", "--yes")["entries"] == 1
    assert learner.fails("holder", "show") == (5, "NOT_FOUND")
    assert employer.fails("share", "open", link) == (5, "NOT_FOUND")
    assert [each["action"] for each in learner.gets("access-log")] == ["OpenShareLink"]


@pytest.mark.parametrize(
    "command",
    [
        ("application", "list", "--state", "submitted"),
        ("redemption", "list", "--state", "delivered"),
        ("feed", "runs"),
        ("feed", "sources"),
        ("hold", "list", "--ended"),
        ("payout", "list"),
        ("bank-report", "list"),
        ("receivable", "list", "--days", "90"),
        ("ledger", "entries"),
        ("ledger", "checkpoints"),
        ("organisation", "list"),
        ("shortage", "list"),
        ("taxonomy", "list"),
        ("programme", "list"),
    ],
)
def test_every_list_is_a_table_for_people_and_a_list_for_programs(
    employer: Person, command: tuple[str, ...]
) -> None:
    assert employer.prints(*command)
    assert isinstance(employer.gets(*command), list)


def test_a_bank_account_is_confirmed_changed_and_stopped(stack: Stack) -> None:
    staff, provider = Person(stack), f"organisations/partner-{secrets.token_hex(4)}"
    propose = ("bank-account", "propose", provider, "Harbour Academy")
    first = staff.gets(*propose, "BE68 5390 0754 7034")["name"]
    assert staff.fails("bank-account", "confirm", first, "--as", "finance:maker")[1] == "SAME_PERSON"
    used = staff.gets("bank-account", "confirm", first)
    assert used["effectiveTime"] == used["confirmTime"]
    change = staff.gets(*propose, "NL91ABNA0417164300")["name"]
    staff.prints("bank-account", "confirm", change)
    assert "withdrawn" in staff.prints("bank-account", "withdraw", change)
    assert [each["name"] for each in staff.gets("bank-account", "list", provider)] == [change, first]


def test_a_statement_is_shown_and_written(stack: Stack, tmp_path: Path) -> None:
    staff, provider = Person(stack), f"organisations/partner-{secrets.token_hex(4)}"
    november = (provider, "2026-11-01", "2026-11-30")
    shown = staff.prints("statement", "show", *november)
    assert re.search(r"^cleared after +0.00 EUR$", shown, re.MULTILINE)
    assert staff.prints("statement", "lines", *november) == "nothing moved\n"
    out = tmp_path / "november.csv"
    staff.prints("statement", "file", *november, "--out", str(out))
    assert out.read_bytes() == b"time,kind,amount,currency,redemption,payout_batch,receivable\r\n"
    assert staff.run("statement", "show", provider, "2026-11-31", "2026-11-30").returncode == 2
    assert staff.fails("statement", "show", provider, "2026-11-30", "2026-11-01") == (4, "INVALID_ARGUMENT")


def test_a_file_of_the_bank_is_taken_in(stack: Stack, tmp_path: Path) -> None:
    staff, file = Person(stack), tmp_path / "bank.xml"
    message = f"S-{secrets.token_hex(8)}"
    file.write_bytes(pain002(message, [Status("NOT-OURS")]))
    assert staff.gets("bank-report", "import", str(file), "--try")["openCount"] == 1
    report = staff.gets("bank-report", "import", str(file))
    assert (report["messageId"], report["format"]) == (message, "FORMAT_PAIN_002")
    assert "unmatched" in staff.prints("bank-report", "entries", report["name"])
    assert "nothing" in staff.prints("bank-report", "entries", report["name"], "--outcome", "applied")
    file.write_bytes(b"<Document/>")
    assert staff.fails("bank-report", "import", str(file)) == (4, "BANK_REPORT_INVALID")


def test_back_offices_work_through_their_nouns(stack: Stack) -> None:
    staff = Person(stack)
    partner = f"partner-{secrets.token_hex(4)}"
    name = staff.gets("organisation", "create", "Harbour Crafts Academy", "--id", partner)["name"]
    staff.prints("organisation", "accredit", name, "2035-12-31")
    source = staff.gets("organisation", "source", name, "csv", "--grace", "2")["name"]
    assert staff.gets("organisation", "show", name)["organisation"]["accredited"]
    courses = str(SAMPLES / "feeds" / "harbour-crafts.csv")
    assert "dry run" in staff.prints("feed", "dry-run", source, courses)
    run = staff.gets("feed", "import", source, courses)["run"]
    assert run["state"] == "STATE_SUCCEEDED"
    assert staff.gets("feed", "findings", run["name"])
    assert source in staff.prints("feed", "sources", "--limit", "500")
    programme = f"retrain-{secrets.token_hex(4)}"
    rules = str(SAMPLES / "programmes" / "shortage-training.json")
    staff.gets("programme", "create", rules, "--id", programme)
    assert "draft" in staff.prints("programme", "show", f"programmes/{programme}")
    other = str(SAMPLES / "programmes" / "dutch-temporary-training-voucher.json")
    staff.prints("programme", "draft", f"programmes/{programme}", other, "--check")
    second = staff.gets("programme", "draft", f"programmes/{programme}", other)["name"]
    assert second == f"programmes/{programme}/versions/2"
    assert "clauses[jobseeker].expression" in staff.prints("programme", "diff", second)
    assert staff.gets("programme", "diff", second, second)["differences"] == []
    assert staff.gets("programme", "replay", "--all")["agrees"]
    assert "all agree" in staff.prints(
        "programme", "replay", "--all", "--programme", f"programmes/{programme}"
    )
    held = staff.gets("hold", "place", name, "complaint about attendance lists")["name"]
    assert staff.fails("hold", "release", held, "all is well", "--as", "finance:maker")[1] == "SAME_PERSON"
    staff.prints("hold", "release", held, "all is well")
    assert staff.gets("ledger", "verify")["intact"]
    assert "nothing this month" in staff.prints("statistics", "--month", "2020-01")
    assert staff.prints("search", "no such course anywhere").splitlines()[-1] == "0 in all"


def test_figures_are_shown_split_forecast_and_written(stack: Stack, tmp_path: Path) -> None:
    staff = Person(stack)
    assert isinstance(staff.gets("report", "split", "region"), list)
    assert "nothing this month" in staff.prints("report", "split", "occupation", "--month", "2020-01")
    codes = [each["code"] for each in staff.gets("report", "esf", "2020-01-01", "2020-12-31")]
    assert codes == [f"EECO{number:02}" for number in range(1, 13)]
    assert staff.fails("report", "esf", "2020-02-01", "2020-01-01") == (4, "INVALID_ARGUMENT")
    assert staff.gets("report", "open-data", "2020-Q1")["quarter"] == "2020-Q1"
    assert staff.fails("report", "open-data", "2999-Q1") == (4, "PERIOD_NOT_OVER")
    assert staff.fails("report", "forecast", f"programmes/none/budgets/{uuid.uuid4()}") == (5, "NOT_FOUND")
    days = ("2020-01-01", "2020-12-31")
    for form, start in (("csv", b"transaction,movement,"), ("parquet", b"PAR1")):
        out = tmp_path / f"shares.{form}"
        staff.prints("report", "export", "payment-shares", *days, "--format", form, "--out", str(out))
        assert out.read_bytes().startswith(start)
    lost = tmp_path / "lost.csv"
    wrong = ("report", "export", "redemptions", "2020-01-01", "2022-01-01", "--out", str(lost))
    assert staff.fails(*wrong) == (4, "INVALID_ARGUMENT")
    assert list(tmp_path.glob("*lost*")) == []


def test_money_is_traced_by_its_names(stack: Stack) -> None:
    staff = Person(stack)
    assert staff.prints("ledger", "trace", f"redemptions/{uuid.uuid4()}") == "no payment yet\n"
    assert staff.gets("ledger", "trace", "fundingSources/nobody") == []
    assert staff.fails("ledger", "trace", str(uuid.uuid4())) == (5, "NOT_FOUND")
    assert staff.run("ledger", "trace", "learners/x").returncode == 2
    assert isinstance(staff.gets("ledger", "sources", "--from", "2020-01-01"), list)


def test_a_back_office_is_registered_and_its_secret_shown_once(stack: Stack) -> None:
    staff, event = Person(stack), "waymark.vouchers.v1.ProgrammeActivated"
    made = staff.gets("webhook", "create", "http://127.0.0.1:9/", "--event", event)
    name = made["webhookEndpoint"]["name"]
    assert made["secret"].startswith("whsec_")
    assert staff.gets("webhook", "rotate", name)["secret"] != made["secret"]
    assert "secret  whsec_" in staff.prints("webhook", "rotate", name, "--overlap", "2")
    assert staff.fails("webhook", "create", "https://10.0.0.1/", "--event", event) == (
        4,
        "WEBHOOK_URL_REFUSED",
    )
    assert name in [each["name"] for each in staff.gets("webhook", "list", "--limit", "500")]
    assert "whsec_" not in staff.prints("webhook", "show", name)
    assert staff.prints("webhook", "log", name, "--state", "failed") == "nothing was told\n"
    assert staff.gets("webhook", "disable", name)["state"] == "STATE_DISABLED"
    lost = f"{name}/deliveries/{uuid.uuid4()}"
    assert staff.fails("webhook", "redeliver", lost) == (4, "WRONG_STATE")
    assert staff.gets("webhook", "enable", name)["state"] == "STATE_ENABLED"
    assert staff.fails("webhook", "redeliver", lost) == (5, "NOT_FOUND")
    staff.prints("webhook", "disable", name)


def test_a_shortage_list_is_drafted_with_findings_and_checked(stack: Stack) -> None:
    staff, name = Person(stack), f"list-{secrets.token_hex(4)}"
    staff.prints("shortage", "create", name, "--name", "Test list", "--region", "BE2")
    groups = str(SAMPLES / "taxonomy" / "ISCOGroups_en.csv")
    version = ("--version", secrets.token_hex(4))
    assert (
        staff.run("taxonomy", "import", groups, *version).returncode == 2
    )  # says neither scheme nor columns
    staff.prints("taxonomy", "import", groups, "--scheme", "isco-08", "--columns", "isco-groups", *version)
    assert "7212" in staff.prints("taxonomy", "search", "7212")
    file = str(SAMPLES / "shortage" / "with-mistakes.csv")
    drafted = staff.gets("shortage", "import", f"shortageLists/{name}", file, "--from", "2026-01-01")
    draft = drafted["version"]["name"]
    assert staff.gets("shortage", "findings", draft) == drafted["findings"]
    assert staff.fails("shortage", "publish", draft) == (4, "SHORTAGE_LIST_HAS_FINDINGS")
    staff.prints("shortage", "publish", draft, "--accept-findings")
    assert "published" in staff.prints("shortage", "list", f"shortageLists/{name}")
    answer = staff.gets("shortage", "check", "7212", "BE211", "--list", f"shortageLists/{name}")
    assert answer["version"] == draft


def test_a_wallet_is_read_and_a_qr_proved_without_a_stack(stack: Stack, tmp_path: Path) -> None:
    staff, nobody = Person(stack), "vouchers/01a21687-7f7f-740b-97dc-56b59b33ada9"
    learner = Person(stack, "--as", f"learner:{secrets.token_hex(4)}")
    assert learner.prints("voucher", "list") == "no voucher\n"
    assert learner.gets("voucher", "waiting") == []
    assert staff.fails("voucher", "show", nobody) == (5, "NOT_FOUND")
    assert staff.fails("voucher", "history", nobody) == (5, "NOT_FOUND")
    assert learner.fails("voucher", "history", nobody) == (5, "NOT_FOUND")
    assert staff.fails("voucher", "reissue", nobody, "lost") == (5, "NOT_FOUND")
    assert staff.fails("voucher", "extend", nobody, "2030-01-31", "illness") == (5, "NOT_FOUND")
    assert learner.fails("voucher", "accept", nobody.replace("vouchers", "waitingListEntries"))[0] == 5
    assert staff.fails("programme", "draw", "programmes/none/openings/1") == (5, "NOT_FOUND")
    keys = tmp_path / "keys.json"
    keys.write_text(staff.prints("voucher", "keys", "--json"))
    assert json.loads(keys.read_text())["keys"][0]["crv"] == "Ed25519"
    forged = "eyJhbGciOiJub25lIn0.e30."
    assert staff.fails("voucher", "check-qr", forged, "--org", OFFICE) == (4, "VOUCHER_QR_INVALID")
    command = [*WAYMARK, "voucher", "verify-qr", forged, str(keys)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
