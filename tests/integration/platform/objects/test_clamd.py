"""The scanner's client over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.platform.objects import clamd
from services.platform.objects.clamd import Clamd, Found, ScannerError
from tests.support.clamd import EICAR, scanner

MEBIBYTE = b"x" * 1024 * 1024


def test_what_is_clean_what_is_not_and_what_is_too_large(tmp_path: Path) -> None:
    with scanner() as there:
        client = Clamd(there.address)
        assert client.answers()
        assert client.scan([b"good ", b"bytes"], 5).found is Found.NOTHING
        assert client.scan([], 5).found is Found.NOTHING
        split = [EICAR[:20], EICAR[20:]]
        assert client.scan(split, 5) == (Found.MALWARE, "Eicar-Signature")
        assert client.scan([MEBIBYTE * 3], 5).found is Found.NOTHING  # in more than one piece
        assert there.scanned == [10, 0, len(EICAR), 3 * len(MEBIBYTE)]
        there.limit = 1000
        assert client.scan((MEBIBYTE for _ in range(50)), 5).found is Found.TOO_LARGE
    with scanner(tmp_path / "clamd.sock") as there:
        assert Clamd(there.address).scan([EICAR], 5).found is Found.MALWARE


@pytest.mark.parametrize("reply", [b"stream: OK and more\0", b"UNKNOWN COMMAND\0", b"\0", b"y" * 9000])
def test_a_strange_answer_is_not_taken_for_clean(reply: bytes) -> None:
    with scanner() as there:
        there.reply = reply
        with pytest.raises(ScannerError):
            Clamd(there.address).scan([b"x"], 5)


def test_one_that_is_away_or_silent_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        away = Clamd(f"127.0.0.1:{closed.getsockname()[1]}")
    assert not away.answers()
    with pytest.raises(ScannerError):
        away.scan([b"x"], 5)
    with scanner() as there:
        there.held.clear()
        with pytest.raises(ScannerError):
            Clamd(there.address).scan([b"x"], 0.1)


def test_one_that_takes_a_byte_now_and_then_is_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(clamd.time, "monotonic", lambda: next(clock))

    def slow() -> Iterator[bytes]:
        while True:
            yield b"x"

    with scanner() as there, pytest.raises(ScannerError, match="too long"):
        Clamd(there.address).scan(slow(), 20)
