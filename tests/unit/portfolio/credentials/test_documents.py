"""Documents of issuers: asked for seldom, kept for a while, and never many for one check."""

from __future__ import annotations

import threading

import pytest

from services.portfolio import documents
from services.portfolio.documents import AT_ONCE, CHECK_SECONDS, EACH_CHECK, FAILED, FRESH, Documents
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


@pytest.mark.parametrize("limit", [{"KEPT": 3}, {"KEPT_BYTES": 3}])
def test_only_so_much_is_kept(monkeypatch, limit: dict[str, int]) -> None:
    for name, value in limit.items():
        monkeypatch.setattr(documents, name, value)
    web = Internet({f"{PAGE}{number}": b"a" for number in range(5)})
    kept = Documents(web)
    for address in list(web.pages) * 2:
        kept.get(address)
    assert len(kept._kept) == 3


def test_slow_addresses_do_not_hold_every_thread(monkeypatch) -> None:
    """With three fetches under way a fourth is not begun; control: with room for it, it is."""
    gate, begun = threading.Event(), threading.Semaphore(0)

    def slow(address: str) -> bytes:
        if address != PAGE:
            begun.release()
            gate.wait(10)
        return b"a"

    for room, expected in ((AT_ONCE, False), (AT_ONCE + 1, True)):
        monkeypatch.setattr(documents, "AT_ONCE", room)
        kept = Documents(slow)
        gate.clear()
        threads = [threading.Thread(target=kept.get, args=(f"{PAGE}{n}",)) for n in range(AT_ONCE)]
        for thread in threads:
            thread.start()
            begun.acquire()
        try:
            assert kept.get(PAGE) == b"a"
            answered = True
        except UnreachableError:
            answered = False
        gate.set()
        for thread in threads:
            thread.join()
        assert answered is expected
        assert kept.get(PAGE) == b"a"  # a turn is free again


def test_a_check_ends_although_addresses_are_slow() -> None:
    clock = Clock()
    fetch = Documents(Internet({PAGE: b"a", f"{PAGE}1": b"a"}), clock=clock).for_check()
    assert fetch(PAGE) == b"a"
    clock.now = CHECK_SECONDS
    with pytest.raises(UnreachableError):
        fetch(f"{PAGE}1")


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
