"""Fetching from partners: what is taken, what is tried again, and what no partner can make of it."""

from __future__ import annotations

import gzip
import io
import ipaddress
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.platform.outgoing import addresses, fetching
from services.platform.outgoing.addresses import Reach
from services.platform.outgoing.fetching import Answer, FetchError, Limits, Wanted, fetch
from tests.support.origins import Asked, Origin, Reply, origin

OUTSIDE = Reach(("https", "http"))
HERE = Reach(("https", "http"), frozenset({"127.0.0.1"}))
LIMITS = Limits(size=1 << 21, seconds=5.0, silence=1.0)


@pytest.fixture
def partner() -> Iterator[Origin]:
    with origin() as found:
        yield found


def get(
    wanted: Wanted | str, reach: Reach = HERE, limits: Limits = LIMITS, waits: list[float] | None = None
) -> tuple[Answer, bytes]:
    """Fetches; notes the pauses instead of making them."""
    into = io.BytesIO()
    wanted = Wanted(wanted) if isinstance(wanted, str) else wanted
    answer = fetch(wanted, into, reach, limits, (waits if waits is not None else []).append)
    return answer, into.getvalue()


def code(
    wanted: Wanted | str, reach: Reach = HERE, limits: Limits = LIMITS, waits: list[float] | None = None
) -> str:
    """The code with which a fetch fails."""
    with pytest.raises(FetchError) as caught:
        get(wanted, reach, limits, waits)
    return caught.value.code


def test_bytes_come_plain_packed_and_in_parts_and_an_unchanged_file_not_at_all(partner: Origin) -> None:
    data = b"<courses>" + b"welding " * 1000

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == '"v1"':
            return Reply(304)
        if asked.path == "/packed":
            packed = gzip.compress(data[:5000]) + gzip.compress(data[5000:])
            return Reply(body=packed, headers={"content-encoding": "gzip", "etag": '"v1"'})
        if asked.path == "/parts":
            return Reply(parts=lambda: iter([data[:10], data[10:]]))
        return Reply(body=data)

    partner.answer = answer
    assert get(f"{partner.url}/plain")[1] == get(f"{partner.url}/parts")[1] == data
    packed, body = get(f"{partner.url}/packed?a=b".replace("?a=b", ""))
    assert (packed.headers["etag"], body) == ('"v1"', data)
    again, nothing = get(Wanted(f"{partner.url}/packed", headers={"if-none-match": '"v1"'}))
    assert (again.status, nothing) == (304, b"")
    get(Wanted(f"{partner.url}/token", body=b"grant_type=client_credentials"))
    assert (partner.asked[-1].method, partner.asked[-1].body) == ("POST", b"grant_type=client_credentials")


def test_no_address_inside_is_reached_by_name_or_by_redirect_and_control(
    partner: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"feeds.example.org": "127.0.0.1", "rebound.example.org": "127.0.0.1"}
    monkeypatch.setattr(addresses, "resolved", lambda host, _: [ipaddress.ip_address(names.get(host, host))])
    port = partner.url.rpartition(":")[2]
    named = f"http://feeds.example.org:{port}/"
    for url in (
        named,
        partner.url,
        "http://[::ffff:127.0.0.1]:1/",
        "ftp://feeds.example.org/",
        "http://[::1]:1/",
    ):
        assert code(url, OUTSIDE) == "ADDRESS_REFUSED"
    assert not partner.asked

    with origin(lambda _: Reply(302, headers={"location": named})) as outside:
        assert code(outside.url) == "ADDRESS_REFUSED"  # the first host may be called, the second may not
        assert (len(outside.asked), len(partner.asked)) == (1, 0)
        monkeypatch.setattr(
            addresses, "is_public", lambda _: True
        )  # control: without the guard it gets there
        assert get(outside.url)[0].status == 200
        assert get(named, OUTSIDE)[0].status == 200
        assert len(partner.asked) == 2


