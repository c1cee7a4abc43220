"""What is missing of an upload in parts, as an answer tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.platform.objects.store import Objects


def add_missing_parts(answer: Any, objects: Objects, bucket: str, key: str, size: int) -> None:
    """Adds to `answer.missing_parts` the parts that are not there of an upload for `key` of so many bytes,
    each with where to put it, and says in `answer.expire_time` how long; raises Refusal(UNAVAILABLE)."""
    for part in objects.missing_parts(bucket, key, size):
        ticket = objects.part_ticket(bucket, key, part)
        answer.missing_parts.add(
            number=part.number,
            offset=part.offset,
            size_bytes=part.size,
            url=ticket.url,
            headers=ticket.headers,
        )
        if not answer.HasField("expire_time"):
            answer.expire_time.FromDatetime(ticket.expire_time)
