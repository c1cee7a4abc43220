"""Many people at once, each with a token of their own: client processes, and what came of every call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import grpc
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from bench.load import spread
from services.platform.rpc.status import DETAILS

TIMEOUT = 10.0  # seconds
CHANNELS = 8  # connections of a client process; the edge takes 100 calls at a time on each
NO_HINT = -1.0


class Person(NamedTuple):
    """Who calls, and with what."""

    token: str
    body: bytes


class Answer(NamedTuple):
    """What came of one call of `person` (its place). `code` is empty for OK and then `body` is the answer;
    `hint`: seconds after which to come back, NO_HINT when nobody said."""

    person: int
    seconds: float
    code: str
    hint: float
    body: bytes


class Crowd(NamedTuple):
    """What came of all calls, and the seconds from the first of them to the last answer."""

    seconds: float
    answers: list[Answer]

    @property
    def accepted(self) -> list[Answer]:
        """Calls answered OK."""
        return [answer for answer in self.answers if not answer.code]

    @property
    def refused(self) -> list[Answer]:
        """Calls that were told to come back later."""
        return [answer for answer in self.answers if answer.code == "RESOURCE_EXHAUSTED"]


def send_crowd(
    address: str,
    path: str,
    people: Sequence[Person],
    *,
    callers: int = 0,
    per_second: float = 0.0,
    processes: int = 2,
) -> Crowd:
    """Has everybody call once. `callers`: so many at a time, and who is refused comes back when told to;
    `per_second`: at this rate whatever comes of it, and who is refused goes away."""
    numbered = list(enumerate(people))
    shares = [numbered[index::processes] for index in range(processes)]
    pace = (callers // processes, per_second / processes)
    found = spread(_client, shares, address, path, pace)
    return Crowd(max(took for took, _ in found), [answer for _, answers in found for answer in answers])


def percentile_ms(answers: Sequence[Answer], share: float = 0.99) -> float:
    """Returns the latency in milliseconds that `share` of the calls stay below; 0 without any."""
    times = sorted(answer.seconds for answer in answers)
    return times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else 0.0


def _client(people: Sequence[tuple[int, Person]], gate: Any, results: Any, *target: Any) -> None:
    """One client process."""
    results.put(asyncio.run(_send(people, gate, *target)))


async def _send(
    people: Sequence[tuple[int, Person]], gate: Any, address: str, path: str, pace: tuple[int, float]
) -> tuple[float, list[Answer]]:
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(address, options=options) for _ in range(CHANNELS)]
    calls: list[Any] = [channel.unary_unary(path) for channel in channels]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    answers: list[Answer] = []
    gate.wait()
    started = time.perf_counter()
    callers, per_second = pace
    if callers:
        remaining = iter(people)
        turns = (_in_turn(calls[n % CHANNELS], remaining, answers) for n in range(callers))
        await asyncio.gather(*turns)
    else:
        await _at_rate(calls, people, per_second, answers)
    took = time.perf_counter() - started
    for channel in channels:
        await channel.close()
    return took, answers


async def _in_turn(call: Any, people: Iterator[tuple[int, Person]], answers: list[Answer]) -> None:
    for place, person in people:
        while True:
            answer = await _once(call, place, person)
            answers.append(answer)
            if answer.hint == NO_HINT:
                break
            await asyncio.sleep(answer.hint)


async def _at_rate(
    calls: Sequence[Any], people: Sequence[tuple[int, Person]], per_second: float, answers: list[Answer]
) -> None:
    async def once(call: Any, place: int, person: Person) -> None:
        answers.append(await _once(call, place, person))

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, (place, person) in enumerate(people):
            await asyncio.sleep(max(0.0, started + number / per_second - time.perf_counter()))
            group.create_task(once(calls[number % CHANNELS], place, person))


async def _once(call: Any, place: int, person: Person) -> Answer:
    started = time.perf_counter()
    try:
        body = await call(
            person.body, metadata=(("authorization", f"Bearer {person.token}"),), timeout=TIMEOUT
        )
    except grpc.aio.AioRpcError as error:
        return Answer(place, time.perf_counter() - started, error.code().name, _hint(error), b"")
    return Answer(place, time.perf_counter() - started, "", NO_HINT, body)


def _hint(error: grpc.aio.AioRpcError) -> float:
    status, retry = Status(), error_details_pb2.RetryInfo()
    for key, value in error.trailing_metadata():
        if key == DETAILS and isinstance(value, bytes):
            status.ParseFromString(value)
    for detail in status.details:
        if detail.Unpack(retry):
            return float(retry.retry_delay.ToTimedelta().total_seconds())
    return NO_HINT
