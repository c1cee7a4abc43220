"""Films of a few bytes, as the standards have their headers; they show nothing."""

from __future__ import annotations

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    """A box of MP4."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def mp4(seconds: float = 12.5, *, wide: bool = False, last: bool = True) -> bytes:
    """A film whose movie header says so; `wide`: in 64 bits, `last`: behind the pictures."""
    scale = 1000
    if wide:
        told = struct.pack(">BxxxQQIQ", 1, 0, 0, scale, round(seconds * scale))
    else:
        told = struct.pack(">BxxxIIII", 0, 0, 0, scale, round(seconds * scale))
    movie = box(b"moov", box(b"mvhd", told, bytes(80)), box(b"trak", bytes(40)))
    pictures = box(b"free") + struct.pack(">I4sQ", 1, b"mdat", 16 + 9000) + bytes(9000)
    head = box(b"ftyp", b"isom", bytes(4), b"isommp42")
    return head + (pictures + movie if last else movie + pictures)


def element(kind: int, content: bytes, *, endless: bool = False) -> bytes:
    """An element of EBML."""
    name = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    length = b"\x01" + (b"\xff" * 7 if endless else len(content).to_bytes(7, "big"))
    if len(content) < 127 and not endless:
        length = bytes([0x80 | len(content)])
    return name + length + content


def webm(seconds: float | None = 12.5) -> bytes:
    """A film that says how long it is; None: one as a browser records it, which does not."""
    head = element(0x1A45DFA3, element(0x4282, b"webm"))
    told = b"" if seconds is None else element(0x4489, struct.pack(">d", seconds * 1000))
    info = element(0x1549A966, element(0x2AD7B1, (1_000_000).to_bytes(3, "big")) + told)
    pictures = element(0x1F43B675, bytes(9000), endless=seconds is None)
    parts = element(0x114D9B74, bytes(40)) + info + pictures
    return head + element(0x18538067, parts, endless=seconds is None)
