"""Input that was good once: cut, doubled, flipped, nested, spliced, written in another encoding."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

from hypothesis import strategies as st

MAX_BYTES = 128 << 10  # of one input; what large files may cost is measured by tests of their own
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "latin-1")
TOKENS = (
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xed\xa0\x80",  # half a character: no UTF-8
    b"\\ud800",
    b"\\u0000",
    "٣".encode(),  # a digit, and none of ours
    "İß\u202e".encode(),
    b'"',
    b'""',
    b"\r",
    b"\r\n",
    b",",
    b";",
    b"|",
    b"-",
    b"9" * 400,
    b"1e999",
    b"-1",
    b"0x1F",
    b"NaN",
    b"9999-12-31",
    b"0000-00-00",
    b"2026-02-30T25:61:00+99:99",
    b"=HYPERLINK(1)",
    b"null",
    b"[]",
    b"{}",
    b"<![CDATA[",
    b"]]>",
    b"<!-- ",
    b"<?xml version='1.0' encoding='UTF-7'?>",
    b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>",
    b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
    b"&c;",
    b"&#0;",
    b"&#x10FFFF;",
    b"xmlns='urn:other' ",
)
NESTS = ((b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"(", b")"), (b'"', b'"'))
LONGEST_NOISE = 400  # bytes that were never good
Pick: TypeAlias = Callable[[int, int], int]  # a whole number between two, either of them too
Mutation: TypeAlias = Callable[[Pick, bytes, Sequence[bytes]], bytes]


def mutated(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Inputs near `seeds`, and now and then any bytes at all."""
    return st.one_of(*[_near_by_draw(seeds)] * 9, st.binary(max_size=LONGEST_NOISE))


def made(seeds: Sequence[bytes], chance: Random) -> bytes:
    """One of these inputs, by chance alone: a tenth of the time that Hypothesis takes to make one."""
    if chance.randrange(10):
        return _near(chance.randint, seeds)
    return chance.randbytes(chance.randint(0, LONGEST_NOISE))


@st.composite
def _near_by_draw(draw: Callable[..., int], seeds: Sequence[bytes]) -> bytes:
    return _near(lambda low, high: draw(st.integers(low, high)), seeds)


def _near(pick: Pick, seeds: Sequence[bytes]) -> bytes:
    data: bytes = _one(pick, seeds)
    for _ in range(pick(1, 5)):
        data = _one(pick, MUTATIONS)(pick, data, seeds)[:MAX_BYTES]
    return data


def _one(pick: Pick, choices: Sequence[Any]) -> Any:
    return choices[pick(0, len(choices) - 1)]


def _place(pick: Pick, data: bytes) -> int:
    return pick(0, len(data))


def _span(pick: Pick, data: bytes) -> tuple[int, int]:
    start = _place(pick, data)
    return start, min(len(data), start + pick(1, 200))


def _flip(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    place = _place(pick, data)
    return (
        data[:place] + bytes(each ^ 1 << pick(0, 7) for each in data[place : place + 1]) + data[place + 1 :]
    )


def _cut_off(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return data[: _place(pick, data)]


def _cut_out(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(pick, data)
    return data[:start] + data[end:]


def _repeat(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(pick, data)
    return data[:start] + data[start:end] * pick(2, 300) + data[end:]


def _insert(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(pick, data) if pick(0, 1) else (_place(pick, data),) * 2
    return data[:start] + _one(pick, TOKENS) + data[max(start, end) :]


def _nest(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(pick, data)
    (opening, closing), depth = _one(pick, NESTS), pick(1, 2000)
    return data[:start] + opening * depth + data[start:end] + closing * depth + data[end:]


def _splice(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other: bytes = _one(pick, seeds)
    return data[: _place(pick, data)] + other[_place(pick, other) :]


def _recode(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    encoding = _one(pick, ENCODINGS)
    return data.decode(errors="replace").encode(encoding, errors="replace")


def _compress(pick: Pick, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return gzip.compress(data, 1, mtime=0)


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip, _cut_off, _cut_out, _repeat, _nest, _splice, _recode, _compress),
    *(_insert,) * 4,
)
