"""Documents of issuers: asked for seldom, kept for a while, and never many for one check."""

from __future__ import annotations

import pytest

from services.portfolio import documents
from services.portfolio.documents import EACH_CHECK, FAILED, FRESH, Documents
from services.portfolio.domain.credentials.controllers import UnreachableError
from tests.support.credentials import Internet

PAGE = "https://award.example/1"


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_document_is_fetched_again_once_it_is_old() -> None:
    web, clock = Internet({PAGE: b"a"}), Clock()
    kept = Documents(web, clock=clock)
    assert [kept.get(PAGE), kept.get(PAGE)] == [b"a", b"a"]
    web.pages[PAGE] = b"b"
    clock.now = FRESH - 1
    assert kept.get(PAGE) == b"a"
    clock.now = FRESH
    assert kept.get(PAGE) == b"b"
    assert len(web.asked) == 2


def test_an_address_that_fails_is_left_alone_for_a_while() -> None:
    web, clock = Internet(), Clock()
    kept = Documents(web, clock=clock)
    for _ in range(3):
        with pytest.raises(UnreachableError):
            kept.get(PAGE)
    assert len(web.asked) == 1
    web.pages[PAGE], clock.now = b"a", FAILED
    assert kept.get(PAGE) == b"a"


def test_only_so_many_are_kept(monkeypatch) -> None:
    monkeypatch.setattr(documents, "KEPT", 3)
    web = Internet({f"{PAGE}{number}": b"a" for number in range(5)})
    kept = Documents(web)
    for address in web.pages:
        kept.get(address)
    assert len(kept._kept) == 3


def test_one_check_asks_so_many_addresses_and_no_more(monkeypatch) -> None:
    web = Internet({f"{PAGE}{number}": b"a" for number in range(EACH_CHECK + 1)})
    addresses = list(web.pages)
    fetch = Documents(web).for_check()
    for address in addresses[:-1] * 2:
        assert fetch(address) == b"a"
    with pytest.raises(UnreachableError):
        fetch(addresses[-1])
    assert len(web.asked) == EACH_CHECK
    monkeypatch.setattr(documents, "EACH_CHECK", 1000)  # control: without the cap it is asked
    assert fetch(addresses[-1]) == b"a"
