"""Nouns of those who run catalogue and vouchers on the command line, on a real stack."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.bank import Status, pain002
from tests.support.stacks import WAYMARK, Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
SAMPLES = Path(__file__).resolve().parents[3] / "samples"
OFFICE = "organisations/office"
WELDER = "http://data.europa.eu/esco/isco/C7212"


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
        ("ledger", "checkpoints", "--by-chain"),
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
    assert staff.gets("bank-account", "show", first)["name"] == first


def test_a_statement_is_shown_and_written(stack: Stack, tmp_path: Path) -> None:
    staff, provider = Person(stack), f"organisations/partner-{secrets.token_hex(4)}"
    november = (provider, "2026-11-01", "2026-11-30")
    shown = staff.prints("statement", "show", *november)
    assert re.search(r"^cleared after +0.00 EUR$", shown, re.MULTILINE)
    assert staff.prints("statement", "lines", *november) == "nothing moved\n"
    out = tmp_path / "november.csv"
    staff.prints("statement", "file", *november, "--out", str(out))
    assert out.read_bytes() == b"time,kind,amount,currency,redemption,payout_batch,receivable,subject\r\n"
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
    assert staff.gets("bank-report", "show", report["name"])["name"] == report["name"]
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
    staff.prints("programme", "draft", second, rules)
    assert staff.gets("programme", "diff", second)["differences"] == []  # all of it was replaced
    assert staff.gets("programme", "draft", second, other)["name"] == second
    assert "clauses[jobseeker].expression" in staff.prints("programme", "diff", second)
    assert staff.gets("programme", "diff", second, second)["differences"] == []
    assert staff.gets("programme", "replay", "--all")["agrees"]
    assert "all agree" in staff.prints(
        "programme", "replay", "--all", "--programme", f"programmes/{programme}"
    )
    held = staff.gets("hold", "place", name, "complaint about attendance lists", "--days", "2")["name"]
    assert "not heard yet" in staff.prints("hold", "renew", held, "not heard yet", "--days", "9")
    assert staff.fails("hold", "release", held, "all is well", "--as", "finance:maker")[1] == "SAME_PERSON"
    staff.prints("hold", "release", held, "all is well")
    assert staff.gets("ledger", "verify")["intact"]
    assert "nothing this month" in staff.prints("statistics", "--month", "2020-01")
    assert staff.prints("search", "xyzzy plugh").splitlines()[-1] == "0 in all"
    assert staff.prints("suggest", "xyzzy") == "nothing begins so\n"
    assert staff.fails("similar", f"courses/{uuid.uuid4()}") == (5, "NOT_FOUND")
    assert staff.fails("recommend", "https://nowhere.example/skill") == (4, "INVALID_ARGUMENT")
    assert staff.prints("exposure", "list", "2026-01-01", "2026-01-02") == "nothing was shown\n"


def test_figures_are_shown_split_forecast_and_written(stack: Stack, tmp_path: Path) -> None:
    staff = Person(stack)
    assert isinstance(staff.gets("report", "split", "region"), list)
    assert "nothing this month" in staff.prints("report", "split", "occupation", "--month", "2020-01")
    counted = {each["code"]: each for each in staff.gets("report", "esf", "2020-01-01", "2020-02-29")}
    outputs = [f"EECO{number:02}" for number in range(1, 18)]
    assert list(counted) == [*outputs, *(f"EECR{number:02}" for number in range(1, 7))]
    assert counted["EECR06"]["notTold"] == "0"
    assert counted["EECO17"]["suppressed"]
    assert "participants" not in counted["EECO17"]
    assert staff.fails("report", "esf", "2020-02-01", "2020-01-01") == (4, "INVALID_ARGUMENT")
    assert staff.gets("report", "open-data", "2020-Q1")["quarter"] == "2020-Q1"
    assert staff.fails("report", "open-data", "2999-Q1") == (4, "PERIOD_NOT_OVER")
    assert staff.fails("report", "forecast", f"programmes/none/budgets/{uuid.uuid4()}") == (5, "NOT_FOUND")
    days = ("2020-01-01", "2020-12-31")
    figures = tmp_path / "esf.csv"
    staff.prints("report", "export", "esf-indicators", *days, "--out", str(figures))
    assert figures.read_bytes().startswith(b"code,text,participants,unknown,not_told,suppressed")
    for form, start in (("csv", b"transaction,movement,"), ("parquet", b"PAR1")):
        out = tmp_path / f"shares.{form}"
        staff.prints("report", "export", "payment-shares", *days, "--format", form, "--out", str(out))
        assert out.read_bytes().startswith(start)
    lost = tmp_path / "lost.csv"
    wrong = ("report", "export", "redemptions", "2020-01-01", "2022-01-01", "--out", str(lost))
    assert staff.fails(*wrong) == (4, "INVALID_ARGUMENT")
    assert list(tmp_path.glob("*lost*")) == []


def test_money_is_traced_by_its_names(stack: Stack, tmp_path: Path) -> None:
    staff = Person(stack)
    assert "Ed25519" in staff.prints("ledger", "keys")
    kept = tmp_path / "rounds.json"
    kept.write_text(json.dumps([{"number": "999999999", "digest": "0" * 64}]))
    assert "999999999" in (gone := staff.run("ledger", "verify", "--against", str(kept))).stdout
    assert gone.returncode == 1
    assert staff.prints("ledger", "trace", f"redemptions/{uuid.uuid4()}") == "no payment yet\n"
    assert staff.gets("ledger", "trace", "fundingSources/nobody") == []
    assert staff.fails("ledger", "trace", str(uuid.uuid4())) == (5, "NOT_FOUND")
    assert staff.run("ledger", "trace", "learners/x").returncode == 2
    assert isinstance(staff.gets("ledger", "sources", "--from", "2020-01-01"), list)


def test_a_source_of_money_is_made_and_keeps_its_cases_for_longer(stack: Stack) -> None:
    staff, identifier = Person(stack), f"fund-{uuid.uuid4()}"
    made = staff.gets("funding-source", "create", "eu-fund", "Social fund", "--id", identifier)
    name = f"fundingSources/{identifier}"
    assert (made["name"], made["kind"], made["retentionYears"]) == (name, "KIND_EU_FUND", 5)
    assert staff.gets("funding-source", "keep-longer", name, "10")["retentionYears"] == 10
    assert staff.fails("funding-source", "keep-longer", name, "6") == (4, "INVALID_ARGUMENT")
    assert staff.gets("funding-source", "show", name)["displayNames"] == {"en": "Social fund"}
    assert name in [each["name"] for each in staff.gets("funding-source", "list", "--limit", "500")]
    assert staff.fails("funding-source", "show", "fundingSources/nobody") == (5, "NOT_FOUND")


def test_erasures_are_told_again(stack: Stack) -> None:
    staff = Person(stack)
    assert "erasures since 2020-01-01 00:00 UTC" in staff.prints("erasure", "retell", "--since", "2020-01-01")
    assert staff.gets("erasure", "retell", "--since", "2100-01-01") == {"erasures": 0}


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
    changed = staff.gets(
        "webhook", "change", name, "--url", "http://127.0.0.1:10/", "--disable", "--description", "payroll"
    )
    assert (changed["url"], changed["state"]) == ("http://127.0.0.1:10/", "STATE_DISABLED")
    assert staff.fails("webhook", "change", name, "--enable", "--etag", '"1"') == (4, "ETAG_STALE")
    assert staff.gets("webhook", "change", name, "--description", "")["description"] == ""
    assert staff.run("webhook", "change", name).returncode == 2


def test_facts_come_from_a_file_and_as_a_stream(stack: Stack, tmp_path: Path) -> None:
    staff, one, two = Person(stack), f"p-{secrets.token_hex(4)}", f"p-{secrets.token_hex(4)}"
    file, wrong = tmp_path / "facts.csv", tmp_path / "wrong.csv"
    file.write_text(
        "learner,key,value,source\n"
        f"{one},education_level,4,PES_REGISTER\n"
        f"{one},has_disability,maybe,PES_REGISTER\n"
    )
    tried = staff.gets("facts", "import", str(file), "--dry-run", "--errors", str(wrong))
    assert tried["learnerFactImport"]["dryRun"]
    assert staff.prints("facts", "list", f"learners/{one}") == "nothing is known\n"
    assert "stored" in staff.prints("facts", "import", str(file))
    assert [each["key"] for each in staff.gets("facts", "list", f"learners/{one}")] == ["education_level"]
    (added,) = staff.gets("facts", "add", f"learners/{two}", "unemployed_since=2026-01-31")
    assert (added["date"]["day"], added["source"]) == (31, "FACT_SOURCE_PES_REGISTER")
    assert wrong.read_text() == "line,field,to mend\n3,value,must be true or false\n"
    assert staff.gets("facts", "findings", tried["name"])[0]["position"] == "3"
    again = tmp_path / "again.csv"
    staff.prints("facts", "findings", tried["name"], "--errors", str(again))
    assert again.read_text() == wrong.read_text()
    assert "waymark facts findings" in staff.prints("operation", "show", tried["name"])
    lines = tmp_path / "facts.jsonl"
    fact = {"key": "education_level", "number": "5", "source": "FACT_SOURCE_PES_REGISTER"}
    message = {"parent": f"learners/{two}", "facts": [fact]}
    lines.write_text("\n".join(map(json.dumps, [message, message | {"parent": "x"}])) + "\n")
    pushed = staff.gets("facts", "push", str(lines))
    assert (pushed["storedCount"], pushed["findings"][0]["position"]) == ("1", "2")
    assert "parent" in staff.prints("facts", "push", str(lines))
    lines.write_text(json.dumps(message) + "\nno json\n")
    broken = staff.run("facts", "push", str(lines))
    assert broken.returncode == 2
    assert "Line 2" in broken.stderr
    assert "--skip 1" in broken.stderr
    assert staff.gets("facts", "list", f"learners/{two}")[0]["number"] == "5"


def test_the_errors_of_an_allocation_are_written_also_after_its_end(stack: Stack, tmp_path: Path) -> None:
    staff, programme = Person(stack), f"aptic-{secrets.token_hex(4)}"
    rules = str(SAMPLES / "programmes" / "aptic-digital-voucher.json")
    version = staff.gets("programme", "create", rules, "--id", programme)["version"]["name"]
    staff.prints("programme", "activate", version)
    file, wrong, again = (tmp_path / name for name in ("people.csv", "wrong.csv", "again.csv"))
    file.write_text("learner;amount\np-1;99,50\np-2;none\n")
    run = ("allocation", "run", str(file), "--programme", f"programmes/{programme}", "--dry-run")
    done = staff.gets(*run, "--errors", str(wrong))["name"]
    staff.prints("allocation", "rows", done, "--errors", str(again))
    assert len(again.read_text().splitlines()) == 3
    assert again.read_text() == wrong.read_text()
    assert "unreadable" in staff.prints("operation", "wait", done)


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
    (welders, *_) = staff.gets("taxonomy", "search", "7212")
    assert staff.gets("taxonomy", "concept", welders["name"])["uri"] == welders["uri"]
    (found,) = staff.gets("taxonomy", "tag", "bricklayers and related workers", "--scheme", "isco-08")
    assert found["uri"].endswith("/C7112")
    file = str(SAMPLES / "shortage" / "with-mistakes.csv")
    drafted = staff.gets("shortage", "import", f"shortageLists/{name}", file, "--from", "2026-01-01")
    draft = drafted["version"]["name"]
    assert staff.gets("shortage", "findings", draft) == drafted["findings"]
    assert staff.fails("shortage", "publish", draft) == (4, "SHORTAGE_LIST_HAS_FINDINGS")
    staff.prints("shortage", "publish", draft, "--accept-findings")
    assert "published" in staff.prints("shortage", "list", f"shortageLists/{name}")
    entries = staff.gets("shortage", "entries", draft)
    assert len(entries) == drafted["version"]["entryCount"]
    answer = staff.gets("shortage", "check", "7212", "BE211", "--list", f"shortageLists/{name}")
    next_year = f"{datetime.now(UTC).year + 1}-01-01"
    later = staff.gets("shortage", "import", f"shortageLists/{name}", file, "--from", next_year)
    wrong = later["version"]["name"]
    staff.prints("shortage", "publish", wrong, "--accept-findings")
    assert "wrong year" in staff.prints("shortage", "withdraw", wrong, "wrong year")
    assert staff.fails("shortage", "withdraw", draft, "too late") == (4, "SHORTAGE_VERSION_IN_FORCE")
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
