"""A feed made to cost: reading takes work by its size, not by the square of it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from services.portfolio.formats import leap2a
from services.portfolio.formats.leap2a_reading import read_feed
from services.portfolio.formats.markup import root_of

_HEAD = f'<feed xmlns="{leap2a.ATOM}" xmlns:rdf="{leap2a.RDF}" xmlns:leap2="{leap2a.LEAP}">'
_PAGE = '<category term="Webpage" scheme="categories:selection_type#"/>'
_GOAL = f'<category term="{leap2a.GOAL}" scheme="plan_type#"/>'


def _item(id_: str, type_: str, *within: str) -> str:
    said = f'<id>{id_}</id><title>{id_}</title><rdf:type rdf:resource="leap2:{type_}"/>'
    return f"<entry>{said}{''.join(within)}</entry>"


def _link(rel: str, to: str) -> str:
    return f'<link rel="leap2:{rel}" href="{to}"/>'


def _one_goal(count: int) -> str:
    """A plan that serves one goal, said over and over."""
    return _item("goal", "plan", _GOAL) + _item("plan", "plan", *[_link("supports", "goal")] * count)


def _one_part(count: int) -> str:
    """Pages that all show one entry, which says so too."""
    pages = (_item(f"p{n}", "selection", _PAGE, _link("has_part", "one")) for n in range(count))
    return "".join(pages) + _item("one", "activity", *(_link("is_part_of", f"p{n}") for n in range(count)))


def _summaries(count: int) -> str:
    return _item("one", "activity", *["<summary>said</summary>"] * count)


def _one_employer(count: int) -> str:
    """Jobs at one employer, of which much is said."""
    jobs = (_item(f"j{n}", "activity", _link("supported_by", "one")) for n in range(count))
    named = (_link("supports", f"j{n}") for n in range(count))
    return "".join(jobs) + _item("one", "organization", *named, *["<summary>said</summary>"] * count)


@pytest.mark.parametrize("feed", [_one_goal, _one_part, _one_employer, _summaries])
def test_work_grows_with_the_feed_and_not_with_its_square(feed: Callable[[int], str]) -> None:
    small, large = (_calls(feed(count)) for count in (100, 800))
    assert large < 1.1 * 8 * small  # calls are the same each time, as seconds are not


def _calls(items: str) -> int:
    """Returns how many calls reading a feed of these items takes, those into C too."""
    root, count = root_of(io.BytesIO(f"{_HEAD}{items}</feed>".encode())), 0

    def note(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        read_feed(root, "en")
    finally:
        sys.setprofile(before)
    return count
