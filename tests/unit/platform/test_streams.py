"""Places for streams: shares of one caller, and who gives way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import BytesValue
from prometheus_client import REGISTRY

from services.platform.errors import Refusal
from services.platform.rpc import streams
from services.platform.rpc.streams import SLOWEST, WAITED, Places, caller_of


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def call(subject: str = "", address: str = "") -> Any:
    cancelled: list[bool] = []
    return SimpleNamespace(
        principal=SimpleNamespace(subject=subject),
        address=address,
        method=SimpleNamespace(name="Probe/Stream"),
        context=SimpleNamespace(cancel=lambda: cancelled.append(True)),
        cancelled=cancelled,
    )


@pytest.mark.parametrize(("share", "taken"), [(2, 2), (1, 4)], ids=["share", "control"])
def test_one_caller_holds_no_more_than_a_share(share: int, taken: int) -> None:
    places, shed = Places(4, share), REGISTRY.get_sample_value("waymark_rpc_shed_total") or 0.0
    with ExitStack() as held:
        for _ in range(taken):
            held.enter_context(places.place(call("anna")))
        with pytest.raises(Refusal), places.place(call("anna")):
            pass
        assert REGISTRY.get_sample_value("waymark_rpc_shed_total") == shed + 1
        try:
            with places.place(call("bela")):
                served = True
        except Refusal:
            served = False
    assert served is (share == 2)
    with places.place(call("anna")):  # they were given back
        pass


def test_a_caller_is_a_principal_else_an_address_and_of_ipv6_its_network() -> None:
    assert caller_of(call("anna", "198.51.100.7")) == "anna"
    assert caller_of(call(address="198.51.100.7")) == "198.51.100.7"
    near, far = call(address="2001:db8:1:2:aaaa::1"), call(address="2001:db8:1:3::1")
    assert caller_of(near) == caller_of(call(address="2001:db8:1:2::9")) != caller_of(far)
    assert caller_of(call()) == caller_of(call(address="")) == ""


def read(held: Any, clock: Clock, size: int) -> Iterator[Any]:
    """A caller that takes an answer of `size` bytes every ten seconds."""
    for answer in held.sending(repeat(BytesValue(value=bytes(size)))):
        yield answer
        clock.now += 10


def send(held: Any, clock: Clock, size: int) -> Iterator[Any]:
    """A caller that sends `size` bytes every ten seconds."""

    def bodies() -> Iterator[bytes]:
        while True:
            clock.now += 10
            yield bytes(size)

    yield from held.receiving(bodies())


@pytest.mark.parametrize("way", [read, send])
@pytest.mark.parametrize(("pace", "gives_way"), [(SLOWEST // 4, True), (SLOWEST * 4, False)])
def test_who_hardly_reads_or_sends_gives_way_and_only_then(way: Any, pace: int, gives_way: bool) -> None:
    clock = Clock()
    places, anna = Places(1, 1, clock), call("anna")
    with places.place(anna) as held:
        moving = way(held, clock, 10 * pace)
        next(moving)
        while clock.now < WAITED:
            with pytest.raises(Refusal), places.place(call("bela")):
                pass
            next(moving)
        assert not anna.cancelled  # while nobody wants its place
        with nullcontext() if gives_way else pytest.raises(Refusal), places.place(call("bela")):
            assert anna.cancelled
    assert bool(anna.cancelled) is gives_way
    with places.place(call("carl")):  # the place was given back, once
        pass


@pytest.mark.parametrize("waited", [WAITED, 1000 * WAITED], ids=["limit", "control"])
def test_who_reads_nothing_at_all_gives_way_whatever_was_taken_before(
    monkeypatch: pytest.MonkeyPatch, waited: float
) -> None:
    monkeypatch.setattr(streams, "WAITED", waited)
    clock = Clock()
    places, anna = Places(1, 1, clock), call("anna")
    with places.place(anna) as held:
        unread = held.sending(repeat(BytesValue(value=bytes(8 << 20))))
        next(unread)
        next(unread)  # what buffers on the way took in
        clock.now += 2 * WAITED
        with nullcontext() if waited == WAITED else pytest.raises(Refusal), places.place(call("bela")):
            assert anna.cancelled
