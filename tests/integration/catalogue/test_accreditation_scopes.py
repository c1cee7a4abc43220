"""Accreditations of several schemes and scopes side by side, and what vouchers hear of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from waymark.catalogue.v1 import events_pb2
from waymark.catalogue.v1 import organisation_pb2 as pb

from services.catalogue import telling
from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, row
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of


def grant(parent: str, scheme: str, **values: Any) -> pb.GrantAccreditationRequest:
    values = {"valid_to": day("2099-12-31"), **values}
    return pb.GrantAccreditationRequest(parent=parent, scheme=scheme, **values)


def told(catalogue: Catalogue) -> Any:
    return events(catalogue, events_pb2.OrganisationChanged)[-1]


def test_several_schemes_and_scopes_stand_side_by_side_and_vouchers_hear_of_each(
    catalogue: Catalogue,
) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    scope = pb.AccreditationScope(isced_f_codes=["07"], eqf_levels=[4, 3], nuts_codes=["BE2"])
    first = calls.GrantAccreditation(grant(name, "Qualiopi", scope=scope, evidence=["file 2026/17"]))
    assert (list(first.scope.eqf_levels), list(first.evidence)) == ([3, 4], ["file 2026/17"])
    within = pb.AccreditationScope(isced_f_codes=["0715"], eqf_levels=[4], nuts_codes=["BE211"])
    assert (
        reason_of(calls.GrantAccreditation, grant(name, "Qualiopi", scope=within)) == "ACCREDITATION_OVERLAPS"
    )
    second = calls.GrantAccreditation(grant(name, "AZAV", scope=within, valid_to=day("2098-12-31")))
    assert not second.evidence
    later = calls.GrantAccreditation(grant(name, "Q", valid_from=day("2098-01-01")))
    read = catalogue.organisations("").GetOrganisation(pb.GetOrganisationRequest(name=name))
    assert list(read.accreditations) == [first, second, later]
    heard = told(catalogue)
    assert (heard.accredited, heard.accredited_until) == (True, day("2099-12-31"))
    assert sorted(list(each.isced_f_codes) for each in heard.accreditations) == [["07"], ["0715"]]
    calls.WithdrawAccreditation(pb.WithdrawAccreditationRequest(name=first.name))
    heard = told(catalogue)
    assert (heard.accredited, heard.accredited_until) == (True, day("2098-12-31"))
    assert [list(each.nuts_codes) for each in heard.accreditations] == [["BE211"]]
    for wrong in ({"isced_f_codes": ["7"]}, {"eqf_levels": [9]}, {"nuts_codes": ["Flanders"]}):
        bad = grant(name, "W", scope=pb.AccreditationScope(**wrong))
        assert reason_of(calls.GrantAccreditation, bad) == "INVALID_ARGUMENT"


def test_where_a_field_comes_to_count_others_hear_anew_of_the_courses(
    catalogue: Catalogue, monkeypatch: Any
) -> None:
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    rows = [row(f"C{number}", "Welding", subjects="ISCED-F 0715|metal") for number in range(3)]
    catalogue.feed(catalogue.source(name), feed(*rows))
    calls.GrantAccreditation(grant(name, "A", scope=pb.AccreditationScope(eqf_levels=[4])))
    telling.tell_anew(catalogue.app)
    assert len(events(catalogue, events_pb2.CourseChanged)) == 3
    calls.GrantAccreditation(grant(name, "B", scope=pb.AccreditationScope(isced_f_codes=["07"])))
    for _ in range(2):
        telling.tell_anew(catalogue.app)
    heard = events(catalogue, events_pb2.CourseChanged)
    assert len(heard) == 6
    assert all(list(each.isced_f_codes) == ["0715"] and each.sessions for each in heard)
    assert {each.version for each in heard[3:]} == {2}


def test_after_the_upgrade_vouchers_hear_what_each_course_is_called(catalogue: Catalogue) -> None:
    name, bare = catalogue.organisation("harbour"), catalogue.organisation("inland")
    catalogue.feed(catalogue.source(name), feed(row("C1", "Welding")))
    before = len(events(catalogue, events_pb2.CourseChanged))
    again = import_module("services.catalogue.migrations.versions.0028_titles_told").AGAIN
    with transaction(catalogue.app) as tx:
        assert tx.connection.exec_driver_sql(again).rowcount == 1, f"{bare} has no course"
    telling.tell_anew(catalogue.app)
    (heard,) = events(catalogue, events_pb2.CourseChanged)[before:]
    assert list(heard.titles.values()) == ["Welding"]
