"""The draw of an opening: arrival does not count, anybody can compute it again, and no fault goes unseen."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from waymark.vouchers.v1 import programme_pb2

from services.vouchers.domain import draw
from services.vouchers.domain.draw import OpeningState, Phase

SEEDS = st.binary(min_size=32, max_size=32)
NAMES = st.lists(st.uuids().map(lambda each: f"applications/{each}"), unique=True, max_size=60)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def faults(seed: bytes, names: list[str], drawn: list[tuple[str, int]]) -> list[str]:
    return list(draw.faults(seed, draw.commitment(seed), len(names), drawn))


@given(SEEDS, NAMES, st.randoms())
def test_the_order_does_not_depend_on_arrival(seed: bytes, names: list[str], random: object) -> None:
    arrived = list(names)
    random.shuffle(arrived)  # type: ignore[attr-defined]
    assert draw.order(seed, arrived) == draw.order(seed, names)
    assert sorted(draw.order(seed, names)) == sorted(names)


@given(SEEDS, NAMES)
def test_the_order_is_what_the_contract_says(seed: bytes, names: list[str]) -> None:
    keyed = sorted(names, key=lambda name: hmac.new(seed, name.encode(), hashlib.sha256).digest())
    assert draw.order(seed, names) == keyed
    assert draw.commitment(seed) == hashlib.sha256(seed).digest()


@given(SEEDS, NAMES.filter(lambda names: len(names) > 1), st.data())
def test_every_change_of_a_published_draw_is_found(
    seed: bytes, names: list[str], data: st.DataObject
) -> None:
    drawn = [(name, rank) for rank, name in enumerate(draw.order(seed, names), 1)]
    assert faults(seed, names, drawn) == []
    assert faults(seed, names, drawn[::-1]) == []
    first, second = data.draw(st.lists(st.integers(0, len(drawn) - 1), min_size=2, max_size=2, unique=True))
    swapped = list(drawn)
    swapped[first], swapped[second] = (drawn[first][0], drawn[second][1]), (drawn[second][0], drawn[first][1])
    assert faults(seed, names, swapped)
    assert faults(seed, names, drawn[:-1])
    assert faults(seed, names, [*drawn, drawn[0]])
    other = hashlib.sha256(seed).digest()
    assert list(draw.faults(other, draw.commitment(seed), len(names), drawn))


def test_another_seed_gives_another_order() -> None:
    names = [f"applications/{number}" for number in range(20)]
    seeds = [draw.new_seed() for _ in range(50)]
    assert len(set(seeds)) == 50
    assert len({tuple(draw.order(seed, names)) for seed in seeds}) == 50


def test_every_application_has_about_the_same_chance() -> None:
    names = [f"applications/{number}" for number in range(10)]
    firsts = [draw.order(hashlib.sha256(bytes([n % 256, n // 256])).digest(), names)[0] for n in range(2_000)]
    counts = [firsts.count(name) for name in names]
    assert min(counts) > 140  # 200 expected, standard deviation 13
    assert max(counts) < 260


def test_phases() -> None:
    opens, closes = NOON, NOON + timedelta(hours=1)

    def at(minutes: int, state: OpeningState = OpeningState.ANNOUNCED) -> Phase:
        return draw.phase(state, opens, closes, NOON + timedelta(minutes=minutes))

    assert [at(-1), at(0), at(59), at(60)] == [Phase.BEFORE, Phase.OPEN, Phase.OPEN, Phase.CLOSED]
    assert at(30, OpeningState.DRAWN) is Phase.CLOSED  # a clock that jumped back opens nothing again


def test_a_window_that_cannot_be_is_named() -> None:
    def stamp(moment: datetime) -> Timestamp:
        message = Timestamp()
        message.FromDatetime(moment)
        return message

    rule = programme_pb2.OpeningRule(open_time=stamp(NOON), close_time=stamp(NOON))
    version = programme_pb2.ProgrammeVersion(opening_rule=rule)
    version.effective_date.year, version.effective_date.month, version.effective_date.day = 2026, 3, 2
    assert [each.field for each in draw.problems(version)] == [
        "version.opening_rule.close_time",
        "version.opening_rule.open_time",
    ]
    version.effective_date.day = 1
    version.opening_rule.close_time.seconds += 1
    assert list(draw.problems(version)) == []
    assert list(draw.problems(programme_pb2.ProgrammeVersion())) == []
