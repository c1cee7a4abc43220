"""A version beside the one in use changes nothing until a second person applies what a report told."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import course_pb2, events_pb2, taxonomy_change_pb2_grpc, taxonomy_pb2
from waymark.catalogue.v1 import taxonomy_change_pb2 as pb

from services.catalogue import taxonomy_changing
from services.catalogue.service import WORK
from services.platform.db.transaction import transaction
from services.platform.operations.runner import run_chunk
from tests.integration.catalogue.feeds import feed, row
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import DEVELOPER, NURSE, Catalogue, with_taxonomy
from tests.support.portfolio import reason_of, refused
from tests.support.refusals import fields_refused

BASE = "http://data.europa.eu/esco/occupation"
BAKER = f"{BASE}/baker"
HEAD = b"conceptUri,iscoGroup,preferredLabel,altLabels,description,code\n"
# The developer is split, the baker replaced, the nurse has another name, the pilot is new.
NEXT = (
    HEAD
    + (
        f"{BASE}/web,2513,web developer,,,1\n{BASE}/app,2514,application developer,,,2\n"
        f"{BASE}/nurse,2221,general nurse,,,3\n{BASE}/breadmaker,7512,bread maker,,,4\n"
        f"{BASE}/pilot,3153,pilot,,,5\n"
    ).encode()
)
LINKS = (
    f"source,target,strength\n{DEVELOPER},{BASE}/web,narrow\n{DEVELOPER},{BASE}/app,narrow\n"
    f"{BAKER},{BASE}/breadmaker,exact\n{BAKER},{BASE}/pilot,broad\n"
).encode()
OLD, NEW = (f"taxonomies/esco-occupations/versions/{version}" for version in ("1.1.1", "1.2"))
T = pb.TaxonomyChange


def stub(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(taxonomy_change_pb2_grpc.TaxonomyChangeServiceStub, access)


def link(catalogue: Catalogue, data: bytes, source: str = OLD, target: str = NEW) -> Any:
    return pb.ImportConceptLinksRequest(upload=catalogue.upload(data), source=source, target=target)


def done(catalogue: Catalogue, name: str) -> Any:
    while run_chunk(catalogue.app, WORK):
        pass
    return stub(catalogue).GetTaxonomyChange(pb.GetTaxonomyChangeRequest(name=name))


def tags(catalogue: Catalogue) -> dict[str, list[tuple[str, float, str]]]:
    """By the partner's id: URI, confidence and version of each tag."""
    found = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    return {
        course.external_id: [(t.uri, round(t.confidence, 2), t.taxonomy_version) for t in course.occupations]
        for course in found
    }


@pytest.fixture
def tagged(catalogue: Catalogue) -> tuple[Catalogue, str]:
    """Courses that are tagged in the version in use, one of them by a person."""
    with_taxonomy(catalogue)
    source = catalogue.source(catalogue.organisation("harbour"))
    names = ("software developer", "baker", "nurse responsible for general care", "baker for two")
    catalogue.feed(source, feed(*(row(key, name) for key, name in zip("ABCD", names, strict=True))))
    course = next(
        each
        for each in catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
        if each.external_id == "D"
    )
    given = course_pb2.Course(
        name=course.name, etag=course.etag, occupations=[course_pb2.OccupationTag(uri=DEVELOPER)]
    )
    mask = FieldMask(paths=["occupations"])
    catalogue.courses().CorrectCourse(course_pb2.CorrectCourseRequest(course=given, update_mask=mask))
    return catalogue, source