def test_a_name_is_resolved_once_so_that_it_cannot_lead_elsewhere_afterwards(
    partner: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def resolved(host: str, _: int) -> list[addresses.Address]:
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1" if len(asked) == 1 else "127.0.0.9")]

    monkeypatch.setattr(addresses, "resolved", resolved)
    url = partner.url.replace("127.0.0.1", "feeds.example.org")
    get(url, Reach(("http",), frozenset({"feeds.example.org"})))
    assert asked == ["feeds.example.org"]
    assert partner.asked[0].headers["host"] == url.removeprefix("http://")


def test_secrets_stay_with_their_origin_and_off_open_lines(partner: Origin) -> None:
    with origin() as other:
        partner.answer = lambda asked: Reply(
            307, headers={"location": "/here" if asked.path == "/" else other.url}
        )
        secret = {"authorization": "Bearer hush"}
        get(Wanted(f"{partner.url}/", secret=secret))
        assert [each.headers.get("authorization") for each in partner.asked] == ["Bearer hush"] * 2
        assert "authorization" not in other.asked[0].headers
        assert "hush" not in repr(Wanted(partner.url, secret=secret))
    wanted = Wanted("http://feeds.example.org/", secret=secret)
    assert not fetching._secrets(wanted, wanted.url, OUTSIDE)
    safe = replace(wanted, url="https://feeds.example.org/")
    assert fetching._secrets(safe, safe.url, OUTSIDE) == secret


def test_redirects_end(partner: Origin) -> None:
    partner.answer = lambda _: Reply(302, headers={"location": partner.url})
    assert code(partner.url) == "REDIRECTS_TOO_MANY"
    assert len(partner.asked) == LIMITS.redirects + 1
    assert code(Wanted(partner.url, body=b"x")) == "STATUS"  # what is posted is not sent elsewhere


def test_no_redirect_leads_from_an_encrypted_line_to_an_open_one() -> None:
    with pytest.raises(FetchError) as caught:
        fetching._target("https://feeds.example.org/a", "http://feeds.example.org/b")
    assert caught.value.code == "ADDRESS_REFUSED"
    assert fetching._target("https://feeds.example.org/a", "b") == "https://feeds.example.org/b"
    assert fetching._target("http://feeds.example.org/a", "http://c/") == "http://c/"  # control: open before


def test_what_passes_is_tried_again_and_the_partner_says_when(partner: Origin) -> None:
    replies = [
        Reply(503, headers={"retry-after": "7"}),
        Reply(429),
        Reply(body=b"whole", length="9"),
        Reply(body=b"ok"),
    ]
    partner.answer = lambda _: replies.pop(0)
    waits: list[float] = []
    long = replace(LIMITS, seconds=60.0)
    assert get(partner.url, limits=long, waits=waits)[1] == b"ok"
    assert waits[0] == 7.0
    assert 2.0 <= waits[1] <= 2.4 and 4.0 <= waits[2] <= 4.8  # noqa: PT018
    partner.answer = lambda _: Reply(500)
    waits.clear()
    assert code(partner.url, limits=long, waits=waits) == "STATUS"
    assert len(waits) == LIMITS.tries - 1
    partner.answer, waits[:] = lambda _: Reply(404), []
    assert code(partner.url, limits=long, waits=waits) == "STATUS"
    assert waits == []  # will not be different a little later
    partner.answer = lambda _: Reply(503, headers={"retry-after": "3600"})
    assert code(partner.url, limits=long, waits=waits) == "STATUS"
    assert waits == []  # longer than all may take


def endless() -> Iterator[bytes]:
    while True:
        yield b"<course/>" * 10_000


def test_bytes_without_end_are_cut_off_and_control(partner: Origin) -> None:
    partner.answer = lambda _: Reply(parts=endless)
    assert code(partner.url) == "TOO_LARGE"
    assert len(get_until(partner, 4 << 20)) > 4 << 20  # control: a larger limit lets more come

    said = Reply(length=str(10 << 30))  # ten gigabytes, of which none has to come to be refused
    partner.answer = lambda _: said
    assert code(partner.url) == "TOO_LARGE"


def get_until(partner: Origin, size: int) -> bytes:
    """What has come when a limit of `size` stops it."""
    into = io.BytesIO()
    with pytest.raises(FetchError):
        fetch(Wanted(partner.url), into, HERE, replace(LIMITS, size=size + (1 << 20)))
    return into.getvalue()


def test_a_bomb_goes_off_at_its_ratio_and_control(partner: Origin) -> None:
    bomb = gzip.compress(bytes(20 << 20))
    partner.answer = lambda _: Reply(body=bomb, headers={"content-encoding": "gzip"})
    large = replace(LIMITS, size=64 << 20)
    assert code(partner.url, limits=large) == "BOMB"
    assert len(get(partner.url, limits=replace(large, ratio=10_000))[1]) == 20 << 20  # control
    assert code(partner.url, limits=replace(LIMITS, ratio=10_000)) == "TOO_LARGE"  # what it unpacks to counts
    partner.answer = lambda _: Reply(body=bomb[:-9], headers={"content-encoding": "gzip"})
    assert code(partner.url, limits=replace(large, ratio=10_000, tries=1)) == "TRUNCATED"
    partner.answer = lambda _: Reply(body=bomb, headers={"content-encoding": "br"})
    assert code(partner.url) == "ENCODING_UNKNOWN"


def test_a_slow_partner_is_left_and_control(partner: Origin) -> None:
    done = threading.Event()

    def drip() -> Iterator[bytes]:
        while not done.is_set():  # never silent, never at an end
            yield b"x"
            done.wait(0.05)

    partner.answer = lambda _: Reply(parts=drip)
    began = time.monotonic()
    assert code(partner.url, limits=replace(LIMITS, seconds=0.4)) == "TIMEOUT"
    assert time.monotonic() - began < 1.5
    partner.answer = lambda _: Reply(parts=lambda: iter([(done.wait(2) and b"late") or b"never"]))
    assert code(partner.url, limits=replace(LIMITS, silence=0.2, tries=1)) == "TIMEOUT"
    threading.Timer(0.3, done.set).start()
    partner.answer = lambda _: Reply(parts=drip)
    assert get(partner.url)[1]  # control: in time it is taken
