"""Shortage lists: draft with findings, publish by a second person, immutable, as-of answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import events_pb2, shortage_list_pb2

from services.catalogue.domain import shortage
from services.platform.db.transaction import transaction
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import DEVELOPER, MANAGER, Catalogue, day, in_threads, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused

HEAD = b"occupation,region,severity,cause\n"
ROWS = HEAD + b"251,BE2,4,too_few_people\nbaker,BE211,2,\n"
BAD = ROWS + b"dragon tamer,BE2,3,\n"
Publish = shortage_list_pb2.PublishShortageListVersionRequest
Drop = shortage_list_pb2.DeleteShortageListVersionRequest


@pytest.fixture
def lists(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


def check(
    catalogue: Catalogue, occupation: str, nuts: str, on: str
) -> shortage_list_pb2.CheckShortageResponse:
    request = shortage_list_pb2.CheckShortageRequest(occupation=occupation, nuts_code=nuts, date=day(on))
    answer: shortage_list_pb2.CheckShortageResponse = catalogue.shortages("").CheckShortage(request)
    return answer


def test_from_draft_to_answer(lists: Catalogue) -> None:
    parent = lists.shortage_list()
    draft = lists.draft(parent, BAD)
    assert (draft.row_count, draft.entry_count, draft.rejected_row_count, draft.error_count) == (3, 2, 1, 1)
    findings = (
        lists.shortages()
        .ListShortageFindings(shortage_list_pb2.ListShortageFindingsRequest(parent=draft.name))
        .findings
    )
    assert [(f.line, f.path, f.value, f.code) for f in findings] == [
        (4, "occupation", "dragon tamer", "OCCUPATION_UNMATCHED")
    ]
    second = lists.shortages(lists.second).PublishShortageListVersion
    assert reason_of(second, Publish(name=draft.name)) == "SHORTAGE_LIST_HAS_FINDINGS"
    maker = lists.shortages().PublishShortageListVersion
    assert reason_of(maker, Publish(name=draft.name, accept_findings=True)) == "SAME_PERSON"
    hidden = shortage_list_pb2.GetShortageListVersionRequest(name=draft.name)
    assert reason_of(lists.shortages("").GetShortageListVersion, hidden) == "NOT_FOUND"

    published = lists.publish(draft.name, accept_findings=True)
    assert len(published.digest) == 64
    assert reason_of(second, Publish(name=draft.name, accept_findings=True)) == "WRONG_STATE"
    assert lists.shortages("").GetShortageListVersion(hidden) == published

    answer = check(lists, DEVELOPER, "BE211", "2012-06-01")
    assert (answer.short, answer.version, answer.entry.occupation.isco_code) == (True, draft.name, "251")
    assert answer.entry.severity == 4
    for occupation, nuts, on in (
        (DEVELOPER, "BE211", "2011-12-31"),
        (DEVELOPER, "BE1", "2012-06-01"),
        ("25", "BE2", "2012-06-01"),
        ("7512", "BE2", "2012-06-01"),
    ):
        assert not check(lists, occupation, nuts, on).short
    for nothing in ("http://x/y", "9999", "7"):  # ISCO-08 is imported, without such a group
        unknown = shortage_list_pb2.CheckShortageRequest(occupation=nothing, nuts_code="BE2")
        assert fields_refused(lists.shortages("").CheckShortage, unknown) == ["occupation"]
    for nowhere in ("XX", "BEZ", "BE299", "GB"):
        unknown = shortage_list_pb2.CheckShortageRequest(occupation="2512", nuts_code=nowhere)
        assert fields_refused(lists.shortages("").CheckShortage, unknown) == ["nuts_code"]
    assert not check(lists, DEVELOPER, "FRY", "2012-06-01").short  # known, without a middle

    head, entries = (
        events(lists, kind)
        for kind in (events_pb2.ShortageListPublished, events_pb2.ShortageListEntriesPublished)
    )
    assert [(e.version, e.entry_count, e.digest) for e in head] == [(draft.name, 2, published.digest)]
    assert [[entry.nuts_code for entry in e.entries] for e in entries] == [["BE2", "BE211"]]


def test_regions_that_a_list_speaks_of_need_not_be_of_nuts_2024(lists: Catalogue) -> None:
    """PT17 was a region until NUTS 2021, and GB has none; a list decides for them all the same."""
    rows = b"occupation,region,severity,cause\n2512,PT17,4,\n"
    questions = [
        shortage_list_pb2.CheckShortageRequest(occupation="2512", nuts_code=region, date=day("2026-06-01"))
        for region in ("PT17", "PT170", "GBX", "GBXY1")
    ]
    stub = lists.shortages("").CheckShortage
    assert {tuple(fields_refused(stub, each)) for each in questions} == {("nuts_code",)}
    lists.publish(lists.draft(lists.shortage_list(), rows, valid_from=day("2026-01-01")).name)
    assert [stub(each).short for each in questions[:2]] == [True, True]
    assert fields_refused(stub, questions[2]) == ["nuts_code"]
    lists.shortage_list("britain", "GB")
    lists.publish(lists.draft("shortageLists/britain", ROWS, valid_from=day("2026-01-01")).name)
    assert [stub(each).short for each in questions[2:]] == [False, False]
    other = shortage_list_pb2.CheckShortageRequest(occupation="2512", nuts_code="PT1A9")
    assert fields_refused(stub, other) == ["nuts_code"]  # of a country that has regions


def test_versions_follow_each_other(lists: Catalogue) -> None:
    parent = lists.shortage_list()
    first = lists.publish(lists.draft(parent, ROWS, valid_from=day("2025-01-01")).name)
    draft = lists.draft(parent, HEAD + b"7512,BE2,5,\n", valid_from=day("2025-01-01"))
    second = lists.shortages(lists.second).PublishShortageListVersion
    assert reason_of(second, Publish(name=draft.name)) == "SHORTAGE_VERSION_OVERLAPS"
    draft = lists.draft(parent, HEAD + b"7512,BE2,5,\n", valid_from=day("2026-01-01"))
    lists.publish(draft.name)
    assert check(lists, "2512", "BE2", "2025-12-31").version == first.name
    assert not check(lists, "2512", "BE2", "2026-01-01").short
    assert check(lists, "7512", "BE2", "2026-01-01").version == draft.name
    with pytest.MonkeyPatch.context() as patch:  # a draft from before such years were refused
        patch.setattr(shortage, "FARTHEST", timedelta(days=100_000))
        wrong = lists.draft(parent, HEAD + b"7512,BE2,5,\n", valid_from=day("2062-01-01"))
    assert reason_of(second, Publish(name=wrong.name)) == "SHORTAGE_VERSION_TOO_FAR"
    stale = Drop(name=wrong.name, etag="old")
    assert reason_of(lists.shortages().DeleteShortageListVersion, stale) == "ETAG_STALE"
    lists.shortages().DeleteShortageListVersion(Drop(name=wrong.name))
    assert reason_of(second, Publish(name=wrong.name)) == "NOT_FOUND"
    assert reason_of(lists.shortages().DeleteShortageListVersion, Drop(name=first.name)) == "WRONG_STATE"
    empty = lists.draft(parent, HEAD, valid_from=day("2027-01-01"))
    assert reason_of(second, Publish(name=empty.name)) == "SHORTAGE_LIST_EMPTY"
    listed = lists.shortages("").ListShortageListVersions(
        shortage_list_pb2.ListShortageListVersionsRequest(parent=parent)
    )
    assert len(listed.shortage_list_versions) == 2
    entries = shortage_list_pb2.ListShortageEntriesRequest(parent=first.name, page_size=1)
    page = lists.shortages("").ListShortageEntries(entries)
    entries.page_token = page.next_page_token
    more = lists.shortages("").ListShortageEntries(entries)
    assert [e.line for e in (*page.shortage_entries, *more.shortage_entries)] == [2, 3]
    assert [
        x.name
        for x in lists.shortages("")
        .ListShortageLists(shortage_list_pb2.ListShortageListsRequest())
        .shortage_lists
    ] == [parent]


def test_the_database_itself_wants_a_second_person_and_no_change(lists: Catalogue) -> None:
    name = lists.draft(lists.shortage_list(), ROWS).name
    publish = f"UPDATE shortage_versions SET published_by = '{MANAGER}', publish_time = now(), digest = 'x' "
    with (
        pytest.raises(IntegrityError, match="shortage_version_second_person"),
        transaction(lists.app) as tx,
    ):
        tx.connection.exec_driver_sql(publish)
    lists.publish(name)
    for statement in (
        "UPDATE shortage_versions SET method = 'x'",
        "DELETE FROM shortage_entries",
        "UPDATE shortage_entries SET severity = 1",
        "INSERT INTO shortage_entries SELECT list_id, number, 99, uri, isco_code, label, nuts_code, 1, 0, 9 "
        "FROM shortage_entries LIMIT 1",
    ):
        with (
            pytest.raises(sqlalchemy.exc.DBAPIError, match="never changes"),
            transaction(lists.app) as tx,
        ):
            tx.connection.exec_driver_sql(statement)


def test_control_without_the_rule_an_entry_changes(lists: Catalogue) -> None:
    lists.publish(lists.draft(lists.shortage_list(), ROWS).name)
    with transaction(lists.app) as tx:
        tx.connection.exec_driver_sql("ALTER TABLE shortage_entries DISABLE TRIGGER frozen")
        changed = tx.connection.exec_driver_sql("UPDATE shortage_entries SET severity = 1").rowcount
    assert changed == 2


def test_many_publishers_one_publication(lists: Catalogue) -> None:
    name = lists.draft(lists.shortage_list(), ROWS).name
    results = in_threads(6, lambda _: lists.publish(name))
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert len(events(lists, events_pb2.ShortageListPublished)) == 1


def test_what_is_no_list(lists: Catalogue) -> None:
    parent = lists.shortage_list()
    request = shortage_list_pb2.CreateShortageListVersionRequest(
        parent=parent,
        upload=lists.upload(b"a,b\n"),
        format="SHORTAGE_FORMAT_TEMPLATE_CSV",
        valid_from=day("2026-01-01"),
    )
    create = lists.shortages().CreateShortageListVersion
    assert reason_of(create, request) == "SHORTAGE_FILE_INVALID"
    request.valid_to.CopyFrom(day("2025-01-01"))
    assert reason_of(create, request) == "INVALID_ARGUMENT"
    request.valid_to.CopyFrom(day("2026-02-01"))
    request.valid_to.day = 30
    assert reason_of(create, request) == "INVALID_ARGUMENT"
    request.parent = "shortageLists/none"
    assert reason_of(create, request) == "NOT_FOUND"
