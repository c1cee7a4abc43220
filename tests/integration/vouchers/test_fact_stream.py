"""Facts as a stream: what was answered is stored for good, and a bad message stops no other."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from waymark.vouchers.v1 import learner_fact_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.rpc import exchange, streams
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import World, day_message
from tests.support.waiting import eventually

REGISTER = pb.FACT_SOURCE_PES_REGISTER
NAME = "Anna-Canary"


def about(learner: Any, *levels: int) -> pb.StreamLearnerFactsRequest:
    """Returns a message with the levels of education given."""
    facts = [pb.LearnerFact(key="education_level", number=level, source=REGISTER) for level in levels]
    return pb.StreamLearnerFactsRequest(parent=f"learners/{learner}", facts=facts)


def levels(world: World, people: int) -> list[int]:
    """Returns what is known of learners 1, 2, … so many; -1 where nothing is."""
    found = []
    for number in range(1, people + 1):
        request = pb.ListLearnerFactsRequest(parent=f"learners/{number}")
        facts = world.caseworker.facts.ListLearnerFacts(request).facts
        found.append(facts[0].number if facts else -1)
    return found


def streamed(world: World, messages: Sequence[Any]) -> list[pb.StreamLearnerFactsResponse]:
    """Streams messages; returns the answers."""
    return list(world.system.facts.StreamLearnerFacts(iter(messages), timeout=60))


@contextmanager
def open_stream(world: World) -> Iterator[tuple[Any, queue.Queue[Any]]]:
    """A stream and what to put its messages into; None ends it."""
    sent: queue.Queue[Any] = queue.Queue()
    call = world.system.facts.StreamLearnerFacts(iter(sent.get, None), timeout=60)
    yield call, sent
    sent.put(None)


def test_each_chunk_is_stored_when_it_is_answered_and_the_last_answer_sums_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CHUNK", 3)
    with open_stream(world) as (call, sent):
        for number in range(1, 4):
            sent.put(about(number, 4))
        first = next(call)
        assert (first.message_count, first.stored_count, first.fact_count) == (3, 3, 3)
        assert levels(world, 4) == [4, 4, 4, -1]
        for number in range(3, 5):
            sent.put(about(number, 5))
    (last,) = call
    assert (last.message_count, last.stored_count, last.invalid_count) == (5, 5, 0)
    assert levels(world, 4) == [4, 4, 5, 5]


def test_a_break_loses_only_what_was_not_answered_and_sending_it_again_is_harmless(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CHUNK", 2)
    messages = [about(number, 4) for number in range(1, 6)]
    with open_stream(world) as (call, sent):
        for message in messages[:3]:
            sent.put(message)
        done = next(call).message_count
        call.cancel()
        with pytest.raises(grpc.RpcError):
            next(call)
    eventually(lambda: not world.served.server.load.busy)
    kept = levels(world, 5)
    assert kept[:done] == [4] * done  # and maybe one more, whose answer was under way
    assert kept[3:] == [-1, -1]
    streamed(world, messages[done:])
    assert streamed(world, messages)[-1].stored_count == 5
    assert levels(world, 5) == [4] * 5


def test_a_caller_who_goes_away_is_no_error_of_ours(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with open_stream(world) as (call, sent):
        sent.put(about(1, 4))
        eventually(lambda: world.served.server.load.busy)
        call.cancel()
    eventually(lambda: not world.served.server.load.busy)
    written = capsys.readouterr().out
    assert "StreamLearnerFacts" in written
    assert "CANCELLED" in written
    assert "unexpected" not in written


@pytest.mark.parametrize("fails", [True, False], ids=["not committed", "control"])
def test_what_is_not_committed_is_not_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    @contextmanager
    def failing(*arguments: Any, **options: Any) -> Iterator[Any]:
        with transaction(*arguments, **options) as tx:
            yield tx
            if fails:
                raise ConnectionError("the commit is lost")

    monkeypatch.setattr(exchange, "transaction", failing)
    messages = [about(1, 4)]
    if fails:
        assert refused(lambda: streamed(world, messages)) == "INTERNAL"
        assert levels(world, 1) == [-1]
    else:
        assert len(streamed(world, messages)) == 1
        assert levels(world, 1) == [4]


def test_a_bad_message_is_a_finding_that_tells_no_value_and_stops_nothing(world: World) -> None:
    wrong = about(9, 4)
    wrong.facts[0].key = "shoe_size"
    dated = about(9, 4)
    dated.facts[0].observed_date.CopyFrom(day_message(world.today))
    dated.facts[0].observed_date.month = 13
    named = about(9)
    named.facts.add(key="residence_nuts", text=NAME, source=REGISTER)
    named.facts.add(key="employment_status", text=NAME, source=REGISTER)
    sourceless = about(9, 4)
    sourceless.facts[0].ClearField("source")
    messages = [
        about(1, 4),
        about(NAME + " Peeters", 4),
        wrong,
        about(9, 9),
        about(9, 4, 5),
        about(9),
        dated,
        named,
        sourceless,
        about(2, 5),
    ]
    (answer,) = streamed(world, messages)
    assert (answer.message_count, answer.stored_count, answer.invalid_count) == (10, 2, 8)
    assert [(each.position, each.field) for each in answer.findings] == [
        (2, "parent"),
        (3, "facts[0].key"),
        (4, "facts[0].value"),
        (5, "facts[1].key"),
        (6, "facts"),
        (7, "facts[0].observed_date"),
        (8, "facts[0].value"),
        (8, "facts[1].value"),
        (9, "facts[0].source"),
    ]
    assert all(each.explanation for each in answer.findings)
    assert NAME not in str(answer)
    assert levels(world, 2) == [4, 5]
    assert levels(world, 9)[8] == -1


def test_bytes_that_are_no_message_are_a_finding_too(world: World) -> None:
    call = world.served.stub(
        lambda channel: channel.stream_stream("/waymark.vouchers.v1.LearnerFactService/StreamLearnerFacts"),
        world.system._token,
    )
    bodies = [about(1, 4).SerializeToString(), b"\xff\xff\xff", about(2, 5).SerializeToString()]
    (answer,) = (pb.StreamLearnerFactsResponse.FromString(each) for each in call(iter(bodies), timeout=60))
    assert (answer.stored_count, answer.invalid_count) == (2, 1)
    assert (answer.findings[0].position, answer.findings[0].field) == (2, "")


def test_of_a_message_that_is_wrong_in_a_thousand_places_ten_are_told(world: World) -> None:
    (answer,) = streamed(world, [about(1, *[99] * 50)])
    assert len(answer.findings) == 10


def test_of_two_messages_about_the_same_the_later_stays(world: World) -> None:
    streamed(world, [about(1, 4), about(2, 3), about(1, 6)])
    assert levels(world, 2) == [6, 3]


def test_a_stream_without_messages_is_answered(world: World) -> None:
    assert streamed(world, []) == [pb.StreamLearnerFactsResponse()]


@pytest.mark.parametrize("bounded", [True, False], ids=["bounded", "control"])
def test_callers_who_take_their_time_do_not_take_all_threads(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, bounded: bool
) -> None:
    """The server of the tests has four threads, and with it one place for a stream."""
    if not bounded:
        monkeypatch.setattr(streams, "PER_STREAM", 1)
        monkeypatch.setattr(streams, "SHARE", 1)
    monkeypatch.setattr(exchange, "CHUNK", 1)
    world: World = request.getfixturevalue("world")
    with open_stream(world) as (call, sent):
        sent.put(about(1, 4))
        assert next(call).stored_count == 1  # so it has its place
        if bounded:
            assert refused(lambda: streamed(world, [about(2, 4)])) == "OVERLOADED"
        else:
            assert streamed(world, [about(2, 4)])
        assert levels(world, 2) == [4, -1 if bounded else 4]  # other calls go on meanwhile
    assert list(call) == []
    assert streamed(world, [about(2, 4)])[-1].stored_count == 1  # the place is free again


def test_only_a_back_office_streams(world: World) -> None:
    for person in (world.caseworker, world.maker, world.provider, world.learner()):
        call = person.facts.StreamLearnerFacts
        assert refused(lambda call=call: list(call(iter([about(1, 4)])))) == "PERMISSION_DENIED"
