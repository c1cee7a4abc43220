"""Search over the real server: words, filters, facets, order, reasons, following, healing."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from waymark.catalogue.v1 import organisation_pb2, search_pb2

from services.catalogue.api.search import from_indexes
from services.catalogue.search import directory
from services.catalogue.search import search as search_module
from services.catalogue.search.damage import IndexDamaged, told
from services.catalogue.search.follower import Follower
from services.catalogue.search.label_index import labels_directory
from services.platform.errors import Refusal
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import DEVELOPER, ESCO, ISCO, Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused

AS_OF = day("2030-01-15")
Reason = search_pb2.SearchReason
ANTWERP, GHENT = ("51.2200", "4.4000"), ("51.0500", "3.7200")


LABELS = b"concept,language,label\nhttp://data.europa.eu/esco/occupation/dev,nl,ontwikkelaar\n"
GHENT_TWICE: dict[str, Any] = {"place": "Gent", "near": LatLng(latitude=51)}
TESTER = "http://data.europa.eu/esco/occupation/tester"
TESTERS = f"{TESTER},2512,software tester,test engineer,Tries programs out.,2512.9\n".encode()
GROUP_2512 = "http://data.europa.eu/esco/isco/C2512"


def at(place: tuple[str, str], town: str = "") -> dict[str, str]:
    return {"town": town, "latitude": place[0], "longitude": place[1]}


ROWS = [
    row("W", "Welding for beginners", subjects="metal", kind="course", **at(ANTWERP, "Antwerpen")),
    row("D", "Software development", start_date="2030-02-01", nuts_code="BE234", **at(GHENT, "Gent")),
    row("N", "Verpleegkunde voor starters", language="nl", start_date="2030-04-01", mode="online"),
    row("P", "Past course in welding", start_date="2029-01-01"),
    row("O", "Open welding workshop", start_date="", price="20", eqf_level="3", kind="exam"),
]


@pytest.fixture
def found(catalogue: Catalogue) -> Catalogue:
    catalogue.import_taxonomy(ESCO + TESTERS, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", "1.1.1")
    catalogue.import_taxonomy(ISCO, "ISCO_08", "ISCO_GROUPS", "08")
    catalogue.import_taxonomy(LABELS, "ESCO_OCCUPATIONS", "LABELS", "1.1.1")
    source = catalogue.source(catalogue.organisation("harbour"))
    catalogue.feed(source, feed(*ROWS))
    catalogue.wait_for(lambda: search(catalogue, include_not_bookable=True).total_size == len(ROWS))
    catalogue.wait_for(lambda: search(catalogue, "ontwikkelaar").total_size)
    return catalogue


def search(catalogue: Catalogue, query: str = "", **values: Any) -> Any:
    return catalogue.search(query, **{"as_of": AS_OF, **values})


def titles(answer: Any) -> list[str]:
    return [next(iter(hit.titles.values())).split()[0] for hit in answer.hits]


CASES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("welding", {}, {"Welding", "Open"}),
    ("welding", {"include_not_bookable": True}, {"Welding", "Open", "Past"}),
    ("weld beginner", {"language": "en"}, {"Welding", "Open"}),
    ('"weld" "beginners"', {}, {"Welding"}),
    ("ontwikkelaar", {"language": "nl"}, {"Software"}),
    ("softw", {}, {"Software"}),
    ("verpleegkunde", {"language": "nl"}, {"Verpleegkunde"}),
    ('"welding workshop"', {}, {"Open"}),
    ('"workshop welding"', {}, set()),
    ("", {"kinds": ["exam"]}, {"Open"}),
    ("", {"modes": ["COURSE_MODE_ONLINE"]}, {"Verpleegkunde"}),
    ("", {"eqf_level_to": 3}, {"Open"}),
    ("", {"nuts_code": "BE23"}, {"Software"}),
    ("", {"occupations": ["25"]}, {"Software"}),
    ("", {"occupations": [DEVELOPER]}, {"Software"}),
    ("", {"max_price": Money(currency_code="EUR", units=50)}, {"Open"}),
    ("", {"start_to": day("2030-02-28")}, {"Software", "Open"}),
    ("", {"start_from": day("2030-03-15")}, {"Verpleegkunde", "Open"}),
    ("", {"near": LatLng(latitude=51.21, longitude=4.41), "radius_km": 10}, {"Welding"}),
    ("", {"near": LatLng(latitude=51.21, longitude=4.41), "radius_km": 100}, {"Welding", "Software"}),
    ("", {"near": LatLng(latitude=10, longitude=4.41), "radius_km": 100}, set()),
    ("", {"organisations": ["organisations/none"]}, set()),
    (
        "",
        {"instruction_languages": ["nl"], "kinds": ["course"], "nuts_code": "BE211"},
        {"Welding", "Verpleegkunde"},
    ),
    ("zebra", {}, set()),
    ("the", {"language": "en"}, set()),
]


def test_words_and_filters(found: Catalogue) -> None:
    for query, values, expected in CASES:
        answer = search(found, query, **values)
        assert set(titles(answer)) == expected, (query, values)
        assert answer.total_size == len(expected)
        assert not answer.corrected


def reasons(hit: Any) -> list[tuple[str, str, str]]:
    kinds = ("WORDS", "SIMILAR_WORDS", "CONCEPT", "NEAR_CONCEPT", "SOME_WORDS")
    wanted = {Reason.Kind.Value(f"KIND_{kind}"): kind for kind in kinds}
    return [(wanted[each.kind], each.evidence, each.label) for each in hit.reasons if each.kind in wanted]


def test_all_words_come_first_and_some_follow_where_few_have_all(found: Catalogue) -> None:
    answer = search(found, "open weld")
    assert titles(answer) == ["Open", "Welding"]
    assert [reasons(hit) for hit in answer.hits] == [
        [("WORDS", "open weld", "")],
        [("SOME_WORDS", "open weld", "")],
    ]


def test_meaning_needs_no_word_in_common(found: Catalogue) -> None:
    """A label of any language finds what has its concept or another label of it; each hit says which."""
    for query, language in (
        ("programmer", "en"),
        ("ontwikkelaar", "nl"),
        ("ontwikkelaar", ""),
        ("ontwikelaar", "nl"),
    ):
        answer = search(found, query, language=language)
        assert titles(answer) == ["Software"]
        label = "programmer" if query == "programmer" else "ontwikkelaar"
        assert reasons(answer.hits[0]) == [("CONCEPT", DEVELOPER, label)]
    assert search(found, "ontwikkelaar").hits[0].reasons[0].label_language == "nl"
    # A group of occupations finds those in it; an occupation finds the others of its group, as near.
    group = search(found, "Software developers").hits[0]
    assert ("CONCEPT", GROUP_2512, "Software developers") in reasons(group)
    assert reasons(search(found, "test engineer").hits[0]) == [("NEAR_CONCEPT", TESTER, "test engineer")]
    # Control: the words alone find none of them.
    snapshot = found.app.reader.snapshot()
    assert snapshot is not None
    request = search_pb2.SearchCoursesRequest(query="programmer", as_of=AS_OF)
    assert search_module.search(request, snapshot, None, found.app.market, 0, 10).response.total_size == 0


def test_around_a_town_or_a_postcode(found: Catalogue) -> None:
    assert titles(search(found, place="antwerpen", radius_km=10)) == ["Welding"]
    assert set(titles(search(found, place="GENT", radius_km=100))) == {"Welding", "Software"}
    site = organisation_pb2.Site(display_name="Dock", town="Temse", postal_code="9140", nuts_code="BE236")
    site.location.latitude, site.location.longitude = 51.06, 3.73
    found.organisations().CreateSite(
        organisation_pb2.CreateSiteRequest(parent="organisations/harbour", site=site)
    )
    for wrong in ({"place": "Gent"}, {**GHENT_TWICE, "radius_km": 5}):
        request = search_pb2.SearchCoursesRequest(**wrong)
        assert reason_of(found.searches("").SearchCourses, request) == "INVALID_ARGUMENT"

    def around() -> Any:
        with suppress(grpc.RpcError):  # not known yet
            return search(found, place="9140", radius_km=5)
        return None

    hit = found.wait_for(around)
    assert titles(hit) == ["Software"]
    assert hit.hits[0].distance_km == pytest.approx(1.3, abs=0.2)


def test_typing_errors(found: Catalogue) -> None:
    answer = search(found, "weldign")
    assert answer.corrected
    assert set(titles(answer)) == {"Welding", "Open"}
    assert answer.hits[0].reasons[0].kind == Reason.KIND_SIMILAR_WORDS


def test_facets_are_exact(found: Catalogue) -> None:
    wanted = [f"FACET_{name}" for name in ("KIND", "MODE", "EQF_LEVEL", "REGION", "START_MONTH", "ISCO_CODE")]
    answer = search(found, facets=[*wanted, "FACET_ORGANISATION", "FACET_LANGUAGE"])
    counts = {facet.facet: {v.value: v.count for v in facet.values} for facet in answer.facets}
    assert counts[search_pb2.FACET_KIND] == {"course": 3, "exam": 1}
    assert counts[search_pb2.FACET_MODE] == {"ON_SITE": 3, "ONLINE": 1}
    assert counts[search_pb2.FACET_EQF_LEVEL] == {"4": 3, "3": 1}
    assert counts[search_pb2.FACET_REGION] == {
        "BE": 4,
        "BE2": 4,
        "BE21": 3,
        "BE211": 3,
        "BE23": 1,
        "BE234": 1,
    }
    assert counts[search_pb2.FACET_START_MONTH] == {"2030-02": 1, "2030-03": 1, "2030-04": 1}
    assert counts[search_pb2.FACET_ISCO_CODE] == {"2512": 1}
    assert counts[search_pb2.FACET_ORGANISATION] == {"organisations/harbour": 4}


def test_next_start_first(found: Catalogue) -> None:
    answer = search(found, order_by="SEARCH_ORDER_NEXT_START")
    assert titles(answer) == ["Software", "Welding", "Verpleegkunde", "Open"]
    page = search(found, order_by="SEARCH_ORDER_NEXT_START", page_size=3)
    rest = search(found, order_by="SEARCH_ORDER_NEXT_START", page_size=3, page_token=page.next_page_token)
    assert titles(page) + titles(rest) == titles(answer)
    assert answer.hits[0].next_session.start_date == day("2030-02-01")


def test_shortage_and_voucher_are_filters_and_reasons(found: Catalogue) -> None:
    assert search(found, shortage=True).total_size == 0
    draft = found.draft(found.shortage_list(), b"occupation,region\n251,BE2\n", valid_from=day("2026-01-01"))
    found.publish(draft.name)
    found.wait_for(lambda: search(found, shortage=True).total_size == 1)
    hit = search(found, shortage=True, shortage_nuts_code="BE234").hits[0]
    reasons = {reason.kind: reason.evidence for reason in hit.reasons}
    assert reasons[Reason.KIND_SHORTAGE] == f"{draft.name}/entries/1"
    assert search(found, shortage=True, shortage_nuts_code="NL").total_size == 0
    nowhere = search_pb2.SearchCoursesRequest(shortage=True, shortage_nuts_code="BE999")
    assert fields_refused(found.searches("").SearchCourses, nowhere) == ["shortage_nuts_code"]
    among = search_pb2.RecommendCoursesRequest(skills=[DEVELOPER], among=nowhere)
    assert fields_refused(found.searches("").RecommendCourses, among) == ["shortage_nuts_code"]
    assert search(found, shortage=True, as_of=day("2025-12-31")).total_size == 0
    assert search(found, voucher_eligible=True).total_size == 0
    found.organisations().GrantAccreditation(
        organisation_pb2.GrantAccreditationRequest(
            parent="organisations/harbour",
            valid_from=day("2026-01-01"),
            valid_to=day("2030-06-30"),
            scheme="Qualiopi",
        )
    )
    found.wait_for(lambda: search(found, voucher_eligible=True).total_size == 4)
    assert search(found, voucher_eligible=True, as_of=day("2030-07-01")).total_size == 0
    for as_of, marks in (("2030-06-30", ["Qualiopi"]), ("2030-07-01", [])):
        open_to_all = search(found, "workshop", as_of=day(as_of)).hits
        assert [list(hit.quality_marks) for hit in open_to_all] == [marks]
    counts = search(found, facets=["FACET_SHORTAGE", "FACET_VOUCHER_ELIGIBLE"]).facets
    assert [{v.value: v.count for v in c.values} for c in counts] == [{"false": 3, "true": 1}, {"true": 4}]


def test_shortage_never_ranks(found: Catalogue) -> None:
    before = [(h.course, h.score) for h in search(found, "welding software verpleegkunde").hits]
    found.publish(found.draft(found.shortage_list(), b"occupation\n2512\n").name)
    found.wait_for(lambda: search(found, shortage=True).total_size == 1)
    after = [(h.course, h.score) for h in search(found, "welding software verpleegkunde").hits]
    assert before == after


REFUSED: list[dict[str, Any]] = [
    {"radius_km": 5},
    {"near": LatLng(latitude=91)},
    {"near": LatLng(latitude=51)},
    {"max_price": Money(currency_code="XXX", units=1)},
    {"start_from": day("2030-01-01"), "as_of": search_pb2.SearchCoursesResponse().as_of},
    {"radius_km": 501},
    {"as_of": day("2030-02-30")},
    {"as_of": day("9999-12-31"), "facets": ["FACET_START_MONTH"]},
    *({name: day("1999-12-31")} for name in ("as_of", "start_from", "start_to")),
]
ODD: list[dict[str, Any]] = [
    {"as_of": day("2100-12-31"), "facets": ["FACET_START_MONTH"]},
    {"as_of": day("2000-01-01"), "order_by": "SEARCH_ORDER_NEXT_START"},
    {"query": '"" * ( \\ ~ "the a" -x:y [1 TO', "language": "en"},
    {"query": "w" * 200},
    {"near": LatLng(latitude=90, longitude=180), "radius_km": 500},
    {"max_price": Money(currency_code="EUR", units=10**9, nanos=999_999_999)},
    {"start_from": day("2030-05-01"), "start_to": day("2030-04-30"), "eqf_level_from": 5, "eqf_level_to": 4},
    {"occupations": ["http://x/" + "y" * 190, "9999", "\u0661"]},
]


def test_no_request_has_the_index_built_anew(found: Catalogue) -> None:
    where = found.app.settings.index_dir
    indexes = [directory.Directory(where), labels_directory(where)]
    for values in REFUSED:
        request = search_pb2.SearchCoursesRequest(**values)
        assert reason_of(found.searches("").SearchCourses, request) == "INVALID_ARGUMENT"
        assert not any(index.damaged for index in indexes), values
    for values in ODD:
        search(found, **values)
        assert not any(index.damaged for index in indexes), values

    def torn(_: object = None) -> None:
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):  # an error of our own
        from_indexes(found.app, torn)
    assert not any(index.damaged for index in indexes)
    before = [index.current() for index in indexes]
    with pytest.raises(Refusal, match="SEARCH_NOT_READY"):  # control: one of Tantivy
        from_indexes(found.app, lambda _: told(torn)())
    found.wait_for(
        lambda: all(i.current() not in (None, old) for i, old in zip(indexes, before, strict=True))
    )


def test_page_tokens_are_bound_to_the_search(found: Catalogue) -> None:
    page = search(found, page_size=2)
    request = search_pb2.SearchCoursesRequest(page_token=page.next_page_token, query="welding")
    assert reason_of(found.searches("").SearchCourses, request) == "PAGE_TOKEN_INVALID"


def test_changes_are_seen(found: Catalogue) -> None:
    """Within two seconds, but for the horizon, which here waits for the transactions of other tests."""
    source = found.source("organisations/harbour")
    found.feed(source, feed(row("X", "Falconry")))
    found.wait_for(lambda: search(found, "falconry").total_size == 1)
    from waymark.catalogue.v1 import feed_run_pb2

    from tests.support.catalogue import run_waiting

    run = found.feed(source, feed())
    found.feed_runs().ApproveFeedRun(feed_run_pb2.ApproveFeedRunRequest(name=run.name))
    run_waiting(found.app)
    found.wait_for(lambda: search(found, "falconry").total_size == 0)


def test_heals_when_damaged(found: Catalogue) -> None:
    where = directory.Directory(found.app.settings.index_dir)
    broken = where.current()
    assert broken is not None
    for path in broken.glob("*.store"):
        path.unlink()  # else the open index would be cut off in memory too, which ends a process
        path.write_bytes(b"rubbish")
    (broken / "meta.json").write_text("{}")
    # A search meets the damage, goes on with what is open, and asks for a new index.
    found.wait_for(lambda: search(found, "welding") and where.current() not in (None, broken))
    found.wait_for(lambda: search(found, "welding").total_size == 2)


def test_rebuilds_when_the_index_is_gone(found: Catalogue) -> None:
    where = directory.Directory(found.app.settings.index_dir)
    folder = where.current()
    assert folder is not None
    where.report_damage()
    found.wait_for(lambda: where.current() not in (None, folder))
    shutil.rmtree(folder)
    found.wait_for(lambda: search(found, "welding").total_size == 2)


def test_labels_heal_too(found: Catalogue) -> None:
    """Damaged files of the labels neither stop searches for words nor stay: concepts are found again."""
    where = labels_directory(found.app.settings.index_dir)

    def rubbish(folder: Path) -> None:
        for path in folder.glob("*.store"):
            path.unlink()  # else the open index would be cut off in memory too, which ends a process
            path.write_bytes(b"rubbish")
        found.app.labels.forget()

    for damage in (rubbish, lambda folder: (folder / "meta.json").write_text("{"), shutil.rmtree):
        broken = where.current()
        assert broken is not None
        damage(broken)
        found.wait_for(lambda: search(found, "ontwikkelaar") and where.current() not in (None, broken))  # noqa: B023
        found.wait_for(lambda: search(found, "ontwikkelaar").total_size == 1)
        assert search(found, "welding").total_size == 2


def test_an_index_with_other_courses_than_the_database_is_noticed(found: Catalogue, tmp_path: Path) -> None:
    follower = Follower(found.app, directory.Directory(found.app.settings.index_dir))
    current = follower.current()
    follower.check(directory.open_index(current))  # control: the one in use is as it should be
    (tmp_path / "other").mkdir()
    other = directory.open_index(tmp_path / "other")

    def noticed() -> bool:  # not while transactions of other tests are under way, which might explain it
        try:
            follower.check(other)
        except IndexDamaged as damage:
            return f"has 0 courses, the database {len(ROWS)}" in str(damage)
        return False

    assert found.wait_for(noticed)
