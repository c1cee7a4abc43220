"""Streams that break off over REST: HTTP has no status after the body, so half a file would look whole.

The edge's transcoder resets the connection on an answer that is no message, and a client sees that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from services.platform.rpc.call import Call

NO_MESSAGE = b"\xff"  # begins a field and ends in its number


def visibly(call: Call, answers: Iterable[Any]) -> Iterator[Any]:
    """Yields answers; where an error follows some, over REST also what resets the connection."""
    begun = False
    try:
        for answer in answers:
            begun = True
            yield answer
    except Exception:
        if begun and call.transcoded:
            yield NO_MESSAGE
        raise


def serializer(serialize: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Returns `serialize` with NO_MESSAGE as it is."""
    return lambda answer: answer if answer is NO_MESSAGE else serialize(answer)
