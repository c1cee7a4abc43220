"""How long a film is, by its header."""

from __future__ import annotations

import struct

import pytest

from services.portfolio.domain import films
from services.portfolio.domain.films import FilmBrokenError, duration
from tests.support.films import box, element, mp4, webm

MP4, WEBM = "video/mp4", "video/webm"


def told(kind: str, film: bytes, reads: list[int] | None = None) -> float | None:
    def read_at(offset: int, count: int) -> bytes:
        if reads is not None:
            reads.append(count)
        return film[offset:][:count]

    return duration(kind, len(film), read_at)


@pytest.mark.parametrize("seconds", [0.5, 12.5, 3600.0])
def test_it_is_read_wherever_it_stands(seconds: float) -> None:
    for film in (mp4(seconds), mp4(seconds, wide=True), mp4(seconds, last=False)):
        assert told(MP4, film) == seconds
    assert told(WEBM, webm(seconds)) == seconds


def test_a_film_that_does_not_say_and_what_is_none() -> None:
    assert told(WEBM, webm(None)) is None
    assert told(MP4, mp4(0)) is None
    assert told(MP4, mp4((2**32 - 1) / 1000)) is None
    assert told("application/pdf", b"%PDF") is None


@pytest.mark.parametrize(
    ("kind", "film"),
    [
        (MP4, b""),
        (MP4, box(b"ftyp", b"isom")),
        (MP4, box(b"ftyp", b"isom") + struct.pack(">I4s", 4, b"moov")),
        (MP4, box(b"moov", struct.pack(">I4s", 100, b"mvhd"))),
        (MP4, struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1)),
        (MP4, box(b"moov", box(b"mvhd", bytes(4)))),
        (MP4, box(b"moov", box(b"mvhd", bytes(100)))),
        (MP4, mp4().replace(struct.pack(">II", 1000, 12500), struct.pack(">II", 0, 12500))),
        (WEBM, b"\x00"),
        (WEBM, webm()[:40]),
        (WEBM, webm(float("nan"))),
        (WEBM, webm(float("inf"))),
        (WEBM, webm(-1)),
        (WEBM, element(0x1A45DFA3, b"") + element(0x18538067, b"")),
        (WEBM, element(0x1A45DFA3, b"") + element(0x18538067, element(0x1549A966, element(0x4489, b"x")))),
        (WEBM, element(0x18538067, b"")),
    ],
)
def test_a_broken_one_is_refused(kind: str, film: bytes) -> None:
    with pytest.raises(FilmBrokenError):
        told(kind, film)


@pytest.mark.parametrize(
    ("kind", "film"),
    [
        (MP4, box(b"free") * 5_000),
        (WEBM, element(0x1A45DFA3, b"") + element(0x18538067, element(0xEC, b"") * 5_000)),
    ],
)
def test_a_film_of_nothing_but_parts_costs_little(
    kind: str, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    with pytest.raises(FilmBrokenError, match="200 parts"):
        told(kind, film, reads)
    assert sum(reads) < 5_000
    monkeypatch.setattr(films, "MOST_PARTS", 10**9)  # control: without the bound it reads on and on
    reads.clear()
    with pytest.raises(FilmBrokenError, match="no "):
        told(kind, film, reads)
    assert sum(reads) > 10_000