@pytest.fixture
def proposed(tagged: tuple[Catalogue, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Catalogue, str, Any]:
    """The courses, one more, and a change to the next version that is being counted, in several chunks."""
    catalogue, source = tagged
    monkeypatch.setattr(taxonomy_changing, "SIZE", 2)
    catalogue.import_taxonomy(NEXT, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", "1.2")
    assert stub(catalogue).ImportConceptLinks(link(catalogue, LINKS)).link_count == 4
    # Nothing moves in silence: not what is stored, not what comes in next.
    again = catalogue.feed(source, feed(row("A", "software developer"), row("E", "baker")), partial=True)
    assert (again.courses_unchanged, tags(catalogue)["E"][0][::2]) == (1, (BAKER, "1.1.1"))
    assert [tags(catalogue)[key][0][0] for key in "ABCD"] == [DEVELOPER, BAKER, NURSE, DEVELOPER]
    catalogue.publish(catalogue.draft(catalogue.shortage_list(), b"occupation\nbaker\n").name)
    change = stub(catalogue).ProposeTaxonomyChange(pb.ProposeTaxonomyChangeRequest(to_version=NEW))
    return catalogue, source, change


def test_a_report_says_what_would_move_to_what(proposed: tuple[Catalogue, str, Any]) -> None:
    catalogue, _, change = proposed
    assert (change.state, change.from_version, change.to_version) == (T.STATE_COUNTING, OLD, NEW)
    report = done(catalogue, change.name)
    assert (report.state, dict(report.counts)) == (
        T.STATE_PROPOSED,
        {
            "kept": 0,
            "relabelled": 1,
            "replaced": 1,
            "split": 1,
            "vanished": 0,
            "added": 4,
            "courses": 4,
            "corrections": 1,
            "shortage_entries": 1,
            "observations": 0,
        },
    )
    items = stub(catalogue).ListTaxonomyChangeItems(pb.ListTaxonomyChangeItemsRequest(parent=report.name))
    assert [(i.uri, i.kind, list(i.targets), i.course_count) for i in items.taxonomy_change_items] == [
        (BAKER, pb.TaxonomyChangeItem.KIND_REPLACED, [f"{BASE}/breadmaker"], 2),
        (DEVELOPER, pb.TaxonomyChangeItem.KIND_SPLIT, [f"{BASE}/app", f"{BASE}/web"], 2),
        (NURSE, pb.TaxonomyChangeItem.KIND_RELABELLED, [NURSE], 0),
    ]


def test_a_second_person_applies_it_and_it_can_be_undone(proposed: tuple[Catalogue, str, Any]) -> None:
    catalogue, source, change = proposed
    applying = pb.ApplyTaxonomyChangeRequest(name=change.name)
    second = stub(catalogue, catalogue.second)
    assert reason_of(second.ApplyTaxonomyChange, applying) == "WRONG_STATE"  # it is being counted
    done(catalogue, change.name)
    assert reason_of(stub(catalogue).ApplyTaxonomyChange, applying) == "SAME_PERSON"
    before = tags(catalogue)
    told = len(events(catalogue, events_pb2.CourseChanged))
    assert second.ApplyTaxonomyChange(applying).state == T.STATE_APPLYING
    applied = done(catalogue, change.name)
    assert (applied.state, applied.done_count, applied.total_count) == (T.STATE_APPLIED, 5, 5)
    now = tags(catalogue)
    half = round(before["A"][0][1] / 2, 2)
    assert now["A"] == [(f"{BASE}/app", half, "1.2"), (f"{BASE}/web", half, "1.2")]
    assert now["B"][0][::2] == now["E"][0][::2] == (f"{BASE}/breadmaker", "1.2")
    assert now["C"][0][::2] == (NURSE, "1.2")
    assert now["D"] == before["D"]  # a person set it
    assert len(events(catalogue, events_pb2.CourseChanged)) == told + 5  # of D what its feed says moved
    found = taxonomy_pb2.SearchConceptsRequest(query="pilot")
    assert catalogue.taxonomies("").SearchConcepts(found).concepts[0].name.startswith(NEW)

    # Undone: as it was, but for what has changed since.
    catalogue.feed(source, feed(row("B", "pilot")), partial=True)
    undo = pb.UndoTaxonomyChangeRequest(name=change.name)
    assert second.UndoTaxonomyChange(undo).state == T.STATE_UNDOING
    assert done(catalogue, change.name).state == T.STATE_UNDONE
    after = tags(catalogue)
    assert {key: after[key] for key in "ACDE"} == {key: before[key] for key in "ACDE"}
    assert after["B"][0][0] == f"{BASE}/pilot"
    assert reason_of(second.UndoTaxonomyChange, undo) == "WRONG_STATE"


def test_a_report_that_was_overtaken_is_not_applied_and_one_person_is_not_two(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    for version in ("1.2", "1.3"):
        catalogue.import_taxonomy(NEXT, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", version)
    propose = stub(catalogue).ProposeTaxonomyChange
    names = [propose(pb.ProposeTaxonomyChangeRequest(to_version=f"{NEW[:-1]}{digit}")).name for digit in "23"]
    reports = [done(catalogue, name) for name in names]
    assert reports[0].counts["vanished"] == 2  # no link says what replaces them
    apply = stub(catalogue, catalogue.second).ApplyTaxonomyChange
    apply(pb.ApplyTaxonomyChangeRequest(name=names[0]))
    done(catalogue, names[0])
    assert reason_of(apply, pb.ApplyTaxonomyChangeRequest(name=names[1])) == "WRONG_STATE"
    assert fields_refused(propose, pb.ProposeTaxonomyChangeRequest(to_version=NEW)) == ["to_version"]
    # Control: the database itself wants a second person.
    with (
        pytest.raises(IntegrityError, match="taxonomy_change_second_person"),
        transaction(catalogue.app) as tx,
    ):
        tx.connection.exec_driver_sql("UPDATE taxonomy_changes SET applied_by = proposed_by")


def test_links_name_what_is_there(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    isco = "taxonomies/isco-08/versions/08"
    calls = stub(catalogue)
    good = link(catalogue, f"source,target,strength\n{NURSE},2221,broad\n".encode(), OLD, isco)
    calls.ImportConceptLinks(good)
    good.upload = catalogue.upload(f"source,target,strength\n{NURSE},2221,close\n".encode())
    calls.ImportConceptLinks(good)
    request = pb.ListConceptLinksRequest(parent=OLD, target=isco)
    (found,) = stub(catalogue, "").ListConceptLinks(request).concept_links
    assert (found.source, found.target) == (f"{OLD}/concepts/nurse", f"{isco}/concepts/C2221")
    assert found.strength == pb.LINK_STRENGTH_CLOSE
    bad = link(catalogue, f"source,target,strength\nx,2221,near\n{NURSE},9,exact\n".encode(), OLD, isco)
    assert refused(calls.ImportConceptLinks, bad).reason == "TAXONOMY_FILE_INVALID"
    assert fields_refused(calls.ImportConceptLinks, bad) == [
        "line 2, source",
        "line 2, strength",
        "line 3, target",
    ]
    bad.target = NEW
    assert reason_of(calls.ImportConceptLinks, bad) == "NOT_FOUND"


def test_any_scheme_by_the_template_in_several_languages(catalogue: Catalogue) -> None:
    template = (
        "code,label,language,alternative_labels,isco_code\n"
        "M1805,Études et développement informatique,fr,développeur|développeuse,2512\n"
        "M1805,Software development,en,,\nD1102,Boulangerie,fr,,7512\n"
    ).encode()
    request = taxonomy_pb2.ImportTaxonomyRequest(
        upload=catalogue.upload(template),
        scheme="TAXONOMY_SCHEME_NATIONAL",
        format="TAXONOMY_FORMAT_TEMPLATE_CSV",
        version="4",
        language="fr",
        national_scheme="rome",
    )
    made = catalogue.taxonomies().ImportTaxonomy(request)
    assert (made.name, list(made.languages), made.concept_count, made.label_count) == (
        "taxonomies/national-rome/versions/4",
        ["en", "fr"],
        2,
        5,
    )
    assert made.HasField("in_use_time")
    found = catalogue.taxonomies("").SearchConcepts(taxonomy_pb2.SearchConceptsRequest(query="développeuse"))
    assert (found.concepts[0].uri, found.concepts[0].labels["en"]) == (
        "urn:waymark:national-rome:M1805",
        "Software development",
    )
    request.national_scheme = ""
    assert fields_refused(catalogue.taxonomies().ImportTaxonomy, request) == ["national_scheme"]
    for scheme, code in (("ISCED_F", "0611"), ("EQF", "4"), ("NACE", "62.01"), ("NUTS", "BE211")):
        made = catalogue.import_taxonomy(f"code,label\n{code},x\n".encode(), scheme, "TEMPLATE", "1")
        assert made.scheme == taxonomy_pb2.TaxonomyScheme.Value(f"TAXONOMY_SCHEME_{scheme}")


def test_a_template_that_is_wrong_is_told_line_by_line(catalogue: Catalogue) -> None:
    bad = b"code,label,language,isco_code\n,x,,\nA,,,\nA,x,,99999\nA,x,english,\nB,x,,\nB,y,,\n"
    request = taxonomy_pb2.ImportTaxonomyRequest(
        upload=catalogue.upload(bad),
        scheme="TAXONOMY_SCHEME_EQF",
        format="TAXONOMY_FORMAT_TEMPLATE_CSV",
        version="2",
        language="en",
    )
    assert fields_refused(catalogue.taxonomies().ImportTaxonomy, request) == [
        "line 2, code",
        "line 3, label",
        "line 4, isco_code",
        "line 5, language",
        "line 7, code",
    ]
