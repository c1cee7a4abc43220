"""Pictures to preview, written by hand, since no library here writes JPEG."""

from __future__ import annotations

import random
import struct
import zlib
from typing import NamedTuple

PLACE = b"N 50 51 E 4 21"  # as a camera writes it


class _Bits(NamedTuple):
    """The entropy-coded bits of one row of blocks."""

    pieces: list[str]

    def put(self, value: int, length: int) -> None:
        self.pieces.append(f"{value:0{length}b}")

    def number(self, value: int) -> None:
        """The bits of a coefficient, without its category (ITU-T T.81, F.1.2.1)."""
        if length := abs(value).bit_length():
            self.put(value if value > 0 else value + (1 << length) - 1, length)

    def bytes(self) -> bytes:
        bits = "".join(self.pieces)
        bits += "1" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


def jpeg(width: int, height: int, *, orientation: int = 0, detail: int = 0) -> bytes:
    """A baseline JPEG (ITU-T T.81), black on the left and white on the right.

    `orientation`: the Exif tag, written with a place; 0 for no Exif. `detail`: coefficients of noise in each
    block, so that it costs what a photograph does.
    """
    across, down = -(-width // 8), -(-height // 8)
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes((1, 17, 0, 2, 17, 0, 3, 17, 0))
    dc = bytes((0, 0, 0, 0, 12, *bytes(12), *range(12)))  # codes of four bits
    symbols = bytes(run << 4 | size for run in range(16) for size in range(11) if size or run in (0, 15))
    ac = bytes((16, *bytes(7), len(symbols), *bytes(8))) + symbols  # codes of eight bits
    row = _row(across, symbols, detail)
    rows = b"".join(row + bytes((0xFF, 0xD0 + number % 8)) for number in range(down))
    return b"".join(
        (
            b"\xff\xd8",
            _marker(0xE1, _exif(orientation)) if orientation else _marker(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _marker(0xDB, b"\0" + bytes((8,) * 64)),
            _marker(0xC0, frame),
            _marker(0xC4, dc),
            _marker(0xC4, ac),
            _marker(0xDD, struct.pack(">H", across)),
            _marker(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0))),
            rows[:-2],
            b"\xff\xd9",
        )
    )


def png(width: int, height: int, *, alpha: int = 255, noise: bool = False) -> bytes:
    """A red PNG; a large one is small as a file, as bombs are. `alpha`: 0 to 255, of each pixel.
    `noise`: of all colours instead, which no picture of it says in few bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    packer = zlib.compressobj(9)
    red, chance = bytes((255, 0, 0, alpha)) * width, random.Random(1)
    rows = (chance.randbytes(width * 4) if noise else red for _ in range(height))
    content = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def pixels_of(picture: bytes) -> tuple[int, int, list[bytes]]:
    """Returns width, height and rows (RGBA) of a PNG of eight bits a channel (ISO/IEC 15948)."""
    width, height, depth, kind = struct.unpack_from(">IIBB", picture, 16)
    assert (depth, kind) == (8, 6), (depth, kind)
    at, packed = 8, b""
    while at < len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        if picture[at + 4 : at + 8] == b"IDAT":
            packed += picture[at + 8 : at + 8 + length]
        at += 12 + length
    plain, step = zlib.decompress(packed), width * 4 + 1
    rows, above = [], bytes(width * 4)
    for number in range(height):
        above = _unfiltered(plain[number * step], plain[number * step + 1 : (number + 1) * step], above)
        rows.append(above)
    return width, height, rows


def _unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    out = bytearray(line)
    for at in range(len(line)):
        left = out[at - 4] if at >= 4 else 0
        corner = above[at - 4] if at >= 4 else 0
        guess = left + above[at] - corner
        nearest = min((left, above[at], corner), key=lambda each: abs(guess - each))
        out[at] = (line[at] + (0, left, above[at], (left + above[at]) // 2, nearest)[kind]) & 255
    return bytes(out)


def _row(across: int, symbols: bytes, detail: int) -> bytes:
    bits, chance, before = _Bits([]), random.Random(1), 0
    for block in range(across):
        light = -127 if block < across // 2 else 127
        for component in range(3):
            change = 0 if component else light - before
            bits.put(change.bit_length() if change >= 0 else (-change).bit_length(), 4)
            bits.number(change)
            for _ in range(0 if component else detail):
                value = chance.choice((-3, -2, -1, 1, 2, 3))
                bits.put(symbols.index(abs(value).bit_length()), 8)
                bits.number(value)
            bits.put(0, 8)
        before = light
    return bits.bytes()


def _exif(orientation: int) -> bytes:
    """Exif 2.3 with an orientation and a description, which here is a place."""
    entries = struct.pack("<HHII", 0x010E, 2, len(PLACE) + 1, 38) + struct.pack(
        "<HHIHH", 0x0112, 3, 1, orientation, 0
    )
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4) + PLACE + b"\0"


def _marker(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(content) + 2) + content


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
