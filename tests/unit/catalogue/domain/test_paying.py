"""Which entry makes a programme pay: the same answers as the vouchers service gives, which decides."""

from __future__ import annotations

from itertools import product

from services.catalogue.domain.paying import Need, deciding
from services.catalogue.domain.shortage import Entry, Occupation
from services.vouchers.domain import shortage as vouchers

URI, OTHER = "http://data.europa.eu/esco/occupation/dev", "http://data.europa.eu/esco/occupation/other"
DEVELOPER = Occupation(URI, "2512")


def entry(seq: int, isco: str = "2512", nuts: str = "BE2", severity: int = 3, uri: str = "") -> Entry:
    return Entry(seq, uri, isco, "label", nuts, severity, 0, seq + 1)


def test_the_most_severe_entry_decides_and_the_first_of_equals() -> None:
    found = deciding([entry(1), entry(2, severity=5), entry(3, severity=5)], DEVELOPER, "BE21", Need("", 0))
    assert found == entry(2, severity=5)
    assert deciding([entry(1, severity=0)], DEVELOPER, "BE21", Need("", 0)) is None


def test_it_is_the_entry_that_vouchers_would_grant_by() -> None:
    occupations = (("2512", ""), ("25", ""), ("2513", ""), ("2512", URI), ("2512", OTHER), ("", OTHER))
    listed = [
        entry(1, isco, nuts, severity, uri)
        for (isco, uri), nuts, severity in product(occupations, ("BE", "BE21", "NL"), (1, 4))
    ]
    needs = [
        Need(*where, concept_only)
        for where in (("", 0), ("BE21", 0), ("NL", 0), ("BE2", 4))
        for concept_only in (False, True)
    ]
    outcomes = set()
    for each, place, need in product(listed, ("BE", "BE21", "BE211"), needs):
        ours = deciding([each], DEVELOPER, place, need) is not None
        assert ours == vouchers_grant(each, place, need), (each, place, need)
        outcomes.add(ours)
    assert outcomes == {True, False}


def vouchers_grant(listed: Entry, place: str, need: Need) -> bool:
    theirs = vouchers.Entry(
        "name", vouchers.Occupation(listed.uri, listed.isco_code), listed.nuts_code, listed.severity
    )
    taught = [vouchers.Occupation(DEVELOPER.uri, DEVELOPER.isco_code)]
    found = vouchers.best_entry(
        [theirs],
        taught,
        place=place,
        region=need.nuts_code,
        min_severity=need.min_severity,
        concept_only=need.concept_only,
    )
    return found is not None
