"""A packed version finds what a search through its entries finds."""

from __future__ import annotations

import random

from services.catalogue.domain.shortage import Entry, Occupation, best, specificity
from services.catalogue.domain.shortage_index import Table, pack

URIS = {f"http://x/{code}": code for code in ("2512", "2511", "7112")}
REGIONS = ("BE", "BE2", "BE21", "BE211", "BE3", "NL", "NL12", "FRY10")


def entries(pick: random.Random, count: int) -> list[Entry]:
    found = []
    for seq in range(1, count + 1):
        uri = pick.choice(("", "", *URIS))
        isco = URIS[uri] if uri else pick.choice(("2", "25", "251", "2512", "7112"))
        region, severity = pick.choice(REGIONS), pick.randint(1, 5)
        label = pick.choice(("a", "b"))
        found.append(Entry(seq, uri, isco, label, region, severity, pick.randint(0, 3), seq + 1))
    return found


def answering(given: list[Entry], region: str) -> dict[str, Entry]:
    """Of each occupation the most specific entry that covers the region, of any where it is empty."""
    covering = [each for each in given if not region or region.startswith(each.nuts_code)]
    ordered = sorted(covering, key=specificity)
    return {each.uri or each.isco_code: each for each in ordered}


def test_it_answers_as_a_search_through_all_entries_does() -> None:
    pick = random.Random(5)
    asked = [Occupation(uri, code) for uri, code in URIS.items()]
    asked += [Occupation("", code) for code in ("2512", "25", "2", "71", "9")]
    short = named = 0
    for size in (0, 1, 3, 10, 60):
        for _ in range(20):
            given = entries(pick, size)
            table = Table(pack(given))
            for occupation in asked:
                for region in (*REGIONS, "BE212", "DE"):
                    wanted = best(given, occupation, region)
                    assert table.find(occupation, region) == wanted
                    short += wanted is not None
            for region in (*REGIONS, "BE212", "DE", ""):
                found = {each.uri or each.isco_code: each for each in table.answering(region)}
                assert found == answering(given, region)
                named += len(found)
    assert short > 1000  # there was something to find
    assert named > 1000


def test_it_packs_entries_into_bytes() -> None:
    given = entries(random.Random(1), 50)
    assert len(Table(pack(given))) == len({(e.uri or e.isco_code, e.nuts_code) for e in given})
