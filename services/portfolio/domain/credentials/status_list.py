"""Bitstring Status Lists (W3C): one bit a credential, in a list long enough to tell nobody whose is whose."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable

from services.portfolio.domain.credentials.multiformats import MultibaseError, base64url, from_unpadded

ENTRIES = 131_072  # the least the specification allows
MOST_BYTES = 4_000_000  # a list may unpack to


class ListBrokenError(ValueError):
    """The list cannot be unpacked, or is too short for the entry asked for."""


def encoded(set_: Iterable[int], entries: int = ENTRIES) -> str:
    """Returns a list in which the given bits are set, as `encodedList`."""
    bits = bytearray(entries // 8)
    for index in set_:
        bits[index // 8] |= 0x80 >> index % 8
    return base64url(gzip.compress(bytes(bits), mtime=0))


def is_set(encoded_list: str, index: int) -> bool:
    """True when the bit of an entry is set; raises ListBrokenError.

    Reads what the older StatusList2021 wrote too, without the letter that names the base.
    """
    try:
        packed = from_unpadded(
            encoded_list.removeprefix("u") if encoded_list.startswith("uH4s") else encoded_list
        )
        inflating = zlib.decompressobj(wbits=31)
        bits = inflating.decompress(packed, MOST_BYTES)
    except (MultibaseError, zlib.error) as error:
        raise ListBrokenError("is no packed list") from error
    if inflating.unconsumed_tail or not 0 <= index < len(bits) * 8:
        raise ListBrokenError("does not reach to the entry")
    return bool(bits[index // 8] & 0x80 >> index % 8)
