"""Figures of several sources: taken in by file, hidden where they tell small counts, queried, exported."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from sqlalchemy import text
from waymark.catalogue.v1 import observation_pb2 as pb

from services.catalogue.imports import observations as importing
from services.catalogue.service import WORK
from services.platform.db.transaction import transaction
from services.platform.operations.runner import run_chunk
from tests.support.catalogue import DEVELOPER, Catalogue, with_taxonomy
from tests.support.portfolio import reason_of

HEAD = b"measure,occupation,region,period,value,unit,status,suppressed\n"
REGIONS = HEAD + (
    b"vacancies,2512,BE2,2026-Q1,100,persons,,\n"
    b"vacancies,2512,BE21,2026-Q1,3,persons,,\n"
    b"vacancies,2512,BE22,2026-Q1,40,persons,,\n"
    b"vacancies,2512,BE23,2026-Q1,57,persons,,\n"
)


@pytest.fixture
def lmi(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


def shown(lmi: Catalogue, **wanted: object) -> dict[tuple[str, str, str], float | None]:
    """Figures by occupation, region and period; None where hidden."""
    return {
        (each.occupation, each.nuts_code, each.period): each.value if each.HasField("value") else None
        for each in lmi.figures(**wanted).observations
    }


def test_a_small_count_and_its_companion_are_hidden_and_kept_nowhere(lmi: Catalogue) -> None:
    source = lmi.observation_source("register")
    done = lmi.take_in(source, REGIONS)
    assert (done.state, done.accepted_count, done.suppressed_count) == (
        pb.ObservationImport.STATE_SUCCEEDED,
        4,
        2,
    )
    assert shown(lmi) == {
        ("2512", "BE2", "2026-Q1"): 100,
        ("2512", "BE21", "2026-Q1"): None,
        ("2512", "BE22", "2026-Q1"): None,
        ("2512", "BE23", "2026-Q1"): 57,
    }
    hidden = [each for each in lmi.figures().observations if each.suppressed]
    assert (
        len({str(MessageToDict(each)).replace("BE21", "BE22") for each in hidden}) == 1
    )  # nothing tells which
    with transaction(lmi.app, read_only=True) as tx:
        for table in ("observations", "observation_staged"):
            assert not tx.execute(text(f"SELECT 1 FROM {table} WHERE value IN (3, 40)")).all()


def test_control_without_companions_the_total_tells_the_small_count(
    lmi: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "companions", lambda *_: set())
    lmi.take_in(lmi.observation_source("register"), REGIONS)
    seen = {region: value for (_, region, _), value in shown(lmi).items()}
    assert seen.pop("BE21") is None
    assert seen["BE2"] - seen["BE22"] - seen["BE23"] == 3  # type: ignore[operator]


def test_a_total_that_comes_later_is_hidden_not_what_people_have_seen(lmi: Catalogue) -> None:
    source = lmi.observation_source("register")
    lines = REGIONS.splitlines(keepends=True)
    lmi.take_in(source, b"".join([lines[0], *lines[2:]]))
    assert shown(lmi)["2512", "BE22", "2026-Q1"] == 40
    lmi.take_in(source, b"".join(lines[:2]))
    assert shown(lmi) == {
        ("2512", "BE2", "2026-Q1"): None,
        ("2512", "BE21", "2026-Q1"): None,
        ("2512", "BE22", "2026-Q1"): 40,
        ("2512", "BE23", "2026-Q1"): 57,
    }


def test_a_corrected_file_does_not_hide_what_the_former_one_has_shown(lmi: Catalogue) -> None:
    """What people have copied of the former figures tells no small count of the new ones."""
    source = lmi.observation_source("register")
    lmi.take_in(source, REGIONS)
    seen = {region: value for (_, region, _), value in shown(lmi).items()}
    assert (seen["BE22"], seen["BE23"]) == (None, 57)
    corrected = REGIONS.replace(b"BE22,2026-Q1,40", b"BE22,2026-Q1,70").replace(b",100,", b",130,")
    lmi.take_in(source, corrected)
    now = {region: value for (_, region, _), value in shown(lmi).items()}
    told = {**seen, **{region: value for region, value in now.items() if value is not None}}
    assert told["BE21"] is None
    assert told["BE22"] is None  # else 130 - 70 - 57 would be the small one


def test_how_tight_a_market_is_does_not_tell_a_hidden_count(lmi: Catalogue) -> None:
    source = lmi.observation_source("register")
    tight = HEAD + b"tightness,2512,BE2,2026,0.5,ratio,,\n"
    counts = HEAD + b"vacancies,2512,BE2,2026,4,persons,,\njobseekers,2512,BE2,2026,8,persons,,\n"
    lmi.take_in(source, tight)
    tightness = {"measures": [pb.OBSERVATION_MEASURE_TIGHTNESS]}
    assert shown(lmi, **tightness) == {("2512", "BE2", "2026"): 0.5}
    lmi.take_in(source, counts)
    assert shown(lmi, **tightness) == {("2512", "BE2", "2026"): None}
    lmi.take_in(source, tight)  # again, and in this order
    assert shown(lmi, **tightness) == {("2512", "BE2", "2026"): None}


def test_several_sources_at_once_each_with_its_caveats_paged(lmi: Catalogue) -> None:
    lmi.take_in(lmi.observation_source("register"), REGIONS)
    online = lmi.observation_source("online", 0, biased=True, bias="few manual jobs")
    lmi.take_in(online, HEAD + f"vacancies,{DEVELOPER},BE2,2026-02,7,persons,provisional,\n".encode())
    lmi.take_in(
        online, HEAD + b"vacancies,2512,BE2,2026-Q1,60,persons,,\nwage,_T,BE2,2025,2900.5,EUR/month,,\n"
    )
    answer = lmi.figures(occupations=["2512", DEVELOPER], nuts_codes=["BE2"], period_from="2026-Q1")
    assert [(each.source, each.value) for each in answer.observations] == [
        ("observationSources/online", 60),
        ("observationSources/register", 100),
        ("observationSources/online", 7),
    ]
    assert [(each.name, each.biased, each.bias) for each in answer.sources] == [
        ("observationSources/online", True, "few manual jobs"),
        ("observationSources/register", False, ""),
    ]
    assert answer.observations[2].taxonomy_version == "taxonomies/esco-occupations/versions/1.1.1"
    pages, token = [], ""
    while True:
        request = pb.ListObservationsRequest(page_size=2, page_token=token)
        page = lmi.observations("").ListObservations(request)
        pages += page.observations
        token = page.next_page_token
        if not token:
            break
    assert pages == list(lmi.figures().observations)
    assert len(pages) == 7
    bad = pb.ListObservationsRequest(filter={"period_to": "last year"})
    assert reason_of(lmi.observations("").ListObservations, bad) == "INVALID_ARGUMENT"


def test_findings_name_line_column_and_remedy(lmi: Catalogue) -> None:
    rows = (
        b"vacancies,2512,BE2,2026-Q1,10,persons,,\n"
        b"vacancies,9999,be2,2026-W1,x,7,maybe,perhaps\n"
        b"vacancies,2512,BE2,2026-Q1,11,persons,,\n"
        b"jobseekers,2512,BE2,2026,-1,persons,,\n"
        b"employment,2512,BE2,2026,1.5,persons,,\n"
    )
    source = lmi.observation_source("register")
    tried = lmi.take_in(source, HEAD + rows, dry_run=True)
    assert (tried.row_count, tried.accepted_count, tried.rejected_count) == (5, 1, 4)
    assert not lmi.figures().observations
    done = lmi.take_in(source, HEAD + rows)
    request = pb.ListObservationFindingsRequest(parent=done.name)
    found = lmi.observations().ListObservationFindings(request).findings
    assert {(each.line, each.path, each.code) for each in found} == {
        (3, "status", "STATUS_UNKNOWN"),
        (3, "period", "PERIOD_INVALID"),
        (3, "occupation", "OCCUPATION_UNKNOWN"),
        (3, "region", "NUTS_INVALID"),
        (3, "unit", "UNIT_INVALID"),
        (3, "suppressed", "SUPPRESSED_INVALID"),
        (3, "value", "VALUE_INVALID"),
        (4, "occupation", "OBSERVATION_DOUBLED"),
        (5, "value", "VALUE_NEGATIVE"),
        (6, "value", "COUNT_NOT_WHOLE"),
    }
    assert all(each.remedy for each in found)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n", "Line 1 lacks the columns measure"),
        (HEAD + b"vacancies,2512\n", "Line 2 has 2 values, the header 8"),
        (HEAD + b"\xff\xfe,\n", "UTF-8"),
    ],
)
def test_what_is_no_file_of_figures(lmi: Catalogue, data: bytes, told: str) -> None:
    with pytest.raises(grpc.RpcError, match=told):
        lmi.take_in(lmi.observation_source("register"), data)


def test_a_line_further_down_that_cannot_be_read_ends_the_import_and_nothing_is_taken_over(
    lmi: Catalogue,
) -> None:
    done = lmi.take_in(lmi.observation_source("register"), REGIONS + b"vacancies,2512\n")
    assert (done.state, done.reason) == (pb.ObservationImport.STATE_FAILED, "OBSERVATION_FILE_INVALID")
    assert done.explanation == "Line 6 has 2 values, the header 8."
    assert not lmi.figures().observations


def test_a_long_file_comes_in_by_chunks(lmi: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SIZE", 2)
    done = lmi.take_in(lmi.observation_source("register", 0), REGIONS)
    assert (done.row_count, done.accepted_count) == (4, 4)
    assert len(shown(lmi)) == 4


@pytest.mark.parametrize("form", ["CSV", "SDMX_CSV"])
def test_what_is_exported_can_be_imported_and_tells_no_more(lmi: Catalogue, form: str) -> None:
    lmi.take_in(lmi.observation_source("register"), REGIONS)
    number = pb.ObservationFormat.Value(f"OBSERVATION_FORMAT_{form}")
    parts = lmi.observations("").ExportObservations(pb.ExportObservationsRequest(format=number))
    data = b"".join(part.data for part in parts)
    assert b",3," not in data
    assert b",40," not in data
    before = shown(lmi)
    again = lmi.take_in(lmi.observation_source("copy"), data, form)
    assert (again.accepted_count, again.rejected_count) == (4, 0)
    assert shown(lmi, sources=["observationSources/copy"]) == before


def test_sources_say_how_they_are_biased(lmi: Catalogue) -> None:
    made = pb.CreateObservationSourceRequest(
        observation_source_id="online",
        observation_source=pb.ObservationSource(
            publisher="Cedefop", method="scraped", coverage="online", licence="CC BY 4.0", biased=True
        ),
    )
    assert reason_of(lmi.observations().CreateObservationSource, made) == "INVALID_ARGUMENT"
    made.observation_source.bias = "few manual jobs"
    lmi.observations().CreateObservationSource(made)
    assert reason_of(lmi.observations().CreateObservationSource, made) == "ALREADY_EXISTS"
    listed = (
        lmi.observations("").ListObservationSources(pb.ListObservationSourcesRequest()).observation_sources
    )
    assert [each.name for each in listed] == ["observationSources/online"]


def test_the_query_by_occupation_and_region_uses_the_order_of_the_key(lmi: Catalogue) -> None:
    lmi.take_in(lmi.observation_source("register"), REGIONS)
    with transaction(lmi.app, read_only=True) as tx:
        tx.execute(text("SET LOCAL enable_seqscan = off"))
        plan = tx.execute(
            text(
                "EXPLAIN SELECT * FROM observations WHERE occupation IN ('2512') AND nuts_code IN ('BE2') "
                "ORDER BY occupation, nuts_code, first_day, period, measure, source_id LIMIT 51"
            )
        )
        told = "\n".join(plan.scalars())
    assert "observations_pkey" in told or "observations_region" in told
    assert "Seq Scan" not in told


def test_the_newest_import_is_taken_back_and_what_was_hidden_for_it_stays_hidden(lmi: Catalogue) -> None:
    source = lmi.observation_source("register")
    other = HEAD + b"wage,2512,BE2,2026,4000,EUR/month,,\n"
    first = lmi.take_in(source, REGIONS.replace(b",3,", b",30,") + other[len(HEAD) :])
    before = shown(lmi)
    assert (before["2512", "BE21", "2026-Q1"], len(before)) == (30, 5)
    dry = lmi.take_in(source, REGIONS, dry_run=True)
    wrong = lmi.take_in(
        source,
        HEAD
        + b"vacancies,2512,BE2,2026-Q1,1000,persons,,\n"
        + b"vacancies,2512,BE22,2026-Q1,40,persons,,\n"  # as it was
        + b"vacancies,2512,BE23,2025-Q4,9,persons,,\n"
        + b"wage,2512,BE2,2026,1,EUR/month,,\n",
    )
    assert shown(lmi)["2512", "BE2", "2026-Q1"] == 1000
    calls, undo = lmi.observations(), pb.UndoObservationImportRequest
    assert reason_of(calls.UndoObservationImport, undo(name=first.name)) == "OBSERVATION_IMPORT_NOT_NEWEST"
    assert reason_of(calls.UndoObservationImport, undo(name=dry.name)) == "WRONG_STATE"
    assert taken_back(lmi, wrong.name) == pb.ObservationImport.STATE_SUCCEEDED
    assert shown(lmi) == before
    assert reason_of(calls.UndoObservationImport, undo(name=wrong.name)) == "WRONG_STATE"
    small = lmi.take_in(source, HEAD + b"vacancies,2512,BE21,2026-Q1,3,persons,,\n")
    assert small.suppressed_count == 2
    hidden = {key for key, value in shown(lmi).items() if value is None}
    assert taken_back(lmi, small.name) == pb.ObservationImport.STATE_SUCCEEDED
    after = shown(lmi)
    companions = hidden - {("2512", "BE21", "2026-Q1")}
    assert {key for key, value in after.items() if value is None} >= companions
    with transaction(lmi.app, read_only=True) as tx:
        assert not tx.execute(text("SELECT 1 FROM observation_former")).all()


def taken_back(lmi: Catalogue, name: str) -> int:
    """Has an import taken back; returns how that ended."""
    asked = lmi.observations().UndoObservationImport(pb.UndoObservationImportRequest(name=name))
    assert asked.undo_state == pb.ObservationImport.STATE_QUEUED
    while run_chunk(lmi.app, WORK):
        pass
    found = lmi.observations().GetObservationImport(pb.GetObservationImportRequest(name=name))
    return int(found.undo_state)
