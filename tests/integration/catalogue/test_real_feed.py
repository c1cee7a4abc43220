"""The real Open University feed, ESCO 1.1.1 and the real shortage lists, from upload to search."""

from __future__ import annotations

from pathlib import Path

import pytest
from waymark.catalogue.v1 import course_pb2, feed_run_pb2, search_pb2

from services.catalogue.events import ENTRIES_PER_EVENT
from tests.support.catalogue import XML, Catalogue, day
from tests.support.real_data import real_data

LABELS_NL = Path(__file__).resolve().parents[3] / "samples" / "taxonomy" / "isco08_labels_nl.csv"


@pytest.fixture
def real(catalogue: Catalogue) -> Catalogue:
    esco = real_data("taxonomy/esco-1.1.1/occupations_en.csv").read_bytes()
    isco = real_data("taxonomy/esco-1.1.1/ISCOGroups_en.csv").read_bytes()
    version = catalogue.import_taxonomy(esco, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", "1.1.1")
    assert version.concept_count > 2900
    version = catalogue.import_taxonomy(isco, "ISCO_08", "ISCO_GROUPS", "08")
    assert version.concept_count == 619
    catalogue.import_taxonomy(LABELS_NL.read_bytes(), "ISCO_08", "LABELS", "08")
    return catalogue


@pytest.fixture
def open_university(real: Catalogue) -> str:
    return real.source(real.organisation("open-university"), "XCRI_CAP_1_2")


FEED = "feeds/xcri-cap-1.2/ou-conversion.xml"


def test_whole_way(real: Catalogue, open_university: str) -> None:
    data = real_data(FEED).read_bytes()
    dry = real.feed(open_university, data, XML, dry_run=True)
    assert dry.state == feed_run_pb2.FeedRun.STATE_SUCCEEDED
    assert (dry.records_in, dry.records_accepted, dry.courses_created) == (965, 965, 965)
    assert not real.courses().ListCourses(course_pb2.ListCoursesRequest()).courses

    run = real.feed(open_university, data, XML)
    assert run.state == feed_run_pb2.FeedRun.STATE_SUCCEEDED
    assert run.complete
    assert run.records_in == run.records_accepted + run.records_rejected + run.records_held == 965
    assert (run.courses_created, run.error_count) == (965, 0)

    again = real.feed(open_university, data, XML)
    assert (again.courses_unchanged, again.courses_updated, again.courses_removed) == (965, 0, 0)

    listed = real_data("shortage/vdab-bottleneck-occupations-2026.csv").read_bytes()
    draft = real.draft(real.shortage_list(), listed, "NAMES", method="VDAB 2026")
    assert draft.row_count == 227
    assert draft.entry_count + draft.rejected_row_count == 227
    assert draft.entry_count > 140
    published = real.publish(draft.name, accept_findings=True)
    assert published.digest
    assert published.entry_count <= ENTRIES_PER_EVENT

    as_of = day("2012-09-01")
    # The index takes a feed over in parts.
    real.wait_for(lambda: real.search(as_of=as_of, include_not_bookable=True).total_size == 965)
    facets = ["FACET_ISCO_CODE", "FACET_SHORTAGE"]
    hit, *_ = real.wait_for(lambda: real.search("nursing", shortage=True, as_of=as_of, facets=facets).hits)
    assert any(tag.isco_code == "2221" for tag in hit.occupations)
    kinds = {reason.kind for reason in hit.reasons}
    assert {search_pb2.SearchReason.KIND_WORDS, search_pb2.SearchReason.KIND_SHORTAGE} <= kinds


def test_isco_index(real: Catalogue) -> None:
    data = real_data("shortage/isco08-shortage-index.csv").read_bytes()
    draft = real.draft(real.shortage_list("index", "DE"), data, "ISCO_INDEX")
    assert draft.row_count == 322
    assert draft.entry_count > 50
    assert draft.entry_count + draft.rejected_row_count <= 322
