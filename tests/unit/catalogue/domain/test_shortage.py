"""Which entry answers, and which version is in force."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.shortage import (
    Entry,
    Occupation,
    Validity,
    best,
    check_days,
    check_order,
    check_publication,
    check_withdrawal,
    digest,
    in_force,
)
from services.platform.errors import Refusal

URI = "http://data.europa.eu/esco/occupation/dev"
DEVELOPER = Occupation(URI, "2512")


def entry(seq: int, isco: str = "", nuts: str = "BE2", severity: int = 3, uri: str = "") -> Entry:
    return Entry(seq, uri, isco, "label", nuts, severity, 0, seq + 1)


@pytest.mark.parametrize(
    ("isco", "nuts", "short"),
    [
        ("2512", "BE2", True),
        ("251", "BE2", True),
        ("2", "BE", True),
        ("2513", "BE2", False),
        ("25121", "BE2", False),
        ("2512", "BE211", True),
        ("2512", "BE212", False),
        ("2512", "NL", False),
    ],
)
def test_groups_and_regions_include_what_is_below(isco: str, nuts: str, short: bool) -> None:
    assert (best([entry(1, isco, nuts)], DEVELOPER, "BE211") is not None) == short


def test_an_entry_for_an_occupation_says_nothing_of_its_group() -> None:
    assert best([entry(1, "2512")], Occupation("", "25"), "BE2") is None


def test_region_above_the_entry_is_not_covered() -> None:
    assert best([entry(1, "2512", "BE21")], DEVELOPER, "BE2") is None


def test_most_specific_then_most_severe_answers() -> None:
    entries = [entry(1, "2"), entry(2, "2512", "BE"), entry(3, "2512", "BE2", 2), entry(4, "2512", "BE2", 5)]
    found = best(entries, DEVELOPER, "BE21")
    assert found is not None
    assert found.seq == 4
    by_uri = best([*entries, entry(5, uri=URI, nuts="BE")], DEVELOPER, "BE21")
    assert by_uri is not None
    assert by_uri.seq == 5


V1 = Validity(1, date(2025, 1, 1), date(2025, 12, 31))
V2 = Validity(2, date(2025, 7, 1), None)


@pytest.mark.parametrize(
    ("day", "number"), [("2024-12-31", 0), ("2025-01-01", 1), ("2025-06-30", 1), ("2025-07-01", 2)]
)
def test_a_later_version_ends_the_one_before(day: str, number: int) -> None:
    found = in_force([V1, V2], date.fromisoformat(day))
    assert (found.number if found else 0) == number


def test_nothing_after_the_end() -> None:
    assert in_force([V1], date(2026, 1, 1)) is None


def refused(**change: object) -> int:
    draft: dict[str, object] = {
        "entry_count": 3,
        "error_count": 0,
        "open_count": 0,
        "accept_findings": False,
        "made_by": ["maker", "decider"],
        "publisher": "checker",
    }
    with pytest.raises(Refusal) as refusal:
        check_publication(**{**draft, **change})  # type: ignore[arg-type]
    return refusal.value.reason


def test_publication_needs_a_second_person_entries_and_no_findings() -> None:
    assert refused(publisher="maker") == reason_pb2.REASON_SAME_PERSON
    assert refused(publisher="decider") == reason_pb2.REASON_SAME_PERSON
    assert refused(entry_count=0) == reason_pb2.REASON_SHORTAGE_LIST_EMPTY
    assert refused(error_count=1) == reason_pb2.REASON_SHORTAGE_LIST_HAS_FINDINGS
    assert refused(open_count=1) == reason_pb2.REASON_SHORTAGE_LIST_HAS_FINDINGS
    check_publication(
        entry_count=3,
        error_count=1,
        open_count=1,
        accept_findings=True,
        made_by={"maker", "decider"},
        publisher="checker",
    )


def test_history_cannot_be_rewritten() -> None:
    with pytest.raises(Refusal) as refusal:
        check_order(date(2025, 7, 1), [V1, V2], "shortageLists/x")
    assert refusal.value.metadata == {"version": "shortageLists/x/versions/2"}
    check_order(date(2025, 7, 2), [V1, V2], "shortageLists/x")


def test_a_wrong_year_does_not_bar_a_list_for_decades() -> None:
    today = date(2026, 11, 27)
    check_days(date(2028, 11, 28), None, today)
    check_days(date(1999, 1, 1), date(1999, 1, 1), today)
    with pytest.raises(Refusal, match="SHORTAGE_VERSION_TOO_FAR") as refusal:
        check_days(date(2062, 1, 1), None, today)
    assert [each.field for each in refusal.value.violations] == ["valid_from"]
    with pytest.raises(Refusal, match="INVALID_ARGUMENT"):
        check_days(date(2027, 1, 2), date(2027, 1, 1), today)


def test_a_version_is_withdrawn_before_its_first_day_by_another_than_its_publisher() -> None:
    first = date(2026, 3, 1)
    check_withdrawal(first, date(2026, 2, 28), publisher="a", withdrawer="b")
    for today, withdrawer, reason in (
        (date(2026, 2, 28), "a", "SAME_PERSON"),
        (first, "b", "SHORTAGE_VERSION_IN_FORCE"),
    ):
        with pytest.raises(Refusal, match=reason):
            check_withdrawal(first, today, publisher="a", withdrawer=withdrawer)


def test_digest_sees_every_change() -> None:
    one = [entry(1, "2512"), entry(2, "7512")]
    assert digest(one) == digest(list(one))
    assert len({digest(one), digest(one[::-1]), digest([entry(1, "2512", severity=4), one[1]])}) == 3


def test_the_digest_covers_evidence_and_is_as_it_was_without() -> None:
    plain = [entry(1, "2512"), entry(2, "2512", uri=URI)]
    lines = f"1\t\t2512\tlabel\tBE2\t3\t0\n2\t{URI}\t2512\tlabel\tBE2\t3\t0\n"
    assert digest(plain) == hashlib.sha256(lines.encode()).hexdigest()  # as before evidence was kept
    proved = [plain[0], plain[1]._replace(evidence=["assessments/1", 'a\t"study"'])]
    lines = lines[:-1] + '\t["assessments/1","a\\t\\"study\\""]\n'
    assert digest(proved) == hashlib.sha256(lines.encode()).hexdigest()
    others = ([], ["assessments/1"], ["assessments/2", 'a\t"study"'])
    found = {digest([plain[0], plain[1]._replace(evidence=each)]) for each in others}
    assert len(found | {digest(proved)}) == 4
