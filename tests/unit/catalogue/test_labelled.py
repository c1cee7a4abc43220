"""Labels that stand in no course are not asked for, and one that comes to stand in a course is."""

from __future__ import annotations

import pytest
from tantivy import Searcher

from services.catalogue.search import labelled
from services.catalogue.search.labelled import Labelled, shared
from services.catalogue.search.words import either
from services.catalogue.store.taxonomies import SKILLS, LabelRow
from tests.unit.catalogue.indexed import Indexed

SKILL = "http://data.europa.eu/esco/skill/1"
BREAD = {"titles": {"en": "Baking bread at home"}}
APART = {"titles": {"en": "Dough"}, "descriptions": {"en": "You prepare yeast and then a dough."}}
TOGETHER = {"titles": {"en": "Cakes"}, "descriptions": {"en": "You prepare dough."}}


def rows(*names: str) -> tuple[LabelRow, ...]:
    return tuple(
        LabelRow("", name, "en", preferred=False, uri=SKILL, isco_code="", scheme=SKILLS) for name in names
    )


def found(searcher: Searcher, known: Labelled, names: tuple[LabelRow, ...]) -> int:
    return int(searcher.search(either(known.queries(names)), 10).count)  # type: ignore[attr-defined]


def test_only_labels_that_stand_in_a_course_are_asked_for() -> None:
    searcher = Indexed().add(BREAD, APART)
    known = Labelled(searcher)
    assert len(known.queries(rows("bread"))) == 1  # in a title, in no text
    assert (
        known.queries(rows("prepare dough", "knit", "bread knitting")) == ()
    )  # both words are there, but apart
    assert found(searcher, known, rows("bake bread", "knit")) == 1
    assert known.queries(()) == ()


def test_a_new_view_notices_a_label() -> None:
    index, names = Indexed(), rows("prepare dough")
    before = Labelled(index.add(APART))
    assert before.queries(names) == ()
    searcher = index.add(TOGETHER)
    assert before.queries(names) == ()  # control: what is kept is kept, so each view needs its own
    assert found(searcher, Labelled(searcher), names) == 1


def test_only_shared_words_that_stand_in_a_course_are_asked_for() -> None:
    german = tuple(row._replace(language="de") for row in rows("knit bread", "bread baker"))
    index = Indexed()
    known = Labelled(index.add(BREAD))
    assert (
        str(known.related(rows("bread knitting", "knit bread"))).count("TermQuery") == 1
    )  # in a title alone
    assert known.related(rows("bake bread", "knit")) is None  # nothing is shared
    assert known.related(rows("knit socks", "knitter")) is None  # in no course
    assert known.related(german) is None  # in no course of that language
    searcher = index.add({"titles": {"de": "Bread"}})
    assert known.related(german) is None  # control: what is kept is kept
    query = Labelled(searcher).related(german)
    assert query is not None
    assert len(searcher.search(query, 10).hits) == 1


def test_of_words_that_as_many_labels_share_the_first_count() -> None:
    names = rows(
        "alpha beta gamma delta kappa lambda omega sigma", "sigma omega lambda kappa delta gamma beta alpha"
    )
    words = [word for _, word, share in shared(names) if share == 1.0]
    assert words == ["alpha", "beta", "gamma", "delta", "kappa", "lambda"]  # in every process alike


def test_other_labels_of_a_concept_are_looked_up_anew() -> None:
    searcher = Indexed().add(BREAD)
    known = Labelled(searcher)
    assert found(searcher, known, rows("knit")) == 0
    assert found(searcher, known, rows("knit", "bread")) == 1  # as of another version of the taxonomy


def test_a_course_that_is_said_not_to_teach_a_skill_is_not_found_by_its_labels() -> None:
    index = Indexed()
    index.add(BREAD)
    searcher = index.add(BREAD, refused=[SKILL])
    assert found(searcher, Labelled(searcher), rows("bread")) == 1


@pytest.mark.parametrize(("most", "kept"), [(2, 1), (4, 3)])
def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch, most: int, kept: int) -> None:
    monkeypatch.setattr(labelled, "KEPT", most)
    known = Labelled(Indexed().add(BREAD))
    for name in ("bread", "home", "knit"):
        known.queries(rows(name))
        known.related(rows(name))
    assert (len(known._kept), len(known._related)) == (kept, kept)
