"""Makes the small picture of an image: its size is read first, and a process of its own decodes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import filetype

from services.portfolio.domain import images

SIDE = 320  # pixels of the longest side
MOST_BYTES = 100_000  # of a picture, as of one that an app sends
MOST_PIXELS = 40_000_000  # of an image
MEMORY = 256 * 1024 * 1024  # bytes of data; 40 megapixels took 190
ADDRESSES = 512 * 1024 * 1024  # bytes of addresses; those 40 megapixels took 260
SECONDS = 20  # of processor
PATIENCE = 120  # seconds by the clock, of a machine that has much else to do
# Threads would each reserve addresses, as many as a machine has processors.
_ALONE = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_DECODER = Path(__file__).with_name("decoder.py")


def small(content_type: str, content: bytes) -> bytes | None:
    """Returns a PNG of at most SIDE pixels and MOST_BYTES, upright, on white, and without what the image says
    of itself; None for what is broken, too large, or not of the type that it should be."""
    size = images.size_of(content_type, content)
    if size is None or size.width * size.height > MOST_PIXELS:
        return None
    side = min(SIDE, max(size))
    limits = [str(each) for each in (side, MOST_BYTES, MEMORY, ADDRESSES, SECONDS)]
    command = [sys.executable, "-I", str(_DECODER), images.KINDS[content_type], *limits]
    try:
        made = subprocess.run(  # noqa: S603  our own interpreter and file
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # may quote the image
            timeout=PATIENCE,
            check=True,
            env=_ALONE,
        ).stdout
    except subprocess.SubprocessError:
        return None
    return made if filetype.guess_mime(made) == "image/png" else None
