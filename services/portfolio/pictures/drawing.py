"""Makes the small picture of an image: its size is read first, and a process of its own decodes it."""

from __future__ import annotations

from pathlib import Path

import filetype

from services.platform.confined.running import Limits, made_of
from services.portfolio.domain import images

SIDE = 320  # pixels of the longest side
MOST_BYTES = 100_000  # of a picture, as of one that an app sends
MOST_PIXELS = 40_000_000  # of an image
MEMORY = 256 * 1024 * 1024  # bytes of data; 40 megapixels took 190
ADDRESSES = 512 * 1024 * 1024  # bytes of addresses; those 40 megapixels took 260
SECONDS = 20  # of processor
PATIENCE = 120  # seconds by the clock, of a machine that has much else to do
_DECODER = Path(__file__).with_name("decoder.py")


def small(content_type: str, content: bytes) -> bytes | None:
    """Returns a PNG of at most SIDE pixels and MOST_BYTES, upright, on white, and without what the image says
    of itself; None for what is broken, too large, or not of the type that it should be."""
    size = images.size_of(content_type, content)
    if size is None or size.width * size.height > MOST_PIXELS:
        return None
    limits = Limits(MEMORY, ADDRESSES, SECONDS, PATIENCE, MOST_BYTES)
    made = made_of(content, _DECODER, limits, images.KINDS[content_type], min(SIDE, max(size)), MOST_BYTES)
    return made if made and filetype.guess_mime(made) == "image/png" else None
