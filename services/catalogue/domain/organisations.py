"""The tree of organisations: nobody stands above itself, and no tree grows too deep to be read at once."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

DEEPEST = 8  # levels


def check_place(organisation: str, above: Sequence[str], height: int) -> None:
    """Raises Refusal(ORGANISATION_LOOP) when an organisation may not be put there.

    `above`: ids of the new parent and of all above it; `height`: levels of the organisation's own tree,
    itself among them.
    """
    if organisation in above:
        raise Refusal(reason_pb2.REASON_ORGANISATION_LOOP, metadata={"parent": f"organisations/{above[0]}"})
    if len(above) + height > DEEPEST:
        raise Refusal(reason_pb2.REASON_ORGANISATION_LOOP, metadata={"levels": str(len(above) + height)})
