"""How alike courses are, and that what is alike is looked at."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from services.catalogue.domain.likeness import LEAST, Features, features, keys, likeness


def of(title: str, places: str = "", starts: str = "", provider: str = "") -> Features:
    return Features([title], places.split(), starts.split(), provider)


@pytest.mark.parametrize(
    ("one", "other", "linked"),
    [
        (of("welding for beginners"), of("welding for beginners"), True),
        (of("python programming introduction"), of("introduction to python programming"), True),
        (of("excel level 1"), of("excel level 2"), False),
        (of("advanced welding"), of("advanced wedding planning"), False),
        (of("welding", "gent", "2030-01-01"), of("welding", "liege", "2030-06-01"), False),
        (of("welding", "gent", "2030-01-01"), of("welding", "gent", "2030-06-01"), True),
        (of("welding for all", "gent"), of("welding for all men", "gent"), True),
        (of("baker bread", provider="a.example"), of("baker of bread", provider="a.example"), False),
        (of(""), of("welding"), False),
    ],
)
def test_what_counts_as_alike(one: Features, other: Features, linked: bool) -> None:
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    assert (likeness(one, other) >= LEAST) == linked


def test_titles_that_are_alike_are_looked_at_and_few_others() -> None:
    """Control of the sketch: alike ones share a key nearly always, ones that are not seldom."""
    pick = random.Random(11)
    words = ["".join(pick.choices("abcdefghijklmnoprstuw", k=pick.randint(4, 9))) for _ in range(400)]
    titles = [" ".join(pick.sample(words, 5)) for _ in range(300)]
    near = [" ".join([*title.split()[1:], title.split()[0]]) for title in titles]  # another order of words
    found = sum(bool(set(keys([a])) & set(keys([b]))) for a, b in zip(titles, near, strict=True))
    strange = sum(bool(set(keys([a])) & set(keys([b]))) for a, b in pairwise(titles))
    assert found >= 0.97 * len(titles)
    assert strange <= 0.02 * len(titles)


def test_features_of_a_course() -> None:
    session = {"id": "s", "external_id": "s", "start": "2030-01-01", "town": "Liège", "nuts": "BE332"}
    document = {
        "titles": {"fr": "Soudure, débutants", "en": "Welding"},
        "url": "https://www.harbour.example/welding",
        "offerings": [{"mode": 1, "language": "fr", "sessions": [session]}],
    }
    assert features(document) == Features(
        ["welding", "soudure debutants"], ["liege"], ["2030-01-01"], "harbour.example"
    )
