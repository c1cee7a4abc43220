"""Resource names (AIP-122) of the portfolio: `holders/{holder}/entries/{entry}` and the like."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


def parse(name: str, *collections: str) -> tuple[str, ...]:
    """Returns the ids in a name made of these collections: `parse("holders/a", "holders")` → `("a",)`.

    Raises Refusal(NOT_FOUND) for any other name, because no such resource can exist.
    """
    parts = name.split("/")
    ids = tuple(parts[1::2])
    if tuple(parts[::2]) != collections or len(ids) != len(collections) or not all(ids):
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return ids


def holder_in(name: str) -> str:
    """Returns the holder id that a name starts with, or "" when it is no name within a portfolio."""
    parts = name.split("/")
    return parts[1] if len(parts) > 1 and parts[0] == "holders" else ""


def questionnaire_in(name: str) -> str:
    """Returns the questionnaire id of the name of one, or of anything in it, else ""."""
    parts = name.split("/")
    return parts[3] if len(parts) > 3 and parts[::2][:2] == ["holders", "questionnaires"] else ""


def holder(holder_id: str) -> str:
    """`holders/{holder}`."""
    return f"holders/{holder_id}"


def child(holder_id: str, collection: str, row_id: str) -> str:
    """`holders/{holder}/{collection}/{id}`."""
    return f"holders/{holder_id}/{collection}/{row_id}"


def last(name: str) -> str:
    """Returns the last id of a name, which is unique within its collection."""
    return name.rsplit("/", 1)[-1]


def instrument_of(version: str) -> str:
    """Returns the instrument of `instruments/{instrument}/versions/{version}`."""
    return version.rpartition("/versions/")[0]
