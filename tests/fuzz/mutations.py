"""Input that was good once: cut, doubled, flipped, nested, spliced, written in another encoding."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
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
Draw: TypeAlias = Callable[[st.SearchStrategy[int]], int]
Mutation: TypeAlias = Callable[[Draw, bytes, Sequence[bytes]], bytes]


def mutated(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Inputs near `seeds`, and now and then any bytes at all."""
    return st.one_of(*[_near(seeds)] * 9, st.binary(max_size=400))


@st.composite
def _near(draw: Callable[..., int], seeds: Sequence[bytes]) -> bytes:
    data = _one(draw, seeds)
    for _ in range(draw(st.integers(1, 5))):
        data = _one(draw, MUTATIONS)(draw, data, seeds)[:MAX_BYTES]
    return data


def _one(draw: Draw, choices: Sequence[Any]) -> Any:
    return choices[draw(st.integers(0, len(choices) - 1))]


def _place(draw: Draw, data: bytes) -> int:
    return draw(st.integers(0, len(data)))


def _span(draw: Draw, data: bytes) -> tuple[int, int]:
    start = _place(draw, data)
    return start, min(len(data), start + draw(st.integers(1, 200)))


def _flip(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    place = _place(draw, data)
    return (
        data[:place]
        + bytes(each ^ 1 << draw(st.integers(0, 7)) for each in data[place : place + 1])
        + data[place + 1 :]
    )


def _cut_off(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return data[: _place(draw, data)]


def _cut_out(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(draw, data)
    return data[:start] + data[end:]


def _repeat(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(draw, data)
    return data[:start] + data[start:end] * draw(st.integers(2, 300)) + data[end:]


def _insert(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(draw, data) if draw(st.booleans()) else (_place(draw, data),) * 2
    return data[:start] + _one(draw, TOKENS) + data[max(start, end) :]


def _nest(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(draw, data)
    (opening, closing), depth = _one(draw, NESTS), draw(st.integers(1, 2000))
    return data[:start] + opening * depth + data[start:end] + closing * depth + data[end:]


def _splice(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = _one(draw, seeds)
    return data[: _place(draw, data)] + other[_place(draw, other) :]


def _recode(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    encoding = _one(draw, ENCODINGS)
    return data.decode(errors="replace").encode(encoding, errors="replace")


def _compress(draw: Draw, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return gzip.compress(data, 1, mtime=0)


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip, _cut_off, _cut_out, _repeat, _nest, _splice, _recode, _compress),
    *(_insert,) * 4,
)
