"""The portfolio server, its consumer or the object store is killed while a file is announced, sent, whole or
in parts, and checked, and while a portfolio is erased: each happens once and whole."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.objects import parts
from services.portfolio import checking
from services.portfolio.domain import names
from services.portfolio.store.evidence import BUCKET
from tests.support.gates import Gates, Point, gates
from tests.support.kills import kill_at
from tests.support.portfolio import PDF, evidence_of
from tests.support.stand import Stand
from tests.support.traffic import Person
from tests.support.uploads import put
from tests.support.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
SERVER = "portfolio-server"
ROWS = {
    "evidence": "SELECT count(*) FROM evidence WHERE holder_id = %s",
    "keys": "SELECT count(*) FROM holder_keys WHERE holder_id = %s",
}


@pytest.fixture(scope="module")
def built(stand: Stand) -> Iterator[Gates]:
    with gates(stand.database("portfolio"), "portfolio") as made:
        yield made


@pytest.fixture
def person(stand: Stand) -> Person:
    who = stand.callers.person("learner")
    who.surely("CreateHolder", holder={"given_name": "Noor"})
    return who


def holder(person: Person) -> str:
    return f"holders/{person.subject}"


def announce(person: Person) -> Any:
    return person.surely("CreateEvidence", parent=holder(person), evidence=evidence_of())


def uploaded(person: Person) -> str:
    made = announce(person)
    put(made.ticket.url, made.ticket.headers, PDF).raise_for_status()
    return str(made.evidence.name)


def killed_in(stand: Stand, built: Gates, call: Any, *, committed: bool) -> Any:
    """Kills the server while a call commits, or after it and before it knows; returns what a retry hears."""
    server = stand.part(SERVER)
    with ThreadPoolExecutor(1) as pool:
        with built.closed(Point.COMMITTING) as gate:
            called = pool.submit(call)
            eventually(gate.waiting)
            assert kill_at(stand, SERVER, gate, committed=committed) >= 1
        answer = called.result()
    stand.until_restarted(server)
    return answer


@pytest.mark.parametrize("committed", [False, True], ids=["during", "after"])
def test_a_file_is_announced_once_and_stored_whole(
    stand: Stand, built: Gates, person: Person, committed: bool
) -> None:
    made = killed_in(stand, built, partial(announce, person), committed=committed)
    assert stand.one("portfolio", ROWS["evidence"], person.subject) == 1
    put(made.ticket.url, made.ticket.headers, PDF).raise_for_status()
    finalize = partial(person.surely, "FinalizeEvidence", name=made.evidence.name)
    stored = killed_in(stand, built, finalize, committed=committed)
    assert stored.state == Evidence.STATE_STORED
    address = person.surely("GetEvidenceDownload", name=stored.name).url
    assert httpx.get(address, timeout=30).content == PDF


@pytest.mark.parametrize("broken", [False, True], ids=["the line holds", "the line breaks"])
def test_a_file_on_its_way_is_shown_once_it_is_whole(stand: Stand, person: Person, broken: bool) -> None:
    """The bytes go past the server, from the edge to the store: whoever sends them need not begin anew."""
    large = PDF + b"%" * 6_000_000
    made = person.surely("CreateEvidence", parent=holder(person), evidence=evidence_of(large))
    name, server = made.evidence.name, stand.part(SERVER)

    def flowing() -> Iterator[bytes]:
        yield large[:3_000_000]
        stand.signal(SERVER, signal.SIGKILL)
        if broken:
            raise ConnectionAbortedError
        yield large[3_000_000:]

    headers = {**made.ticket.headers, "content-length": str(len(large))}
    with suppress(ConnectionAbortedError):
        sent = httpx.put(made.ticket.url, headers=headers, content=flowing(), timeout=60, verify=False)
        assert sent.is_success
    stand.until_restarted(server)
    assert person.surely("GetEvidence", name=name).state == Evidence.STATE_AWAITING_UPLOAD
    with pytest.raises(grpc.RpcError) as refused:
        person.call("GetEvidenceDownload", name=name)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    if broken:
        with pytest.raises(grpc.RpcError):  # control: half of it is not taken for the whole
            person.call("FinalizeEvidence", name=name)
        put(made.ticket.url, made.ticket.headers, large).raise_for_status()
    stored = person.surely("FinalizeEvidence", name=name)
    assert stored.state == Evidence.STATE_STORED
    address = person.surely("GetEvidenceDownload", name=name).url
    assert httpx.get(address, timeout=30).content == large


def folder(stand: Stand) -> Path:
    """Where the object store keeps evidence, whatever a list of it says."""
    assert stand.plan.s3
    return stand.plan.s3.folder / "objects" / BUCKET


def in_store(stand: Stand, name: str) -> dict[str, int]:
    """What lies in the store for a file, with its bytes."""
    found = folder(stand).glob(f"*{names.last(name)}*")
    return {each.name: each.stat().st_size for each in found}


def on_their_way(stand: Stand) -> list[Path]:
    """What the store has of files that are being put there."""
    return list(folder(stand).glob(".rclone_*"))


def missing(person: Person, name: str) -> Any:
    return person.surely("GetEvidenceUpload", name=name).missing_parts


@pytest.mark.parametrize("killed", [SERVER, "s3"])
def test_an_upload_in_parts_goes_on_where_it_was(stand: Stand, person: Person, killed: str) -> None:
    film = PDF + b"%" * (parts.PART_BYTES + 3_000_000)
    made = person.surely("CreateEvidence", parent=holder(person), evidence=evidence_of(film))
    name, before = made.evidence.name, stand.part(killed)
    first, second = missing(person, name)
    put(first.url, first.headers, film[: first.size_bytes]).raise_for_status()

    def flowing() -> Iterator[bytes]:
        yield film[second.offset :][:1_000_000]
        eventually(lambda: on_their_way(stand))  # control: there was something to leave
        stand.signal(killed, signal.SIGKILL)
        raise ConnectionAbortedError

    with suppress(ConnectionAbortedError, httpx.HTTPError):
        httpx.put(second.url, headers=dict(second.headers), content=flowing(), timeout=60, verify=False)
    stand.until_restarted(before)
    (rest,) = missing(person, name)
    assert rest.number == second.number
    eventually(lambda: not on_their_way(stand))
    with pytest.raises(grpc.RpcError):  # control: what is there is not taken for the whole
        person.surely("FinalizeEvidence", name=name)
    put(rest.url, rest.headers, film[rest.offset :]).raise_for_status()
    stored = person.surely("FinalizeEvidence", name=name)
    assert stored.state == Evidence.STATE_STORED
    assert in_store(stand, name) == {names.last(name): len(film)}
    address = person.surely("GetEvidenceDownload", name=name).url
    assert httpx.get(address, timeout=60).content == film


@pytest.mark.parametrize("moved", [False, True], ids=["bytes on their way", "moved, being noted"])
def test_a_large_file_is_checked_to_the_end_though_the_check_is_killed(
    stand: Stand, built: Gates, person: Person, moved: bool
) -> None:
    film = PDF + b"%" * checking.AT_ONCE
    made = person.surely("CreateEvidence", parent=holder(person), evidence=evidence_of(film))
    name, consumer = made.evidence.name, stand.part("portfolio-consumer")
    for part in missing(person, name):
        put(part.url, part.headers, film[part.offset :][: part.size_bytes]).raise_for_status()
    sent = in_store(stand, name)
    assert person.surely("FinalizeEvidence", name=name).state == Evidence.STATE_CHECKING
    with built.closed(Point.COMMITTING) as gate:
        if moved:
            eventually(gate.waiting)
        else:
            eventually(lambda: on_their_way(stand))
        stand.signal(consumer.name, signal.SIGKILL)
    found = in_store(stand, name)
    assert (found == {names.last(name): len(film)}) is moved
    assert moved or found.items() >= sent.items()
    # A COMMIT that has been sent may go through though its sender is gone.
    assert moved or person.surely("GetEvidence", name=name).state == Evidence.STATE_CHECKING
    stand.until_restarted(consumer)
    state = Evidence.STATE_STORED
    eventually(lambda: person.surely("GetEvidence", name=name).state == state, 300, "never checked")
    assert in_store(stand, name) == {names.last(name): len(film)}
    assert on_their_way(stand) == []


@pytest.mark.parametrize("committed", [False, True], ids=["during", "after"])
def test_a_portfolio_is_erased_as_a_whole(
    stand: Stand, built: Gates, person: Person, committed: bool
) -> None:
    file = uploaded(person)
    etag = person.surely("GetHolder", name=holder(person)).etag
    assert stand.one("portfolio", ROWS["keys"], person.subject) == 1  # control
    killed_in(
        stand,
        built,
        partial(person.surely, "EraseHolder", name=holder(person), etag=etag),
        committed=committed,
    )
    assert [stand.one("portfolio", ROWS[each], person.subject) for each in ("evidence", "keys")] == [0, 0]
    with pytest.raises(grpc.RpcError) as refused:
        person.call("GetEvidenceDownload", name=file)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
