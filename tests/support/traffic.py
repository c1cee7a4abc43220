"""Callers of a running stack over gRPC through its edge, with a journal of all that was acknowledged."""

from __future__ import annotations

import importlib
import pkgutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import waymark
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from services.cli.stack.state import read_state
from services.cli.token import request_token
from services.platform.edge.contract import Rpc
from tests.support.contract import CONTRACT

RPCS: dict[str, Rpc] = {rpc.name: rpc for rpc in CONTRACT.rpcs}
DEADLINE = 20.0
LIFETIME = 24 * 3600  # seconds of a token: torture may take hours
# What a caller may hear of a part that is away; anything else is an answer.
PASSING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
}
for _module in pkgutil.walk_packages(waymark.__path__, "waymark."):
    if _module.name.endswith("_pb2"):
        importlib.import_module(_module.name)


@dataclass(frozen=True)
class Attempt:
    """One try of a call: when it began (monotonic), how long it took in seconds, what it came to."""

    began: float
    seconds: float
    code: grpc.StatusCode


@dataclass
class Acknowledged:
    """A call that was answered in the end; `attempts` holds its last try too."""

    person: Person
    rpc: str
    request: Any
    answer: Any
    attempts: list[Attempt]


@dataclass
class Journal:
    """What callers were told, in the order they were told it; `pending`: request ids not yet answered."""

    entries: list[Acknowledged] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)

    def of(self, *rpcs: str) -> list[Acknowledged]:
        """Acknowledged calls of these RPCs."""
        return [entry for entry in self.entries if entry.rpc in rpcs]

    def names(self) -> set[str]:
        """Every resource name that an answer or a request held."""
        found = {text for entry in self.entries for text in _texts(entry.answer)}
        found |= {text for entry in self.entries for text in _texts(entry.request)}
        return {text for text in found if "/" in text and "://" not in text}


class Callers:
    """People who call the stack in `home`; all share one connection and one journal.

    `patience`: seconds that a call is repeated before the caller gives up; may be set to others.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.patience = home, 90.0
        self.journal = Journal()
        self.channel = grpc.insecure_channel(read_state(home).edge.removeprefix("http://"))

    def person(self, role: str, subject: str = "", organisation: str = "") -> Person:
        """Somebody in `role` with a token of the development issuer; a new person when `subject` is empty."""
        subject = subject or str(uuid.uuid4())
        told = request_token(self.home, role, subject=subject, organisation=organisation, lifetime=LIFETIME)
        return Person(self, role, subject, organisation, told["access_token"])

    def anybody(self) -> Person:
        """Somebody without a token."""
        return Person(self, "", "", "", "")

    def close(self) -> None:
        """Closes the connection."""
        self.channel.close()


@dataclass(frozen=True)
class Person:
    """Somebody with an access token."""

    callers: Callers
    role: str
    subject: str
    organisation: str
    token: str

    def call(
        self, rpc: str, request: Message | None = None, *, timeout: float = DEADLINE, **fields: Any
    ) -> Any:
        """Makes one try; `fields` fill the request unless one is given. Raises grpc.RpcError."""
        sent = request_of(rpc, **fields) if request is None else request
        method = descriptor_pool.Default().FindMethodByName(f"{RPCS[rpc].interface}.{rpc}")
        answer = message_factory.GetMessageClass(method.output_type)
        stub: Any = self.callers.channel.unary_unary(
            RPCS[rpc].path,
            request_serializer=type(sent).SerializeToString,
            response_deserializer=answer.FromString,
        )
        metadata = [("authorization", f"Bearer {self.token}")] if self.token else []
        return stub(sent, timeout=timeout, metadata=metadata)

    def surely(self, rpc: str, **fields: Any) -> Any:
        """Repeats one and the same request, with a request_id where it takes one, until it is answered.

        The answer is journalled and returned. Raises the RpcError of a refusal, or of the last try once
        the callers' patience is over.
        """
        request, attempts = request_of(rpc, **fields), list[Attempt]()
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid.uuid4())
            self.callers.journal.pending.add(request.request_id)
        until = time.monotonic() + self.callers.patience
        while True:
            began = time.monotonic()
            try:
                answer = self.call(rpc, request)
            except grpc.RpcError as error:
                code = error.code()
                self._note(attempts, began, code)
                if code not in PASSING or time.monotonic() > until:
                    raise
                time.sleep(0.1)
                continue
            self._note(attempts, began, grpc.StatusCode.OK)
            self.callers.journal.pending.discard(getattr(request, "request_id", ""))
            self.callers.journal.entries.append(Acknowledged(self, rpc, request, answer, attempts))
            return answer

    def _note(self, attempts: list[Attempt], began: float, code: grpc.StatusCode) -> None:
        attempt = Attempt(began, time.monotonic() - began, code)
        attempts.append(attempt)
        self.callers.journal.attempts.append(attempt)


@contextmanager
def load(*works: Callable[[], object], pause: float = 0.02) -> Iterator[None]:
    """Runs each work over and over in a thread of its own until the block ends; a work that fails ends its
    thread, and the block then ends in its error."""
    stop, errors = threading.Event(), list[BaseException]()

    def repeat(work: Callable[[], object]) -> None:
        try:
            while not stop.wait(pause):
                work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def request_of(rpc: str, **fields: Any) -> Any:
    """The request of an RPC with these fields; a dict stands for a message."""
    method = descriptor_pool.Default().FindMethodByName(f"{RPCS[rpc].interface}.{rpc}")
    return message_factory.GetMessageClass(method.input_type)(**fields)


def _texts(message: Message) -> Iterator[str]:
    for found, value in message.ListFields():
        if found.message_type is not None and found.message_type.GetOptions().map_entry:
            continue
        for each in value if found.is_repeated else [value]:
            if isinstance(each, Message):
                yield from _texts(each)
            elif isinstance(each, str):
                yield each
